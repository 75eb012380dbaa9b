/* What the keeper says at START, and what is said of an office with it. */
#include "uplink/settings.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"

static int read(struct settings *settings, const char *json, char why[SETTINGS_WHY_ROOM])
{
    return settings_read(settings, json, strlen(json), why);
}

static void a_start_is_read(void **state)
{
    struct settings settings;
    char why[SETTINGS_WHY_ROOM];
    (void)state;
    assert_int_equal(
        read(&settings,
             "{\"office\":\"350105-003\",\"log\":\"9c41e07a\",\"boot\":\"b\",\"size\":7,"
             "\"city\":{\"url\":\"mqtts://city.example\",\"ca\":\"/ca.pem\","
             "\"bandwidth\":512000},"
             "\"verifier_office\":\"v\"}",
             why),
        0);
    assert_string_equal(settings.topics.lane[LANE_ALARM],
                        "outpost/v1/350105-003/up/alarm");
    assert_string_equal(settings.topics.receipt, "outpost/v1/350105-003/down/receipt");
    assert_string_equal(settings.client[0], "350105-003-alarm");
    assert_string_equal(settings.client[1], "350105-003-bulk");
    assert_string_equal(settings.broker.host, "city.example");
    assert_int_equal(settings.broker.port, 8883);
    assert_string_equal(settings.ca, "/ca.pem");
    assert_int_equal(settings.size, 7);
    assert_int_equal(settings.bandwidth, 512000);
    settings_free(&settings);
}

static void the_bulk_connection_may_have_a_certificate_of_its_own(void **state)
{
    struct settings settings;
    char why[SETTINGS_WHY_ROOM];
    static const char START[] =
        "{\"office\":\"a\",\"log\":\"b\",\"floor_us\":1795230245123456,\"city\":{\"url\":"
        "\"mqtts://x\",\"cert\":\"/alarm.pem\",\"key\":\"/alarm.key\"%s}}";
    char json[400];
    (void)state;
    snprintf(json, sizeof(json), START, "");
    assert_int_equal(read(&settings, json, why), 0);
    assert_true(settings.floor_us == 1795230245123456);
    assert_string_equal(settings.cert[0], "/alarm.pem");
    assert_string_equal(settings.cert[1], "/alarm.pem");
    assert_string_equal(settings.key[1], "/alarm.key");
    settings_free(&settings);
    snprintf(json, sizeof(json), START,
             ",\"bulk_cert\":\"/bulk.pem\",\"bulk_key\":\"/bulk.key\"");
    assert_int_equal(read(&settings, json, why), 0);
    assert_string_equal(settings.cert[0], "/alarm.pem");
    assert_string_equal(settings.cert[1], "/bulk.pem");
    assert_string_equal(settings.key[1], "/bulk.key");
    settings_free(&settings);
}

static void what_is_wrong_is_named(void **state)
{
    static const struct {
        const char *json, *named;
    } WRONG[] = {
        {"", "JSON"},
        {"[]", "office"},
        {"{\"office\":\"../x\",\"log\":\"1\"}", "office"},
        {"{\"office\":\"a\",\"log\":\"a/b\"}", "log"},
        {"{\"office\":\"a\",\"log\":\"b\",\"city\":{\"url\":\"http://x\"}}", "http://x"},
        {"{\"office\":\"a\",\"log\":\"b\",\"city\":{\"url\":\"mqtt://"
         "x\",\"bandwidth\":15999}}",
         "bandwidth"},
        {"{\"office\":\"a\",\"log\":\"b\",\"city\":{\"url\":\"mqtt://"
         "x\",\"bandwidth\":1000000001}}",
         "bandwidth"},
        {"{\"office\":\"a\",\"log\":\"b\",\"city\":{\"url\":\"mqtt://"
         "x\",\"bandwidth\":\"1\"}}",
         "bandwidth"},
        {"{\"office\":\"a\",\"log\":\"b\",\"city\":{\"url\":\"mqtt://"
         "x\",\"password_file\":\"/no/"
         "such\"}}",
         "password_file"},
    };
    (void)state;
    for (size_t i = 0; i < countof(WRONG); i++) {
        struct settings settings;
        char why[SETTINGS_WHY_ROOM];
        assert_int_equal(read(&settings, WRONG[i].json, why), -EPROTO);
        assert_non_null(strstr(why, WRONG[i].named));
        settings_free(&settings);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_start_is_read),
        cmocka_unit_test(the_bulk_connection_may_have_a_certificate_of_its_own),
        cmocka_unit_test(what_is_wrong_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
