/* A recording for a replay: its time, and that nothing else is taken for one. */
#include "cli/play/tape.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"
#include "wire/pcapng.h"

static char path[] = "/tmp/tape-test-XXXXXX";

static int make(void **state)
{
    (void)state;
    return close(mkstemp(path));
}

static int drop(void **state)
{
    (void)state;
    return unlink(path);
}

static int open_written(struct tape *tape, const int64_t *times, int count)
{
    struct buffer out = {0};
    pcapng_begin(&out, "");
    pcapng_device(&out, "tcp://a:1");
    for (int i = 0; i < count; i++) {
        struct pcapng_piece piece = {.utc_us = times[i], .bytes = "x", .length = 1};
        pcapng_piece(&out, &piece);
    }
    assert_int_equal(file_put(path, out.bytes, out.length, 0600), 0);
    buffer_free(&out);
    return tape_open(tape, path);
}

static void its_time_is_that_of_its_pieces(void **state)
{
    static const int64_t TIMES[] = {1764000005000000, 1764000000000000, 1764000009500000};
    struct tape tape;
    (void)state;
    assert_int_equal(open_written(&tape, TIMES, 3), 0);
    assert_string_equal(tape.from, "2025-11-24T16:00:00.000000Z");
    assert_string_equal(tape.until, "2025-11-24T16:00:10.500000Z");
    tape_close(&tape);
}

static void nothing_else_is_taken_for_one(void **state)
{
    static const int64_t NEVER[] = {-5};
    struct tape tape;
    (void)state;
    assert_int_equal(open_written(&tape, NULL, 0), -ENODATA);
    assert_string_equal(tape_why(-ENODATA), "nothing was recorded in it");
    tape_close(&tape);
    assert_int_equal(open_written(&tape, NEVER, 1), -EPROTO);
    tape_close(&tape);
    assert_int_equal(file_put(path, "GET / HTTP/1.1\r\n\r\n", 18, 0600), 0);
    assert_int_equal(tape_open(&tape, path), -EPROTO);
    tape_close(&tape);
    assert_int_equal(tape_open(&tape, "/nowhere"), -ENOENT);
    tape_close(&tape);
    assert_string_equal(tape_why(-ENOENT), "No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_time_is_that_of_its_pieces),
        cmocka_unit_test(nothing_else_is_taken_for_one),
    };
    return cmocka_run_group_tests(tests, make, drop);
}
