/* Words: what may name a thing. */
#include "base/word.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"

static char longest[WORD_ID_MAX + 2];

static const char *long_word(size_t length)
{
    memset(longest, 'a', sizeof(longest));
    longest[length] = '\0';
    return longest;
}

static void ids_have_few_letters_and_an_end(void **state)
{
    (void)state;
    static const char *const GOOD[] = {"350105-003", "a", "A.b_c:d-e", "-"};
    static const char *const BAD[] = {"",    ".",   ".a", "a/b",
                                      "a b", "a+b", "a#", "\xe6\x89\x80"};
    for (size_t i = 0; i < countof(GOOD); i++)
        assert_true(word_is_id(GOOD[i]));
    for (size_t i = 0; i < countof(BAD); i++)
        assert_false(word_is_id(BAD[i]));
    assert_true(word_is_id(long_word(WORD_ID_MAX)));
    assert_false(word_is_id(long_word(WORD_ID_MAX + 1)));
}

static void types_have_at_least_two_parts(void **state)
{
    (void)state;
    static const char *const GOOD[] = {"a.b", "wristband.strap_opened", "a.b.c1"};
    static const char *const BAD[] = {"",    "a",     ".a",   "a.", "a..b",
                                      "A.b", "a-b.c", "a.b ", "a.*"};
    for (size_t i = 0; i < countof(GOOD); i++)
        assert_true(word_is_type(GOOD[i]));
    for (size_t i = 0; i < countof(BAD); i++)
        assert_false(word_is_type(BAD[i]));
    char type[WORD_TYPE_MAX + 2];
    memset(type, 'a', sizeof(type));
    type[1] = '.';
    type[WORD_TYPE_MAX + 1] = '\0';
    assert_false(word_is_type(type));
    type[WORD_TYPE_MAX] = '\0';
    assert_true(word_is_type(type));
}

static void subjects_are_the_office_or_two_or_three_ids(void **state)
{
    (void)state;
    static const char *const GOOD[] = {"office", "person/3501050012",
                                       "device/band/B-0193"};
    static const char *const BAD[] = {"",        "person", "person/", "/x",
                                      "a/b/c/d", "a//b",   "a b/c"};
    for (size_t i = 0; i < countof(GOOD); i++)
        assert_true(word_is_subject(GOOD[i]));
    for (size_t i = 0; i < countof(BAD); i++)
        assert_false(word_is_subject(BAD[i]));
}

static void patterns_name_one_type_or_all_that_begin_so(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *type;
        bool matches;
    } CASES[] = {
        {"*", "a.b", true},      {"a.*", "a.b", true}, {"a.*", "a.b.c", true},
        {"a.*", "ab.c", false},  {"a.b", "a.b", true}, {"a.b", "a.bc", false},
        {"a.b.*", "a.b", false},
    };
    for (size_t i = 0; i < countof(CASES); i++)
        assert_int_equal(word_matches(CASES[i].pattern, CASES[i].type), CASES[i].matches);
}

static void patterns_are_types_or_end_with_a_star(void **state)
{
    (void)state;
    static const char *const GOOD[] = {"*", "a.b", "a.*", "a.b.*"};
    static const char *const BAD[] = {"",   "a",    "a*",  "**",  "a.*.b",
                                      ".*", ".a.*", "A.*", "a.* "};
    for (size_t i = 0; i < countof(GOOD); i++)
        assert_true(word_is_pattern(GOOD[i]));
    for (size_t i = 0; i < countof(BAD); i++)
        assert_false(word_is_pattern(BAD[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_have_few_letters_and_an_end),
        cmocka_unit_test(types_have_at_least_two_parts),
        cmocka_unit_test(subjects_are_the_office_or_two_or_three_ids),
        cmocka_unit_test(patterns_name_one_type_or_all_that_begin_so),
        cmocka_unit_test(patterns_are_types_or_end_with_a_star),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
