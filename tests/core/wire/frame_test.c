/* Frames: what is written is read, and no length is trusted. */
#include "wire/frame.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"

static struct frame read_back(const struct buffer *out)
{
    struct frame frame;
    assert_int_equal(frame_read(&frame, out->bytes, out->length), 0);
    return frame;
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct field field;
    int64_t number;
    char text[8];
    frame_begin(&out, 7, 0xdeadbeef);
    frame_put(&out, 1, "a\0b", 3);
    frame_put_text(&out, 2, "text");
    frame_put_number(&out, 3, INT64_MIN + 5);
    struct frame frame = read_back(&out);
    assert_int_equal(frame.type, 7);
    assert_int_equal(frame.id, 0xdeadbeef);
    assert_int_equal(fields_next(&frame.fields, &field), 1);
    assert_int_equal(field.tag, 1);
    assert_int_equal(field.length, 3);
    assert_memory_equal(field.bytes, "a\0b", 3);
    assert_int_equal(fields_next(&frame.fields, &field), 1);
    assert_int_equal(field_text(&field, text, sizeof(text)), 0);
    assert_string_equal(text, "text");
    assert_int_equal(fields_next(&frame.fields, &field), 1);
    assert_int_equal(field_number(&field, &number), 0);
    assert_true(number == INT64_MIN + 5);
    assert_int_equal(fields_next(&frame.fields, &field), 0);
    assert_int_equal(fields_next(&frame.fields, &field), 0);
    buffer_free(&out);
}

static void a_value_may_itself_be_fields(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct field outer, inner;
    frame_begin(&out, 1, 0);
    size_t mark = frame_open(&out, 9);
    size_t deeper = frame_open(&out, 8);
    frame_put_text(&out, 7, "deep");
    frame_close(&out, deeper);
    frame_close(&out, mark);
    frame_put_text(&out, 6, "after");
    struct frame frame = read_back(&out);
    assert_int_equal(fields_find(&frame.fields, 9, &outer), 0);
    struct fields fields = field_inside(&outer);
    assert_int_equal(fields_find(&fields, 8, &inner), 0);
    fields = field_inside(&inner);
    assert_int_equal(fields_find(&fields, 7, &inner), 0);
    assert_memory_equal(inner.bytes, "deep", 4);
    assert_int_equal(fields_find(&frame.fields, 6, &inner), 0);
    assert_int_equal(fields_find(&frame.fields, 7, &inner), -ENOENT);
    buffer_free(&out);
}

static void an_empty_field_is_there(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct field field;
    frame_begin(&out, 1, 0);
    frame_put(&out, 5, NULL, 0);
    struct frame frame = read_back(&out);
    assert_int_equal(fields_find(&frame.fields, 5, &field), 0);
    assert_int_equal(field.length, 0);
    buffer_free(&out);
}

static void beginning_clears_what_was_there(void **state)
{
    (void)state;
    struct buffer out = {0};
    frame_begin(&out, 1, 1);
    frame_put_text(&out, 2, "old");
    frame_begin(&out, 3, 4);
    assert_int_equal(out.length, FRAME_HEAD);
    assert_int_equal(read_back(&out).type, 3);
    buffer_free(&out);
}

static void a_wrong_head_is_refused(void **state)
{
    (void)state;
    struct frame frame;
    const uint8_t good[] = {'O', FRAME_VERSION, 1, 0, 0, 0, 0, 0};
    uint8_t bad[sizeof(good)];
    assert_int_equal(frame_read(&frame, good, sizeof(good)), 0);
    for (size_t length = 0; length < sizeof(good); length++)
        assert_int_equal(frame_read(&frame, good, length), -EPROTO);
    memcpy(bad, good, sizeof(good));
    bad[0] = 'P';
    assert_int_equal(frame_read(&frame, bad, sizeof(bad)), -EPROTO);
    memcpy(bad, good, sizeof(good));
    bad[1]++;
    assert_int_equal(frame_read(&frame, bad, sizeof(bad)), -EPROTONOSUPPORT);
    memcpy(bad, good, sizeof(good));
    bad[3] = 1;
    assert_int_equal(frame_read(&frame, bad, sizeof(bad)), -EPROTO);
}

static void a_frame_has_a_greatest_size(void **state)
{
    (void)state;
    struct frame frame;
    uint8_t *datagram = calloc(1, FRAME_MAX + 1);
    datagram[0] = 'O';
    datagram[1] = FRAME_VERSION;
    assert_int_equal(frame_read(&frame, datagram, FRAME_MAX), 0);
    assert_int_equal(frame_read(&frame, datagram, FRAME_MAX + 1), -EMSGSIZE);
    free(datagram);
}

static void a_field_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct field field;
    frame_begin(&out, 1, 0);
    frame_put_text(&out, 2, "whole");
    for (size_t length = FRAME_HEAD + 1; length < out.length; length++) {
        struct frame frame;
        assert_int_equal(frame_read(&frame, out.bytes, length), 0);
        assert_int_equal(fields_find(&frame.fields, 9, &field), -EPROTO);
        assert_int_equal(fields_next(&frame.fields, &field), -EPROTO);
    }
    buffer_free(&out);
}

static void texts_and_numbers_are_checked(void **state)
{
    (void)state;
    char text[4];
    int64_t number;
    const uint8_t bytes[] = "abc\0defgh";
    const struct field fits = {1, bytes, 3}, nul = {1, bytes, 4},
                       longer = {1, bytes + 4, 4};
    assert_int_equal(field_text(&fits, text, sizeof(text)), 0);
    assert_int_equal(field_text(&nul, text, sizeof(text)), -EPROTO);
    assert_int_equal(field_text(&longer, text, sizeof(text)), -EPROTO);
    assert_int_equal(field_number(&fits, &number), -EPROTO);
}

static void kept_fields_are_read_from_where_they_are(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct field field;
    struct fields none = fields_of(NULL, 0, 0);
    assert_int_equal(fields_next(&none, &field), 0);
    frame_begin(&out, 7, 1);
    frame_put(&out, 1, "a", 1);
    struct fields kept = fields_of(out.bytes, FRAME_HEAD, out.length);
    assert_int_equal(fields_next(&kept, &field), 1);
    assert_int_equal(field.tag, 1);
    assert_int_equal(fields_next(&kept, &field), 0);
    buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(a_value_may_itself_be_fields),
        cmocka_unit_test(an_empty_field_is_there),
        cmocka_unit_test(beginning_clears_what_was_there),
        cmocka_unit_test(a_wrong_head_is_refused),
        cmocka_unit_test(a_frame_has_a_greatest_size),
        cmocka_unit_test(a_field_that_does_not_fit_is_refused),
        cmocka_unit_test(texts_and_numbers_are_checked),
        cmocka_unit_test(kept_fields_are_read_from_where_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
