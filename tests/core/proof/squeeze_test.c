/* What is put is got; what is foreign is bounded. */
#include "proof/squeeze.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static void what_is_put_is_got_again_and_again(void **state)
{
    struct buffer frame = {0}, plain = {0};
    (void)state;
    for (int round = 0; round < 3; round++) {
        buffer_clear(&frame);
        buffer_clear(&plain);
        squeeze_put(&frame, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", 33,
                    round == 1 ? SQUEEZE_SUMMED : 0);
        assert_int_equal(squeeze_get(&plain, frame.bytes, frame.length, 33), 0);
        assert_string_equal(buffer_text(&plain), "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab");
    }
    buffer_free(&frame);
    buffer_free(&plain);
}

static void content_beyond_the_bound_is_refused_before_any_memory_is_taken(void **state)
{
    struct buffer frame = {0}, plain = {0};
    static const char ZEROS[100000];
    (void)state;
    squeeze_put(&frame, ZEROS, sizeof(ZEROS), 0);
    assert_int_equal(squeeze_get(&plain, frame.bytes, frame.length, sizeof(ZEROS) - 1),
                     -EBADMSG);
    assert_null(plain.bytes);
    assert_int_equal(squeeze_get(&plain, frame.bytes, frame.length, sizeof(ZEROS)), 0);
    buffer_free(&frame);
    buffer_free(&plain);
}

static void what_is_not_one_whole_frame_is_refused_and_leaves_nothing(void **state)
{
    struct buffer frame = {0}, plain = {0};
    /* a frame as a stream writes it: its size is not told */
    static const unsigned char UNKNOWN[] = {0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58,
                                            0x19, 0x00, 0x00, 'a',  'b',  'c'};
    (void)state;
    squeeze_put(&frame, "some text, some text, some text", 31, SQUEEZE_SUMMED);
    for (size_t length = 0; length < frame.length; length++)
        assert_int_equal(squeeze_get(&plain, frame.bytes, length, 100), -EBADMSG);
    frame.bytes[frame.length - 1] ^= 1;
    assert_int_equal(squeeze_get(&plain, frame.bytes, frame.length, 100), -EBADMSG);
    frame.bytes[frame.length - 1] ^= 1;
    squeeze_put(&frame, "a second one", 12, 0);
    assert_int_equal(squeeze_get(&plain, frame.bytes, frame.length, 100), -EBADMSG);
    assert_int_equal(squeeze_get(&plain, UNKNOWN, sizeof(UNKNOWN), 100), -EBADMSG);
    buffer_clear(&frame);
    squeeze_put(&frame, "", 0, 0);
    assert_int_equal(squeeze_get(&plain, frame.bytes, frame.length, 100), -EBADMSG);
    assert_int_equal(plain.length, 0);
    buffer_free(&frame);
    buffer_free(&plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_put_is_got_again_and_again),
        cmocka_unit_test(content_beyond_the_bound_is_refused_before_any_memory_is_taken),
        cmocka_unit_test(what_is_not_one_whole_frame_is_refused_and_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
