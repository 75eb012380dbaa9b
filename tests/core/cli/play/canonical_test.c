/* JSON in one order, and the first difference of two values. */
#include "cli/play/canonical.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void check_print(const char *text, const char *expected)
{
    struct json *json;
    struct buffer out = {0};
    assert_int_equal(json_parse(&json, text, strlen(text)), 0);
    canonical_print(&out, json);
    assert_string_equal(buffer_text(&out), expected);
    buffer_free(&out);
    json_free(json);
}

static void members_stand_in_the_order_of_their_names(void **state)
{
    (void)state;
    check_print("{\"b\":1,\"a\":{\"d\":[{\"z\":1,\"y\":2},[]],\"c\":null}}",
                "{\"a\":{\"c\":null,\"d\":[{\"y\":2,\"z\":1},[]]},\"b\":1}");
    check_print("{}", "{}");
    check_print("[1,\"x\",true]", "[1,\"x\",true]");
}

static void check_compare(const char *is, const char *was, const char *expected)
{
    struct buffer out = {0};
    canonical_compare(&out, is, was);
    assert_string_equal(buffer_text(&out), expected);
    buffer_free(&out);
}

static void the_first_difference_is_named_by_its_path(void **state)
{
    (void)state;
    check_compare("{\"a\":1,\"b\":3}", "{\"a\":1,\"b\":5}", "b: 3, was 5");
    check_compare("{\"a\":{\"b\":[1,2,3]}}", "{\"a\":{\"b\":[1,4,3]}}",
                  "a.b[2]: 2, was 4");
    check_compare("{\"a\":[1]}", "{\"a\":[1,2]}", "a[2]: nothing, was 2");
    check_compare("{\"a\":1,\"b\":2}", "{\"a\":1}", "b: 2, was nothing");
    check_compare("{\"a\":1}", "{\"a\":1,\"b\":2}", "b: nothing, was 2");
    check_compare("1", "2", "value: 1, was 2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_stand_in_the_order_of_their_names),
        cmocka_unit_test(the_first_difference_is_named_by_its_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
