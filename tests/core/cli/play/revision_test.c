/* What differs between two versions of an instance before either runs. */
#include "cli/play/revision.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static struct json *parse(const char *text)
{
    struct json *json;
    assert_int_equal(json_parse(&json, text, strlen(text)), 0);
    return json;
}

static void check_settings(const char *is, const char *was, const char *expected)
{
    struct revision revision = {.is = parse(is), .was = parse(was)};
    struct buffer out = {0};
    revision_print_settings(&revision, &out);
    assert_string_equal(buffer_text(&out), expected);
    buffer_free(&out);
    json_free((struct json *)revision.is);
    json_free((struct json *)revision.was);
}

static void each_setting_that_differs_is_told(void **state)
{
    (void)state;
    check_settings("{\"config\":{\"poll\":2,\"same\":[1],\"new\":true}}",
                   "{\"config\":{\"poll\":1,\"same\":[1],\"old\":\"x\"}}",
                   "  poll: 2, was 1\n  new: true, was nothing\n"
                   "  old: nothing, was \"x\"\n");
}

static void what_may_be_a_password_is_not_shown(void **state)
{
    (void)state;
    check_settings("{\"config\":{\"password\":\"a\",\"url\":\"http://u:p@h\"}}",
                   "{\"config\":{\"password\":\"b\",\"url\":\"http://h\"}}",
                   "  password: another one\n  url: another one\n");
    check_settings("{\"config\":{\"camera\":{\"password\":\"a\"}}}",
                   "{\"config\":{\"camera\":{\"password\":\"b\"}}}",
                   "  camera: another one\n");
}

static void a_device_that_somebody_else_reads_now_is_still_read(void **state)
{
    struct revision revision = {
        .was =
            parse("{\"config\":{\"url\":\"tcp://a:1\",\"more\":[\"tcp://u:p@b:2\"]}}")};
    struct json *config = parse("{\"plugins\":[{\"config\":{\"x\":[\"tcp://a:1\"]}}]}");
    struct buffer out = {0};
    (void)state;
    assert_int_equal(revision_print_devices(&revision, config, &out), 1);
    assert_string_equal(buffer_text(&out), "  no longer read: tcp://b:2\n");
    buffer_free(&out);
    json_free(config);
    json_free((struct json *)revision.was);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_setting_that_differs_is_told),
        cmocka_unit_test(what_may_be_a_password_is_not_shown),
        cmocka_unit_test(a_device_that_somebody_else_reads_now_is_still_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
