/* Parts as cameras and terminals send them: every text is split at every byte. */
#include "host/web/multipart.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"
#include "base/file.h"
#include "base/mem.h"

#define VECTORS "../shared/vectors"

enum { PARTS_MAX = 40, MOST = 4096 };

/* What came out of a body. */
static struct {
    int count;
    char bodies[PARTS_MAX][200]; /* how they begin */
    size_t lengths[PARTS_MAX];
    char types[PARTS_MAX][60];
    int64_t skipped, malformed;
} seen;

static void note_down(const struct multipart *multipart)
{
    const struct buffer *body = multipart_body(multipart);
    const char *type = headers_find(multipart_headers(multipart), "content-type");
    assert_in_range(seen.count, 0, PARTS_MAX - 1);
    size_t length = body->length < 199 ? body->length : 199;
    if (length > 0)
        memcpy(seen.bodies[seen.count], body->bytes, length);
    seen.bodies[seen.count][length] = '\0';
    snprintf(seen.types[seen.count], 60, "%s", type ? type : "");
    seen.lengths[seen.count++] = body->length;
}

/* Feeds it in pieces: `first` bytes, then the rest in pieces of `piece`. */
static void split(const char *type, const char *bytes, size_t length, size_t first,
                  size_t piece, bool ends)
{
    struct multipart *multipart;
    bool whole;
    memset(&seen, 0, sizeof(seen));
    assert_int_equal(multipart_open(&multipart, type), 0);
    for (size_t at = 0; at < length;) {
        size_t now = at < first ? first - at : piece;
        if (now > length - at)
            now = length - at;
        char *copy = mem_copy(bytes + at, now); /* a byte too far is seen */
        for (size_t taken = 0; taken < now;) {
            taken += multipart_feed(multipart, copy + taken, now - taken, MOST, &whole);
            if (whole)
                note_down(multipart);
        }
        mem_free(copy);
        at += now;
    }
    if (ends && multipart_finish(multipart, MOST))
        note_down(multipart);
    seen.skipped = multipart_skipped(multipart);
    seen.malformed = multipart_malformed(multipart);
    multipart_close(multipart);
}

struct expected {
    const char *text;
    int count;
    const char *bodies[4];
    int skipped, malformed;
};

static void check(const char *type, const struct expected *expected)
{
    size_t length = strlen(expected->text);
    for (size_t first = 0; first <= length; first++) {
        split(type, expected->text, length, first, first % 2 ? 1 : length, true);
        assert_int_equal(seen.count, expected->count);
        for (int i = 0; i < expected->count; i++)
            assert_string_equal(seen.bodies[i], expected->bodies[i]);
        assert_int_equal(seen.skipped, expected->skipped);
        assert_int_equal(seen.malformed, expected->malformed);
    }
}

static const char MIXED[] = "multipart/mixed; boundary=x";

static void a_length_is_believed_and_the_part_is_whole_at_once(void **state)
{
    static const char TEXT[] =
        "--x\r\nContent-Type: image/jpeg\r\nContent-Length: 9\r\n\r\n"
        "a\r\n--x\r\nb";
    (void)state;
    split(MIXED, TEXT, strlen(TEXT), 0, 1, false);
    assert_int_equal(seen.count, 1);
    assert_string_equal(seen.bodies[0], "a\r\n--x\r\nb");
    assert_string_equal(seen.types[0], "image/jpeg");
}

/* Chinese names counted in letters. */
static void a_length_that_is_less_than_the_json_is_not_believed(void **state)
{
#define COUNTED "--x\r\nContent-Type: application/json\r\nContent-Length: "
    static const struct expected EXPECTED[] = {
        {COUNTED "6\r\n\r\n{\"a\":\"\xE7\x8E\x8B\"}\r\n--x\r\n\r\ntwo\r\n--x--",
         2,
         {"{\"a\":\"\xE7\x8E\x8B\"}", "two"},
         0,
         0},
        {COUNTED "9\r\n\r\n{\"}\\\"\":{}}\r\n--x--", 1, {"{\"}\\\"\":{}}"}, 0, 0},
        {COUNTED "5\r\n\r\n{\"a\":\r\n--x\r\n\r\ntwo", 2, {"{\"a\":", "two"}, 0, 0},
        {COUNTED "2\r\n\r\n{}}\r\n--x\r\n\r\ntwo", 2, {"{}", "two"}, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < countof(EXPECTED); i++)
        check(MIXED, &EXPECTED[i]);
}

static void lines_end_as_they_like(void **state)
{
    static const struct expected EXPECTED[] = {
        {"--x\r\n\r\none\r\n--x\r\n\r\ntwo\r\n--x--\r\n", 2, {"one", "two"}, 0, 0},
        {"--x\n\none\n--x\n\ntwo\n--x--", 2, {"one", "two"}, 0, 0},
        {"noise\r\n--x  \r\nA: b\r\n\r\none\n\r\n--x--\r\nmore\n--x\r\n\r\ntwo",
         2,
         {"one\n", "two"},
         0,
         0},
        {"--x\r\n\r\n\r\n--x\r\nContent-Length: 0\r\n\r\n\r\n--x\r\n", 2, {"", ""}, 0, 0},
        {"", 0, {0}, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < countof(EXPECTED); i++)
        check(MIXED, &EXPECTED[i]);
}

static void what_is_malformed_ends_nothing(void **state)
{
    static const struct expected EXPECTED[] = {
        /* no body, then a good one */
        {"--x\r\nA: b\r\n--x\r\n\r\ngood\r\n--x--\r\n", 1, {"good"}, 0, 1},
        /* lengths that are none */
        {"--x\r\nContent-Length: -5\r\n\r\none\r\n--x\r\nContent-Length: "
         "9e9\r\n\r\ntwo\r\n"
         "--x\r\nContent-Length: 99999999999999999999\r\n\r\nthree\r\n--x--",
         3,
         {"one", "two", "three"},
         0,
         0},
        /* a text whose length is too great, by much and by little, and too small */
        {"--x\r\nContent-Type: text/plain\r\nContent-Length: 999\r\n\r\none\r\n"
         "--x\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n{}\r\n"
         "--x\r\nContent-Type: text/xml\r\nContent-Length: 2\r\n\r\n<a/>\r\n"
         "--x\r\n\r\nlast\r\n--x--",
         4,
         {"one", "{}", "<a", "last"},
         0,
         0},
        /* ends in the middle */
        {"--x\r\nContent-Length: 9\r\n\r\nshort", 0, {0}, 0, 1},
        {"--x\r\nContent-Len", 0, {0}, 0, 1},
    };
    (void)state;
    for (size_t i = 0; i < countof(EXPECTED); i++)
        check(MIXED, &EXPECTED[i]);
}

static void add_part(struct buffer *text, const char *head, size_t length)
{
    buffer_printf(text, "--x\r\n%s\r\n", head);
    memset(buffer_grow(text, length), 'b', length);
    buffer_append_text(text, "\r\n");
}

static void what_is_too_big_is_skipped_and_counted(void **state)
{
    static const char *const HEADS[] = {
        "Content-Type: video/mp4\r\nContent-Length: 5000\r\n",
        "Content-Type: video/mp4\r\n",
        "Content-Type: text/plain\r\nContent-Length: 5000\r\n"};
    (void)state;
    for (size_t i = 0; i < countof(HEADS); i++) {
        struct buffer text = {0};
        add_part(&text, HEADS[i], 5000);
        add_part(&text, "Content-Length: 4096\r\n", MOST);
        add_part(&text, "", MOST);
        buffer_append_text(&text, "--x--\r\n");
        for (size_t piece = 1; piece < 9000; piece = piece * 3 + 1) {
            split(MIXED, text.bytes, text.length, 0, piece, true);
            assert_int_equal(seen.skipped, 1);
            assert_int_equal(seen.count, 2);
            assert_int_equal(seen.lengths[0], MOST);
            assert_int_equal(seen.lengths[1], MOST);
        }
        buffer_free(&text);
    }
}

static void a_head_without_end_is_dropped(void **state)
{
    struct buffer text = {0};
    (void)state;
    buffer_append_text(&text, "--x\r\n");
    for (int i = 0; i < MULTIPART_HEAD_MAX / 16 + 1; i++)
        buffer_append_text(&text, "A: 89012345678\r\n");
    buffer_append_text(&text, "\r\nbody\r\n--x\r\n\r\ngood\r\n--x--\r\n");
    split(MIXED, text.bytes, text.length, 0, 7, true);
    assert_int_equal(seen.malformed, 1);
    assert_int_equal(seen.count, 1);
    assert_string_equal(seen.bodies[0], "good");
    buffer_free(&text);
}

static void boundaries_are_taken_as_they_are_said(void **state)
{
    static const struct {
        const char *type, *delimiter;
    } SAID[] = {
        {"multipart/mixed; boundary=MIME_boundary", "--MIME_boundary"},
        {"multipart/mixed;boundary=\"a b;c\"; charset=x", "--a b;c"},
        {"Multipart/X-Mixed-Replace; Boundary=<boundary> ; x=y", "--<boundary>"},
        {"multipart/mixed; boundary=--myboundary", "----myboundary"},
        {"multipart/mixed; boundary=--myboundary", "--myboundary"},
        {"multipart/mixed; boundary = MIME_boundary", "--MIME_boundary"},
        {"multipart/mixed; charset=x; BOUNDARY\t=\t\"a\"", "--a"},
    };
    char text[100];
    (void)state;
    for (size_t i = 0; i < countof(SAID); i++) {
        snprintf(text, sizeof(text), "%s\r\n\r\none\r\n%s\r\n", SAID[i].delimiter,
                 SAID[i].delimiter);
        split(SAID[i].type, text, strlen(text), 0, 1, false);
        assert_int_equal(seen.count, 1);
        assert_string_equal(seen.bodies[0], "one");
    }
}

static void what_is_no_multipart_is_refused(void **state)
{
    static const char *const TYPES[] = {NULL,
                                        "",
                                        "text/plain; boundary=x",
                                        "multipart/mixed",
                                        "multipart/mixed; boundary=",
                                        "multipart/mixed; boundary x",
                                        "multipart/mixed; boundary=\"\""};
    struct multipart *multipart;
    char long_one[300] = "multipart/mixed; boundary=";
    (void)state;
    for (size_t i = 0; i < countof(TYPES); i++)
        assert_int_equal(multipart_open(&multipart, TYPES[i]), -EINVAL);
    memset(long_one + strlen(long_one), 'x', MULTIPART_BOUNDARY_MAX + 1);
    assert_int_equal(multipart_open(&multipart, long_one), -EINVAL);
}

/* ---- Captures of devices, where they are */

static void check_vector(const char *file, const char *type, int count)
{
    struct buffer text = {0};
    if (file_read(&text, file, 1 << 20) != 0) {
        print_message("%s is not here\n", file);
        buffer_free(&text);
        skip();
    }
    for (size_t piece = 1; piece <= text.length; piece = piece * 2 + 1) {
        split(type, text.bytes, text.length, 0, piece, true);
        assert_int_equal(seen.count, count);
        assert_int_equal(seen.malformed, 0);
    }
    buffer_free(&text);
}

static void a_face_terminal_is_read(void **state)
{
    (void)state;
    check_vector(VECTORS "/isapi/alertstream_dsk1t344_f4_capture.raw",
                 "multipart/mixed; boundary=MIME_boundary", 19);
    assert_non_null(strstr(seen.bodies[0], "192.168.18.202"));
}

static void cameras_with_odd_boundaries_are_read(void **state)
{
    (void)state;
    check_vector(VECTORS "/isapi/alertstream_boundary_quoted.raw",
                 "multipart/mixed; boundary=\"MIME_boundary\"", 3);
    assert_int_equal(seen.lengths[1], 1044);
    check_vector(VECTORS "/isapi/alertstream_boundary_dashes.raw",
                 "multipart/mixed;boundary=--myboundary", 3);
    check_vector(VECTORS "/isapi/alertstream_boundary_lf.raw",
                 "multipart/mixed; boundary=boundary", 3);
    check_vector(VECTORS "/isapi/push_fp_nopicture.raw",
                 "multipart/form-data; boundary=MIME_boundary", 1);
}

static void another_makers_events_are_read(void **state)
{
    (void)state;
    check_vector(VECTORS "/dahua/stream_doorface_heartbeat.raw",
                 "multipart/x-mixed-replace; boundary=myboundary", 4);
    check_vector(VECTORS "/dahua/snapmanager_jpeg_text.raw",
                 "multipart/x-mixed-replace; boundary=boundary", 3);
    assert_string_equal(seen.bodies[2], "Heartbeat");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_length_is_believed_and_the_part_is_whole_at_once),
        cmocka_unit_test(a_length_that_is_less_than_the_json_is_not_believed),
        cmocka_unit_test(lines_end_as_they_like),
        cmocka_unit_test(what_is_malformed_ends_nothing),
        cmocka_unit_test(what_is_too_big_is_skipped_and_counted),
        cmocka_unit_test(a_head_without_end_is_dropped),
        cmocka_unit_test(boundaries_are_taken_as_they_are_said),
        cmocka_unit_test(what_is_no_multipart_is_refused),
        cmocka_unit_test(a_face_terminal_is_read),
        cmocka_unit_test(cameras_with_odd_boundaries_are_read),
        cmocka_unit_test(another_makers_events_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
