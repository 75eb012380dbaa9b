/* Heads of messages as they come. */
#include "host/web/headers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static struct headers headers;

static void add(const char *line)
{
    headers_add(&headers, line, strlen(line));
}

static int drop(void **state)
{
    (void)state;
    headers_free(&headers);
    headers = (struct headers){0};
    return 0;
}

static void names_are_small_and_values_trimmed(void **state)
{
    (void)state;
    add("Content-Type: text/plain; charset=\"UTF-8\" \r\n");
    add("Content-Length:9\r\n");
    add("X-Empty:\n");
    assert_string_equal(headers_find(&headers, "content-type"),
                        "text/plain; charset=\"UTF-8\"");
    assert_string_equal(headers_find(&headers, "content-length"), "9");
    assert_string_equal(headers_find(&headers, "x-empty"), "");
    assert_null(headers_find(&headers, "Content-Type"));
}

static void what_is_no_header_is_passed_over(void **state)
{
    (void)state;
    add("HTTP/1.1 200 OK\r\n");
    add("\r\n");
    add("");
    add(": no name\r\n");
    add(" folded: line\r\n");
    headers_add(&headers, "a\0b: c", 6);
    assert_int_equal(headers.text.length, 0);
}

static void what_comes_twice_is_there_twice_in_order(void **state)
{
    const char *name, *value;
    size_t at = 0;
    (void)state;
    add("a: 1");
    add("b: 2");
    add("A: 3");
    assert_true(headers_next(&headers, &at, &name, &value));
    assert_string_equal(value, "1");
    assert_true(headers_next(&headers, &at, &name, &value));
    assert_string_equal(name, "b");
    assert_true(headers_next(&headers, &at, &name, &value));
    assert_string_equal(name, "a");
    assert_string_equal(value, "3");
    assert_false(headers_next(&headers, &at, &name, &value));
    headers_clear(&headers);
    assert_null(headers_find(&headers, "a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(names_are_small_and_values_trimmed, drop),
        cmocka_unit_test_teardown(what_is_no_header_is_passed_over, drop),
        cmocka_unit_test_teardown(what_comes_twice_is_there_twice_in_order, drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
