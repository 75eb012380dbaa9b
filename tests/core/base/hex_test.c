/* Hexadecimal, both ways. */
#include "base/hex.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static void bytes_become_lower_case_digits_and_come_back(void **state)
{
    (void)state;
    uint8_t bytes[256], back[256];
    char text[513];
    for (int i = 0; i < 256; i++)
        bytes[i] = (uint8_t)i;
    hex_encode(text, bytes, sizeof(bytes));
    assert_memory_equal(text, "000102", 6);
    assert_string_equal(text + 508, "feff");
    assert_int_equal(hex_decode(back, sizeof(back), text), 0);
    assert_memory_equal(back, bytes, sizeof(bytes));
}

static void either_case_is_read_and_nothing_else(void **state)
{
    (void)state;
    uint8_t bytes[2];
    assert_int_equal(hex_decode(bytes, 2, "aBCd"), 0);
    assert_int_equal(bytes[0], 0xab);
    assert_int_equal(hex_decode(bytes, 2, "abc"), -EINVAL);
    assert_int_equal(hex_decode(bytes, 2, "abcde"), -EINVAL);
    assert_int_equal(hex_decode(bytes, 2, "abcg"), -EINVAL);
    assert_int_equal(hex_decode(bytes, 2, " bcd"), -EINVAL);
    assert_int_equal(hex_decode(bytes, 0, ""), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_become_lower_case_digits_and_come_back),
        cmocka_unit_test(either_case_is_read_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
