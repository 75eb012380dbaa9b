/* Words of a note: one value, one spelling. */
#include "proof/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"

static struct text text_of(const char *bytes)
{
    return (struct text){bytes, strlen(bytes)};
}

static void lines_end_with_a_newline(void **state)
{
    (void)state;
    struct text text = text_of("one\n\ntwo"), line;
    assert_true(text_take_line(&text, &line));
    assert_int_equal(line.length, 3);
    assert_true(text_take_line(&text, &line));
    assert_int_equal(line.length, 0);
    assert_false(text_take_line(&text, &line));
    assert_int_equal(text.length, 3);
}

static void a_prefix_is_stepped_over_or_not_at_all(void **state)
{
    (void)state;
    struct text text = text_of("lane alarm");
    assert_false(text_skip(&text, "lane record"));
    assert_int_equal(text.length, 10);
    assert_true(text_skip(&text, "lane "));
    assert_memory_equal(text.bytes, "alarm", 5);
}

static void numbers_have_no_spare_digits(void **state)
{
    (void)state;
    static const char *const BAD[] = {"",
                                      "01",
                                      "00",
                                      "+1",
                                      "-1",
                                      " 1",
                                      "1 ",
                                      "1x",
                                      "18446744073709551616",
                                      "99999999999999999999999"};
    uint64_t number;
    for (size_t i = 0; i < countof(BAD); i++) {
        struct text text = text_of(BAD[i]);
        assert_false(text_is_number(&text, &number));
    }
    struct text most = text_of("18446744073709551615"), none = text_of("0");
    assert_true(text_is_number(&most, &number) && number == UINT64_MAX);
    assert_true(text_is_number(&none, &number) && number == 0);
}

static void a_copy_fits_or_fails(void **state)
{
    (void)state;
    char copy[4];
    struct text fits = text_of("abc"), longer = text_of("abcd"), nul = {"a\0b", 3};
    assert_true(text_copy(&fits, copy, sizeof(copy)));
    assert_string_equal(copy, "abc");
    assert_false(text_copy(&longer, copy, sizeof(copy)));
    assert_false(text_copy(&nul, copy, sizeof(copy)));
}

static void a_digest_has_thirty_two_bytes(void **state)
{
    (void)state;
    struct digest digest;
    struct text good = text_of("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    struct text few = text_of("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hS");
    assert_true(text_is_digest(&good, &digest));
    assert_int_equal(digest.bytes[0], 0xe3);
    assert_false(text_is_digest(&few, &digest));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_end_with_a_newline),
        cmocka_unit_test(a_prefix_is_stepped_over_or_not_at_all),
        cmocka_unit_test(numbers_have_no_spare_digits),
        cmocka_unit_test(a_copy_fits_or_fails),
        cmocka_unit_test(a_digest_has_thirty_two_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
