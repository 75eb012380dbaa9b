/* What a configuration names, wherever in it, and nothing else. */
#include "host/boundary/named.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
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
    assert_null(named.wish.paths[0]);
    assert_int_equal(named.wish.ports[0], 0);
    assert_false(named.wish.resolves || named.wish.udp || named.wish.threads);
    assert_false(named.wish.pairs || named.wish.listens);
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
                    "\"i\":\"modbus-tcp://other\",\"j\":\"see http://h:7777/\"}"),
        0);
    for (size_t i = 0; i < countof(PORTS); i++)
        assert_int_equal(named.wish.ports[i], PORTS[i]);
}

static void names_are_told_from_addresses(void **state)
{
    static const char *const ADDRESSES[] = {
        "tcp://10.0.0.5:9",  "tcp://u:p@10.0.0.5",      "tcp://[2001:db8::1]:9",
        "tcp://0.0.0.0:9/x", "modbus-rtu:///dev/ttyS1", "box:80"};
    static const char *const NAMES[] = {"tcp://box:9", "tcp://u@box",
                                        "http://a.b/10.0.0.5", "tcp://10.0.0.256:9"};
    char config[100];
    (void)state;
    for (size_t i = 0; i < countof(ADDRESSES) + countof(NAMES); i++) {
        bool is_name = i >= countof(ADDRESSES);
        snprintf(config, sizeof(config), "{\"url\":\"%s\"}",
                 is_name ? NAMES[i - countof(ADDRESSES)] : ADDRESSES[i]);
        assert_int_equal(read_config(config), 0);
        assert_int_equal(named.wish.resolves, is_name);
        named_free(&named);
    }
}

static void udp_is_named_by_its_scheme(void **state)
{
    (void)state;
    assert_int_equal(read_config("{\"a\":\"udp://10.0.0.5:161\"}"), 0);
    assert_true(named.wish.udp);
    assert_int_equal(named.wish.ports[0], 0); /* those of TCP */
}

static void ports_of_a_file_servers_data_are_named(void **state)
{
    const struct confine_range *ranges = named.wish.ranges;
    (void)state;
    assert_int_equal(read_config("{\"a\":\"ftp://10.0.0.5?passive=50000-50100\","
                                 "\"b\":\"ftpes://dock:2121?active=40000\","
                                 "\"c\":\"ftp://10.0.0.6?passive=50000-50100\","
                                 "\"d\":\"ftps://10.0.0.7?passive=80-90\","
                                 "\"e\":\"sftp://10.0.0.9\"}"),
                     0);
    assert_int_equal(named.wish.ports[0], 21);
    assert_int_equal(named.wish.ports[1], 2121);
    assert_int_equal(named.wish.ports[2], 990);
    assert_int_equal(named.wish.ports[3], 22);
    assert_true(ranges[0].from == 50000 && ranges[0].until == 50100 &&
                !ranges[0].listens);
    assert_true(ranges[1].from == 40000 && ranges[1].until == 40000 && ranges[1].listens);
    assert_int_equal(ranges[2].from, 0);
    assert_true(named.wish.resolves);
}

static void more_ranges_than_there_is_room_for_are_refused(void **state)
{
    struct buffer config = {0};
    (void)state;
    buffer_append_text(&config, "[\"x\"");
    for (int i = 0; i <= CONFINE_RANGES_MAX; i++)
        buffer_printf(&config, ",\"ftp://h?passive=%d\"", 5000 + i);
    buffer_append_text(&config, "]");
    assert_int_equal(read_config(buffer_text(&config)), -E2BIG);
    buffer_free(&config);
}

static int read_start(const char *needs, const char *url)
{
    char start[300];
    snprintf(start, sizeof(start),
             "{\"folder\":\"/opt/p\",\"lua\":\"/opt/lua\",\"needs\":[\"modbus\",\"%s\"],"
             "\"config\":{\"url\":\"%s\"}}",
             needs, url);
    named_free(&named);
    return named_read(&named, start, strlen(start));
}

static void threads_are_for_who_looks_up_names_for_http_or_ftp(void **state)
{
    (void)state;
    assert_int_equal(read_start("http", "http://box"), 0);
    assert_true(named.wish.threads && named.wish.pairs);
    assert_string_equal(named.wish.folders[2], "/etc/ssl/certs");
    assert_int_equal(read_start("ftp", "ftp://box/x"), 0);
    assert_true(named.wish.threads && named.wish.pairs);
    assert_int_equal(read_start("http", "http://10.0.0.5"), 0);
    assert_true(!named.wish.threads && named.wish.pairs);
    assert_int_equal(read_start("tcp", "tcp://box:1"), 0);
    assert_false(named.wish.threads || named.wish.pairs);
}

static void listening_is_for_who_needs_tcp_or_serve(void **state)
{
    static const char *const OTHERS[] = {"http", "ftp", "udp", "serial", "blob"};
    (void)state;
    assert_int_equal(read_start("tcp", "tcp://0.0.0.0:1"), 0);
    assert_true(named.wish.listens);
    assert_int_equal(read_start("serve", "http://0.0.0.0:1"), 0);
    assert_true(named.wish.listens);
    for (size_t i = 0; i < countof(OTHERS); i++) {
        assert_int_equal(read_start(OTHERS[i], "tcp://0.0.0.0:1"), 0);
        assert_false(named.wish.listens);
    }
}

static void files_and_devices_are_named_by_path_and_by_url(void **state)
{
    (void)state;
    assert_int_equal(
        read_config("{\"a\":\"modbus-rtu:///dev/ttyS1?baud=9600\","
                    "\"b\":\"/dev/serial/by-id/usb-x\",\"c\":\"see /dev/null\","
                    "\"d\":\"/etc/outpost/what?.pem\"}"),
        0);
    assert_string_equal(named.wish.paths[0], "/dev/ttyS1");
    assert_string_equal(named.wish.paths[1], "/dev/serial/by-id/usb-x");
    assert_string_equal(named.wish.paths[2], "/etc/outpost/what?.pem");
    assert_null(named.wish.paths[3]);
}

static void folders_are_for_who_needs_them(void **state)
{
    static const char START[] = "{\"folder\":\"/opt/p\",\"lua\":\"/opt/lua\",\"needs\":"
                                "[\"folder\"],\"config\":{\"url\":\"/mnt/dock\"}}";
    (void)state;
    assert_int_equal(named_read(&named, START, strlen(START)), 0);
    assert_true(named.wish.trees);
    assert_string_equal(named.wish.paths[0], "/mnt/dock");
    named_free(&named);
    assert_int_equal(read_config("{\"url\":\"/mnt/dock\"}"), 0);
    assert_false(named.wish.trees);
}

static void what_only_the_manifest_says_is_no_file(void **state)
{
    static const char START[] =
        "{\"folder\":\"/opt/p\",\"lua\":\"/opt/lua\",\"needs\":[\"folder\"],"
        "\"paths\":[\"/mnt/dock\",\"x:///mnt/line?a\"],\"config\":{\"a\":\"/\","
        "\"b\":\"/etc/shadow\",\"c\":\"/mnt/dock\",\"d\":\"x:///etc/shadow\","
        "\"e\":\"x:///mnt/line?a\",\"f\":\"modbus-rtu:///dev/ttyUSB0?baud=9600\","
        "\"g\":\"/dev/tty/../../etc/shadow\",\"h\":\"/dev/sda\","
        "\"i\":\"/mnt/dock/more\",\"j\":\"/dev/serial/by-id/x\"}}";
    (void)state;
    assert_int_equal(named_read(&named, START, strlen(START)), 0);
    assert_string_equal(named.wish.paths[0], "/mnt/dock");
    assert_string_equal(named.wish.paths[1], "/mnt/line");
    assert_string_equal(named.wish.paths[2], "/dev/ttyUSB0");
    assert_string_equal(named.wish.paths[3], "/dev/serial/by-id/x");
    assert_null(named.wish.paths[4]);
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
        cmocka_unit_test_teardown(folders_are_for_who_needs_them, drop),
        cmocka_unit_test_teardown(ports_of_urls_are_named, drop),
        cmocka_unit_test_teardown(names_are_told_from_addresses, drop),
        cmocka_unit_test_teardown(udp_is_named_by_its_scheme, drop),
        cmocka_unit_test_teardown(ports_of_a_file_servers_data_are_named, drop),
        cmocka_unit_test_teardown(more_ranges_than_there_is_room_for_are_refused, drop),
        cmocka_unit_test_teardown(listening_is_for_who_needs_tcp_or_serve, drop),
        cmocka_unit_test_teardown(threads_are_for_who_looks_up_names_for_http_or_ftp,
                                  drop),
        cmocka_unit_test_teardown(files_and_devices_are_named_by_path_and_by_url, drop),
        cmocka_unit_test_teardown(what_only_the_manifest_says_is_no_file, drop),
        cmocka_unit_test_teardown(more_than_there_is_room_for_is_refused, drop),
        cmocka_unit_test_teardown(what_is_no_start_is_refused, drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
