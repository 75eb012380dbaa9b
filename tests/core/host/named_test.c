/* What a configuration names, wherever in it, and nothing else. */
#include "host/named.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"

static struct named named;

static int read_config(const char *config)
{
    struct buffer start = {0};
    buffer_printf(&start,
                  "{\"plugin\":\"p\",\"folder\":\"/opt/p\",\"lua\":\"/opt/lua\","
                  "\"config\":%s}",
                  config);
    int err = named_read(&named, start.bytes, start.length);
    buffer_free(&start);
    return err;
}

static int drop(void **state)
{
    (void)state;
    named_free(&named);
    return 0;
}

static void its_folders_are_named(void **state)
{
    (void)state;
    assert_int_equal(read_config("{}"), 0);
    assert_string_equal(named.wish.folders[0], "/opt/p");
    assert_string_equal(named.wish.folders[1], "/opt/lua");
    assert_null(named.wish.folders[2]);
    assert_null(named.wish.devices[0]);
    assert_int_equal(named.wish.ports[0], 0);
}

static void ports_of_urls_are_named(void **state)
{
    static const uint16_t PORTS[] = {502, 1502, 80, 8443, 443, 8080, 0};
    (void)state;
    assert_int_equal(
        read_config("{\"a\":\"modbus-tcp://10.0.0.5?unit=1\","
                    "\"b\":[\"modbus-tcp://box:1502\",{\"c\":\"http://h/x:9\"}],"
                    "\"d\":\"https://u:p@[2001:db8::1]:8443/x\",\"e\":\"https://[::1]/\","
                    "\"f\":\"tcp://h:8080\",\"g\":\"tcp://h\",\"h\":\"http://h:99999\","
                    "\"i\":\"modbus-tcp://other\"}"),
        0);
    for (size_t i = 0; i < countof(PORTS); i++)
        assert_int_equal(named.wish.ports[i], PORTS[i]);
}

static void devices_are_named_by_path_and_by_url(void **state)
{
    (void)state;
    assert_int_equal(read_config("{\"a\":\"modbus-rtu:///dev/ttyS1?baud=9600\","
                                 "\"b\":\"/dev/ttyUSB0\",\"c\":\"see /dev/null\"}"),
                     0);
    assert_string_equal(named.wish.devices[0], "/dev/ttyS1");
    assert_string_equal(named.wish.devices[1], "/dev/ttyUSB0");
    assert_null(named.wish.devices[2]);
}

static void more_than_there_is_room_for_is_refused(void **state)
{
    struct buffer config = {0};
    (void)state;
    buffer_append_text(&config, "[\"x\"");
    for (int i = 0; i <= CONFINE_PATHS_MAX; i++)
        buffer_printf(&config, ",\"/dev/tty%d\"", i);
    buffer_append_text(&config, "]");
    assert_int_equal(read_config(buffer_text(&config)), -E2BIG);
    buffer_free(&config);
}

static void what_is_no_start_is_refused(void **state)
{
    (void)state;
    assert_int_equal(named_read(&named, "{}", 2), -EPROTO);
    assert_int_equal(named_read(&named, "{", 1), -EPROTO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(its_folders_are_named, drop),
        cmocka_unit_test_teardown(ports_of_urls_are_named, drop),
        cmocka_unit_test_teardown(devices_are_named_by_path_and_by_url, drop),
        cmocka_unit_test_teardown(more_than_there_is_room_for_is_refused, drop),
        cmocka_unit_test_teardown(what_is_no_start_is_refused, drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
