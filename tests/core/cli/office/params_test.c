/* KEY=VALUE words as JSON. */
#include "cli/office/params.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"

/* The object of up to three words, or why there is none. */
static const char *read_words(const char *one, const char *two, const char *three)
{
    static char text[400];
    char words[3][100];
    char *list[3] = {words[0], words[1], words[2]};
    const char *const given[] = {one, two, three};
    struct buffer json = {0}, why = {0};
    int count = 0;
    for (; count < 3 && given[count] != NULL; count++)
        strcpy(words[count], given[count]);
    int err = params_read(&json, list, count, &why);
    assert_int_equal(err, why.length > 0 ? -EINVAL : 0);
    strcpy(text, err ? buffer_text(&why) : buffer_text(&json));
    buffer_free(&json);
    buffer_free(&why);
    return text;
}

static void a_value_is_json_when_it_is_and_else_a_text(void **state)
{
    static const char *const CASES[][2] = {
        {"a=7", "{\"a\":7}"},
        {"a=-1.5", "{\"a\":-1.5}"},
        {"a=true", "{\"a\":true}"},
        {"a=null", "{\"a\":null}"},
        {"a=\"7\"", "{\"a\":\"7\"}"},
        {"a=[1,2]", "{\"a\":[1,2]}"},
        {"a=hello", "{\"a\":\"hello\"}"},
        {"a=", "{\"a\":\"\"}"},
        {"a=b=c", "{\"a\":\"b=c\"}"},
        {"a=007", "{\"a\":\"007\"}"},
        {"a=say \"hi\"", "{\"a\":\"say \\\"hi\\\"\"}"},
        {"a={\"b\":1},\"c\":2", "{\"a\":\"{\\\"b\\\":1},\\\"c\\\":2\"}"},
        {"say \"a\"=1", "{\"say \\\"a\\\"\":1}"},
    };
    (void)state;
    for (size_t i = 0; i < countof(CASES); i++)
        assert_string_equal(read_words(CASES[i][0], NULL, NULL), CASES[i][1]);
}

static void words_are_one_object_in_their_order(void **state)
{
    (void)state;
    assert_string_equal(read_words(NULL, NULL, NULL), "{}");
    assert_string_equal(read_words("b=1", "a=x", "ab=2"),
                        "{\"b\":1,\"a\":\"x\",\"ab\":2}");
}

static void what_is_no_pair_or_comes_twice_is_named(void **state)
{
    (void)state;
    assert_string_equal(read_words("a", NULL, NULL), "expected KEY=VALUE, got \"a\"");
    assert_string_equal(read_words("=1", NULL, NULL), "expected KEY=VALUE, got \"=1\"");
    assert_string_equal(read_words("a=1", "b=1", "a=2"),
                        "expected each key once, got \"a\" again");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_json_when_it_is_and_else_a_text),
        cmocka_unit_test(words_are_one_object_in_their_order),
        cmocka_unit_test(what_is_no_pair_or_comes_twice_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
