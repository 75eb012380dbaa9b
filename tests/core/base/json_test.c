/* JSON in and out. */
#include "base/json.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"

static int parse(struct json **json, const char *text)
{
    return json_parse(json, text, strlen(text));
}

static void members_are_found_by_name(void **state)
{
    (void)state;
    struct json *json;
    assert_int_equal(
        parse(&json, " {\"a\":\"x\",\"n\":-7,\"t\":true,\"o\":{\"b\":[1,\"two\"]}} \n"),
        0);
    assert_string_equal(json_text(json, "a"), "x");
    assert_null(json_text(json, "n"));
    assert_null(json_text(json, "A"));
    assert_int_equal(json_number(json, "n", 3), -7);
    assert_int_equal(json_number(json, "a", 3), 3);
    assert_true(json_true(json, "t") && !json_true(json, "a"));
    const struct json *list = json_get(json_get(json, "o"), "b");
    assert_true(json_is_array(list) && json_is_object(json));
    assert_string_equal(json_value(json_next(json_first(list))), "two");
    assert_null(json_next(json_next(json_first(list))));
    assert_string_equal(json_name(json_first(json)), "a");
    json_free(json);
}

static void what_is_absent_chains_to_nothing(void **state)
{
    (void)state;
    assert_null(json_get(json_get(NULL, "a"), "b"));
    assert_null(json_text(NULL, "a"));
    assert_null(json_first(NULL));
    assert_int_equal(json_number(NULL, "a", 5), 5);
    assert_false(json_is_object(NULL));
    json_free(NULL);
}

static void what_is_not_one_whole_text_is_refused(void **state)
{
    (void)state;
    static const char *const BAD[] = {"",      "{",      "{}x",     "{\"a\":}", "[1,]",
                                      "{} {}", "\"open", "{'a':1}", "nul",      "[1 2]"};
    struct json *json;
    for (size_t i = 0; i < countof(BAD); i++)
        assert_int_equal(parse(&json, BAD[i]), -EPROTO);
    assert_int_equal(json_parse(&json, "{}\0", 3), -EPROTO);
}

static void depth_is_bounded(void **state)
{
    (void)state;
    struct json *json;
    char text[2 * (JSON_DEPTH_MAX + 1) + 1];
    for (int depth = JSON_DEPTH_MAX; depth <= JSON_DEPTH_MAX + 1; depth++) {
        memset(text, '[', (size_t)depth);
        memset(text + depth, ']', (size_t)depth);
        int err = json_parse(&json, text, 2 * (size_t)depth);
        assert_int_equal(err, depth <= JSON_DEPTH_MAX ? 0 : -EPROTO);
        if (!err)
            json_free(json);
    }
    assert_int_equal(parse(&json, "\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[\""),
                     0);
    json_free(json);
}

static void whole_numbers_of_64_bits_are_exact(void **state)
{
    (void)state;
    struct json *json;
    assert_int_equal(parse(&json, "{\"t\":\"1234567890123456789\",\"a\":9007199254740993,"
                                  "\"x\":[-1,{\"y\":1e17}],\"b\":9223372036854775807,"
                                  "\"c\":-9223372036854775808,\"d\":7}"),
                     0);
    assert_true(json_number(json, "a", -1) == 9007199254740993);
    assert_true(json_number(json, "b", -1) == INT64_MAX);
    assert_true(json_number(json, "c", -1) == INT64_MIN);
    assert_int_equal(json_number(json, "d", -1), 7);
    assert_null(json_value(json_get(json, "a")));
    assert_string_equal(json_text(json, "t"), "1234567890123456789");
    json_free(json);
}

static void other_numbers_are_not_taken(void **state)
{
    (void)state;
    struct json *json;
    assert_int_equal(parse(&json, "{\"a\":9223372036854775808,\"b\":1e300,\"c\":-1e300,"
                                  "\"d\":-99999999999999999999}"),
                     0);
    assert_int_equal(json_number(json, "a", -1), -1);
    assert_int_equal(json_number(json, "b", -1), -1);
    assert_int_equal(json_number(json, "c", -1), -1);
    assert_int_equal(json_number(json, "d", -1), -1);
    json_free(json);
}

static void digits_are_printed_as_they_were(void **state)
{
    static const char TEXT[] =
        "{\"a\":9007199254740993,\"b\":[123456789012345678901234567890,"
        "-9007199254740995,0],\"c\":4294967291}";
    struct buffer out = {0};
    struct json *json;
    (void)state;
    assert_int_equal(parse(&json, TEXT), 0);
    json_print(&out, json);
    assert_string_equal(buffer_text(&out), TEXT);
    buffer_free(&out);
    json_free(json);
}

static void expect_put(const char *bytes, size_t length, const char *expected)
{
    struct buffer out = {0};
    json_put_bytes(&out, bytes, length);
    assert_string_equal(buffer_text(&out), expected);
    buffer_free(&out);
}

static void texts_are_escaped(void **state)
{
    (void)state;
    expect_put("a\"\\\n\t\1", 6, "\"a\\\"\\\\\\n\\u0009\\u0001\"");
    expect_put("\0", 1, "\"\\u0000\"");
    expect_put("\xe6\x89\x80\xf0\x9f\x8f\x9b", 7, "\"\xe6\x89\x80\xf0\x9f\x8f\x9b\"");
}

static void bytes_that_are_not_utf_8_are_replaced(void **state)
{
    (void)state;
    expect_put("a\xff z", 4, "\"a\xef\xbf\xbd z\"");
    expect_put("\xc0\x80", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\"");
    expect_put("\xed\xa0\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
    expect_put("\xe6\x89", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\"");
}

static void a_tree_is_printed_without_spaces(void **state)
{
    (void)state;
    struct json *json;
    struct buffer out = {0};
    assert_int_equal(parse(&json, "{ \"a\" : [ 1 , null ] }"), 0);
    json_print(&out, json);
    assert_string_equal(buffer_text(&out), "{\"a\":[1,null]}");
    buffer_free(&out);
    json_free(json);
}

static void one_value_is_one_text_when_it_is_sorted(void **state)
{
    static const char *const SAME[] = {
        "{\"b\":[3,{\"z\":1,\"y\":{}}],\"a\":{\"d\":null,\"c\":\"x\"}}",
        "{\"a\":{\"c\":\"x\",\"d\":null},\"b\":[3,{\"y\":{},\"z\":1}]}"};
    (void)state;
    for (size_t i = 0; i < countof(SAME); i++) {
        struct json *json;
        struct buffer out = {0};
        assert_int_equal(parse(&json, SAME[i]), 0);
        json_print_sorted(&out, json);
        assert_string_equal(buffer_text(&out), SAME[1]);
        buffer_free(&out);
        json_free(json);
    }
}

/* Texts are looked at eight bytes at a time: each byte at each place of them. */
static void every_byte_is_judged_wherever_it_stands(void **state)
{
    (void)state;
    for (int place = 1; place <= 24; place++)
        for (int byte = 1; byte < 256; byte++) {
            char text[32] = "[\"aaaaaaaaaaaaaaaaaaaaaaaa\"]";
            struct json *json = NULL;
            text[1 + place] = (char)byte;
            bool good = byte >= ' ' && byte < 0x80 && byte != '"' && byte != '\\';
            int err = json_parse(&json, text, strlen(text));
            if ((err == 0) != good)
                fail_msg("byte %d at %d: %d", byte, place, err);
            if (err == 0)
                json_free(json);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_is_judged_wherever_it_stands),
        cmocka_unit_test(members_are_found_by_name),
        cmocka_unit_test(what_is_absent_chains_to_nothing),
        cmocka_unit_test(what_is_not_one_whole_text_is_refused),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(whole_numbers_of_64_bits_are_exact),
        cmocka_unit_test(other_numbers_are_not_taken),
        cmocka_unit_test(digits_are_printed_as_they_were),
        cmocka_unit_test(texts_are_escaped),
        cmocka_unit_test(bytes_that_are_not_utf_8_are_replaced),
        cmocka_unit_test(a_tree_is_printed_without_spaces),
        cmocka_unit_test(one_value_is_one_text_when_it_is_sorted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
