/* Buffers grow at the end and keep what they have. */
#include "base/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void a_zeroed_buffer_is_empty_and_may_be_freed(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    assert_string_equal(buffer_text(&buffer), "");
    assert_int_equal(buffer.length, 0);
    buffer_free(&buffer);
    buffer_free(&buffer);
    assert_null(buffer.bytes);
}

static void what_is_appended_stands_behind_the_rest(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    buffer_append(&buffer, "a\0b", 3);
    buffer_append(&buffer, NULL, 0);
    buffer_append_text(&buffer, "cd");
    buffer_printf(&buffer, "%d-%s", 12, "x");
    memcpy(buffer_grow(&buffer, 2), "yz", 2);
    assert_int_equal(buffer.length, 11);
    assert_memory_equal(buffer.bytes, "a\0bcd12-xyz", 11);
    buffer_free(&buffer);
}

static void ten_thousand_bytes_come_one_by_one(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    for (int i = 0; i < 10000; i++) {
        char byte = (char)i;
        buffer_append(&buffer, &byte, 1);
    }
    for (int i = 0; i < 10000; i++)
        assert_int_equal(buffer.bytes[i], (char)i);
    buffer_free(&buffer);
}

static void the_front_is_dropped(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    buffer_append_text(&buffer, "onetwo");
    buffer_drop_front(&buffer, 3);
    assert_string_equal(buffer_text(&buffer), "two");
    buffer_drop_front(&buffer, 3);
    assert_int_equal(buffer.length, 0);
    buffer_free(&buffer);
}

static void clearing_keeps_the_memory(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    buffer_append_text(&buffer, "something");
    char *bytes = buffer.bytes;
    buffer_clear(&buffer);
    assert_ptr_equal(buffer.bytes, bytes);
    assert_string_equal(buffer_text(&buffer), "");
    buffer_free(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_zeroed_buffer_is_empty_and_may_be_freed),
        cmocka_unit_test(what_is_appended_stands_behind_the_rest),
        cmocka_unit_test(ten_thousand_bytes_come_one_by_one),
        cmocka_unit_test(the_front_is_dropped),
        cmocka_unit_test(clearing_keeps_the_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
