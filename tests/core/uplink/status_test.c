#include "uplink/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "base/json.h"

static struct settings settings = {.office = (char *)"o",
                                   .log = (char *)"l",
                                   .boot = (char *)"b",
                                   .version = (char *)"0.1.0",
                                   .verifier = (char *)"outpost/o+1+x"};

static void a_status_is_json_with_key_head_and_marks(void **state)
{
    struct status status = {
        .online = true, .size = 8, .root = "cm9vdA==", .synced = {-1, 5, 7}};
    struct buffer text = {0};
    struct json *json;
    (void)state;
    status_print(&text, &settings, &status);
    assert_int_equal(json_parse(&json, text.bytes, text.length), 0);
    assert_string_equal(json_text(json, "state"), "online");
    assert_string_equal(json_text(json, "verifier"), "outpost/o+1+x");
    assert_string_equal(json_text(json, "root"), "cm9vdA==");
    assert_int_equal(json_number(json, "size", 0), 8);
    assert_int_equal(json_number(json_get(json, "synced"), "alarm", 0), -1);
    assert_int_equal(json_number(json_get(json, "synced"), "telemetry", 0), 7);
    json_free(json);
    buffer_free(&text);
}

static void health_says_how_it_goes(void **state)
{
    struct settings with = settings;
    struct status status = {.online = true, .synced = {1, 5, 7}};
    struct buffer text = {0};
    struct json *json;
    (void)state;
    assert_int_equal(broker_read(&with.broker, "mqtt://city.example"), 0);
    with.bandwidth = 512000;
    status_print_health(&text, &with, &status, 9, "a \"b\"");
    assert_int_equal(json_parse(&json, text.bytes, text.length), 0);
    assert_true(json_true(json, "connected"));
    assert_non_null(strstr(json_text(json, "broker"), "city.example"));
    assert_int_equal(json_number(json, "bandwidth", 0), 512000);
    assert_int_equal(json_number(json, "sent", 0), 9);
    assert_int_equal(json_number(json_get(json, "synced"), "record", 0), 5);
    assert_string_equal(json_text(json, "last_error"), "a \"b\"");
    json_free(json);
    buffer_free(&text);
}

static void the_will_says_whose_and_which_boot(void **state)
{
    struct buffer text = {0};
    (void)state;
    status_print_will(&text, &settings);
    assert_string_equal(
        buffer_text(&text),
        "{\"state\":\"offline\",\"office\":\"o\",\"boot\":\"b\",\"log\":\"l\"}");
    buffer_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_status_is_json_with_key_head_and_marks),
        cmocka_unit_test(health_says_how_it_goes),
        cmocka_unit_test(the_will_says_whose_and_which_boot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
