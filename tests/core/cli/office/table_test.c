/* JSON for people. */
#include "cli/office/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"

static void expect(const char *json, const char *wanted)
{
    struct json *value;
    struct buffer out = {0};
    assert_int_equal(json_parse(&value, json, strlen(json)), 0);
    table_print(&out, value);
    assert_string_equal(buffer_text(&out), wanted);
    buffer_free(&out);
    json_free(value);
}

static void an_array_of_objects_is_a_table(void **state)
{
    (void)state;
    expect("[{\"n\":1,\"name\":\"a\"},{\"name\":\"long\",\"on\":true}]",
           "n  name  on\n"
           "1  a\n"
           "   long  true\n");
}

static void letters_of_double_width_keep_the_columns_straight(void **state)
{
    (void)state;
    expect("[{\"a\":\"\xe6\x89\x8b\xe7\x8e\xaf\",\"b\":1},{\"a\":\"\xc3\xa9t\",\"b\":2}]",
           "a     b\n"
           "\xe6\x89\x8b\xe7\x8e\xaf  1\n"
           "\xc3\xa9t    2\n");
}

static void an_object_is_a_line_for_each_member(void **state)
{
    (void)state;
    expect("{\"total\":6,\"at\":\"now\",\"none\":null,\"in\":{\"x\":[1]}}",
           "at     now\n"
           "in     {\"x\":[1]}\n"
           "none\n"
           "total  6\n");
}

static void anything_else_is_a_line(void **state)
{
    (void)state;
    expect("\"zhang\"", "zhang\n");
    expect("12", "12\n");
    expect("[1,{\"a\":2},\"c\"]", "1\n{\"a\":2}\nc\n");
    expect("[]", "\n");
}

static void what_could_disturb_a_terminal_is_not_shown(void **state)
{
    (void)state;
    expect("\"a\\u001b[2Jb\\u009b1mc\\nd\\u007f\"", "a?[2Jb?1mc?d?\n");
    expect("{\"x\\u001b\":1}", "x?  1\n");
}

static void more_columns_than_fit_are_lines_of_json(void **state)
{
    char json[800] = "[{\"x0\":0}";
    size_t length = strlen(json);
    struct json *value;
    struct buffer out = {0};
    (void)state;
    for (int i = 1; i <= TABLE_COLUMNS_MAX; i++)
        length +=
            (size_t)snprintf(json + length, sizeof(json) - length, ",{\"x%d\":%d}", i, i);
    strcat(json, "]");
    assert_int_equal(json_parse(&value, json, strlen(json)), 0);
    table_print(&out, value);
    assert_memory_equal(out.bytes, "{\"x0\":0}\n{\"x1\":1}\n", 18);
    buffer_free(&out);
    json_free(value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_array_of_objects_is_a_table),
        cmocka_unit_test(letters_of_double_width_keep_the_columns_straight),
        cmocka_unit_test(an_object_is_a_line_for_each_member),
        cmocka_unit_test(anything_else_is_a_line),
        cmocka_unit_test(what_could_disturb_a_terminal_is_not_shown),
        cmocka_unit_test(more_columns_than_fit_are_lines_of_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
