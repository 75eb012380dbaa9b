/* The grammar of RFC 8259: every rule followed, and every rule broken. */
#include "base/strict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"

static bool is_json(const char *text)
{
    return strict_is_json(text, strlen(text), STRICT_DEPTH_MAX);
}

static void what_rfc_8259_spells_is_accepted(void **state)
{
    (void)state;
    static const char *const GOOD[] = {
        "{}",
        "[]",
        "\"\"",
        "0",
        "-0",
        "-12.50e+07",
        "1E5",
        "true",
        " [ false , null ] ",
        "{\"a\":{\"b\":[1,{\"c\":[]}]},\"d\":\"x\"}",
        "\t\r\n{\"a\" : \"\\\" \\\\ \\/ \\b\\f\\n\\r\\t \\u6240\\uD83C\\udfdb\"}\n",
        "[\"\xe6\x89\x80\xf0\x9f\x8f\x9b\"]",
        "[[],{}]",
        "{\"\":\"\"}"};
    for (size_t i = 0; i < countof(GOOD); i++)
        if (!is_json(GOOD[i]))
            fail_msg("refused: %s", GOOD[i]);
}

static void refuse_all(const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (is_json(texts[i]))
            fail_msg("accepted: %s", texts[i]);
}

static void what_stands_in_the_wrong_place_is_refused(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "",           " ",         "{",     "}",           "]",
        "[",          "{]",        "[}",    "[1,]",        "[,1]",
        "[1 2]",      "[1,,2]",    "{,}",   "{\"a\"}",     "{\"a\":}",
        "{\"a\":1,}", "{\"a\" 1}", "{1:2}", "{a:1}",       "{\"a\":1 \"b\":2}",
        "{} {}",      "{}x",       "[1:2]", "{\"a\":1:2}", "[\"a\":1]",
        "1,2"};
    refuse_all(BAD, countof(BAD));
    assert_false(strict_is_json("{}\0", 3, STRICT_DEPTH_MAX));
}

static void what_is_spelled_otherwise_is_refused(void **state)
{
    (void)state;
    static const char *const BAD[] = {"\"a",
                                      "'a'",
                                      "01",
                                      "-",
                                      "+1",
                                      ".5",
                                      "1.",
                                      "1e",
                                      "1e+",
                                      "0x1",
                                      "NaN",
                                      "Infinity",
                                      "-Infinity",
                                      "tru",
                                      "True",
                                      "nul",
                                      "truefalse",
                                      "/**/1",
                                      "\"\n\"",
                                      "\"\\x\"",
                                      "\"\\\"",
                                      "\"\\u12\"",
                                      "\"\\u12g4\"",
                                      "\"\\ud800\"",
                                      "\"\\udc00\"",
                                      "\"\\ud800\\ud800\"",
                                      "\"\xff\"",
                                      "\"\xc0\x80\"",
                                      "\"\xed\xa0\x80\"",
                                      "\xef\xbb\xbf{}"};
    refuse_all(BAD, countof(BAD));
    assert_false(strict_is_json("\"\\\0\"", 4, STRICT_DEPTH_MAX));
}

/* Read from a buffer that ends there, so that a sanitizer sees a step beyond. */
static void a_text_that_was_cut_is_refused_and_not_read_beyond(void **state)
{
    (void)state;
    static const char TEXT[] = "{\"a\":[-1.5e+3,\"\\ud83c\\udfdb\xe6\x89\x80\",true]}";
    for (size_t length = 0; length < sizeof(TEXT) - 1; length++) {
        char cut[sizeof(TEXT)];
        memcpy(cut, TEXT, length);
        memset(cut + length, 'u', sizeof(cut) - length);
        assert_false(strict_is_json(cut, length, STRICT_DEPTH_MAX));
    }
    assert_true(is_json(TEXT));
}

static void depth_is_counted_in_levels(void **state)
{
    (void)state;
    char text[2 * STRICT_DEPTH_MAX + 3];
    for (int depth = 1; depth <= STRICT_DEPTH_MAX + 1; depth++) {
        memset(text, '[', (size_t)depth);
        memset(text + depth, ']', (size_t)depth);
        assert_int_equal(strict_is_json(text, 2 * (size_t)depth, STRICT_DEPTH_MAX),
                         depth <= STRICT_DEPTH_MAX);
        assert_int_equal(strict_is_json(text, 2 * (size_t)depth, 7), depth <= 7);
    }
}

static void a_number_has_at_most_63_letters(void **state)
{
    (void)state;
    char text[STRICT_NUMBER_MAX + 1];
    memset(text, '7', sizeof(text));
    assert_true(strict_is_json(text, STRICT_NUMBER_MAX, 1));
    assert_false(strict_is_json(text, STRICT_NUMBER_MAX + 1, 1));
}

static void only_an_object_is_one(void **state)
{
    (void)state;
    assert_true(strict_is_object(" {\"a\":1}", 8, 1));
    assert_false(strict_is_object("[{}]", 4, 2));
    assert_false(strict_is_object("{}{}", 4, 2));
    assert_false(strict_is_object("", 0, 2));
    assert_false(strict_is_object("{\"a\":{}}", 8, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_rfc_8259_spells_is_accepted),
        cmocka_unit_test(what_stands_in_the_wrong_place_is_refused),
        cmocka_unit_test(what_is_spelled_otherwise_is_refused),
        cmocka_unit_test(a_text_that_was_cut_is_refused_and_not_read_beyond),
        cmocka_unit_test(depth_is_counted_in_levels),
        cmocka_unit_test(a_number_has_at_most_63_letters),
        cmocka_unit_test(only_an_object_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
