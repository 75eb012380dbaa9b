/* What START tells the courier. */
#include "courier/settings.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"
#include "base/buffer.h"

#define NAMES                                                                            \
    "\"office\":\"350105-003\",\"log\":\"9c41e07a\",\"timezone\":\"Asia/Shanghai\""
#define URLS "\"url\":\"https://c:8443/files/\",\"receipts\":\"https://c:8443/receipts/\""

static int read_text(struct settings *settings, const char *text, char *why)
{
    return settings_read(settings, text, strlen(text), why);
}

static void good_settings_are_read(void **state)
{
    (void)state;
    struct settings settings;
    char why[SETTINGS_WHY_ROOM];
    assert_int_equal(
        read_text(&settings,
                  "{" NAMES ",\"floor_us\":7,\"courier\":{" URLS ",\"ca\":\"/ca.pem\","
                  "\"hours\":[{\"from\":1320,\"until\":360,\"rate\":4000000}]}}",
                  why),
        0);
    assert_string_equal(settings.url, "https://c:8443/files/");
    assert_string_equal(settings.ca, "/ca.pem");
    assert_null(settings.cert);
    assert_int_equal(settings.floor_us, 7);
    assert_int_equal(settings.hours.count, 1);
    assert_int_equal(settings.hours.ranges[0].rate, 500000);
    settings_free(&settings);
}

static void each_fault_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *named;
    } BAD[] = {
        {"", "JSON"},
        {"{\"log\":\"9\",\"courier\":{" URLS "}}", "office"},
        {"{\"office\":\"a b\",\"log\":\"9\",\"courier\":{" URLS "}}", "office"},
        {"{\"office\":\"a\",\"courier\":{" URLS "}}", "log"},
        {"{" NAMES "}", "url"},
        {"{" NAMES ",\"courier\":{\"url\":\"http://c/\",\"receipts\":\"https://c/\"}}",
         "url"},
        {"{" NAMES ",\"courier\":{\"url\":\"https://c/x\",\"receipts\":\"https://c/\"}}",
         "url"},
        {"{" NAMES ",\"courier\":{\"url\":\"https://c/x/\"}}", "receipts"},
        {"{" NAMES ",\"courier\":{" URLS ",\"hours\":[{\"from\":1440,\"until\":1}]}}",
         "hours"},
        {"{" NAMES ",\"courier\":{" URLS ",\"hours\":[{\"from\":5,\"until\":5}]}}",
         "hours"},
        {"{" NAMES ",\"courier\":{" URLS ",\"hours\":[{\"from\":5,\"until\":1441}]}}",
         "hours"},
    };
    struct settings settings;
    char why[SETTINGS_WHY_ROOM];
    for (size_t i = 0; i < countof(BAD); i++) {
        assert_int_equal(read_text(&settings, BAD[i].text, why), -EPROTO);
        assert_non_null(strstr(why, BAD[i].named));
        settings_free(&settings);
    }
}

static void there_are_so_many_hours_and_no_more(void **state)
{
    (void)state;
    struct settings settings;
    char why[SETTINGS_WHY_ROOM];
    for (int count = HOURS_MAX; count <= HOURS_MAX + 1; count++) {
        struct buffer text = {0};
        buffer_append_text(&text, "{" NAMES ",\"courier\":{" URLS ",\"hours\":[");
        for (int i = 0; i < count; i++)
            buffer_printf(&text, "%s{\"from\":1,\"until\":2}", i > 0 ? "," : "");
        buffer_append_text(&text, "]}}");
        assert_int_equal(read_text(&settings, buffer_text(&text), why),
                         count > HOURS_MAX ? -EPROTO : 0);
        settings_free(&settings);
        buffer_free(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_settings_are_read),
        cmocka_unit_test(each_fault_is_named),
        cmocka_unit_test(there_are_so_many_hours_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
