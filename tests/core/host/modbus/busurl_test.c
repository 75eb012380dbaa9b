#include "host/modbus/busurl.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"

static struct busurl parsed(const char *text)
{
    struct busurl url;
    char why[200] = "";
    assert_int_equal(busurl_parse(&url, text, why, sizeof(why)), 0);
    return url;
}

static void a_tcp_address_has_defaults(void **state)
{
    (void)state;
    struct busurl url = parsed("modbus-tcp://192.168.1.50");
    assert_true(url.tcp);
    assert_string_equal(url.place, "192.168.1.50");
    assert_string_equal(url.port, "502");
    assert_int_equal(url.unit, 1);
}

static void port_and_unit_are_read(void **state)
{
    (void)state;
    struct busurl url = parsed("modbus-tcp://station.local:1502?unit=17");
    assert_string_equal(url.place, "station.local");
    assert_string_equal(url.port, "1502");
    assert_int_equal(url.unit, 17);
    url = parsed("modbus-tcp://[fe80::1]:503");
    assert_string_equal(url.place, "fe80::1");
    assert_string_equal(url.port, "503");
}

static void a_serial_line_is_read(void **state)
{
    (void)state;
    struct busurl url =
        parsed("modbus-rtu:///dev/ttyS1?baud=19200&parity=E&stop=2&unit=3");
    assert_false(url.tcp);
    assert_string_equal(url.place, "/dev/ttyS1");
    assert_int_equal(url.baud, 19200);
    assert_int_equal(url.parity, 'E');
    assert_int_equal(url.stop, 2);
    assert_int_equal(url.unit, 3);
    assert_int_equal(parsed("modbus-rtu:///dev/ttyS1").baud, 9600);
}

static void what_is_wrong_is_named(void **state)
{
    static const struct {
        const char *text, *why;
    } BAD[] = {
        {"http://x",
         "expected modbus-tcp://HOST or modbus-rtu:///dev/DEVICE, got \"http://x\""},
        {"modbus-tcp://", "expected a host name or address, got \"\""},
        {"modbus-tcp://h:0", "expected a port from 1 to 65535, got \"h:0\""},
        {"modbus-tcp://h:70000", "expected a port from 1 to 65535, got \"h:70000\""},
        {"modbus-tcp://h?unit=256", "expected unit from 0 to 255, got \"256\""},
        {"modbus-tcp://h?baud=9600", "expected unit, got \"baud\""},
        {"modbus-rtu://ttyS1",
         "expected a device file such as /dev/ttyS1, got \"ttyS1\""},
        {"modbus-rtu:///dev/x?parity=Q", "expected parity of N, E or O, got \"Q\""},
        {"modbus-rtu:///dev/x?baud=abc", "expected baud from 300, got \"abc\""},
        {"modbus-rtu:///dev/x?baud", "expected options such as unit=1, got \"baud\""},
        {"modbus-tcp://[::1", "expected an address in [ ], got \"[::1\""},
    };
    struct busurl url;
    char why[200];
    (void)state;
    for (size_t i = 0; i < countof(BAD); i++) {
        assert_int_equal(busurl_parse(&url, BAD[i].text, why, sizeof(why)), -EINVAL);
        assert_string_equal(why, BAD[i].why);
    }
}

static void long_names_are_refused(void **state)
{
    struct busurl url;
    char text[600] = "modbus-tcp://", why[200];
    (void)state;
    memset(text + strlen(text), 'a', 500);
    assert_int_equal(busurl_parse(&url, text, why, sizeof(why)), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tcp_address_has_defaults),
        cmocka_unit_test(port_and_unit_are_read),
        cmocka_unit_test(a_serial_line_is_read),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(long_names_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
