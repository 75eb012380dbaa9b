/* Where lines lead: what is read, and what is said about what cannot be meant. */
#include "host/lines/lineurl.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"

static struct lineurl parsed(enum lineurl_kind kind, const char *text)
{
    struct lineurl url;
    char why[200];
    assert_int_equal(lineurl_parse(&url, kind, text, why, sizeof(why)), 0);
    return url;
}

static void a_host_has_a_port(void **state)
{
    struct lineurl url = parsed(LINEURL_TCP, "tcp://reader.example:4001");
    (void)state;
    assert_string_equal(url.place, "reader.example");
    assert_int_equal(url.port, 4001);
    url = parsed(LINEURL_UDP, "udp://[2001:db8::1]:161");
    assert_string_equal(url.place, "2001:db8::1");
    assert_int_equal(url.port, 161);
}

static void a_serial_line_has_defaults_and_options(void **state)
{
    struct lineurl url = parsed(LINEURL_SERIAL, "serial:///dev/ttyS1");
    (void)state;
    assert_string_equal(url.place, "/dev/ttyS1");
    assert_int_equal(url.baud, 9600);
    assert_int_equal(url.data, 8);
    assert_int_equal(url.parity, 'N');
    assert_int_equal(url.stop, 1);
    assert_false(url.flow);
    url = parsed(LINEURL_SERIAL,
                 "serial:///dev/x?baud=115200&data=7&parity=E&stop=2&flow=rtscts");
    assert_string_equal(url.place, "/dev/x");
    assert_int_equal(url.baud, 115200);
    assert_int_equal(url.data, 7);
    assert_int_equal(url.parity, 'E');
    assert_int_equal(url.stop, 2);
    assert_true(url.flow);
}

static void what_is_wrong_is_named(void **state)
{
    static const struct {
        enum lineurl_kind kind;
        const char *text, *why;
    } BAD[] = {
        {LINEURL_TCP, "udp://h:1", "expected tcp://HOST:PORT, got \"udp://h:1\""},
        {LINEURL_TCP, "tcp://h", "expected a port, as in tcp://HOST:PORT, got \"h\""},
        {LINEURL_UDP, "udp://h:99999",
         "expected a port from 1 to 65535, got \"h:99999\""},
        {LINEURL_TCP, "tcp://h:1/x", "expected a port from 1 to 65535, got \"h:1/x\""},
        {LINEURL_SERIAL, "serial://ttyS1",
         "expected a device file such as /dev/ttyS1, got \"ttyS1\""},
        {LINEURL_SERIAL, "serial:///dev/x?baud=fast",
         "expected baud from 50, got \"fast\""},
        {LINEURL_SERIAL, "serial:///dev/x?data=6", "expected data of 7 or 8, got \"6\""},
        {LINEURL_SERIAL, "serial:///dev/x?parity=odd",
         "expected parity of N, E or O, got \"odd\""},
        {LINEURL_SERIAL, "serial:///dev/x?flow=x",
         "expected flow of none or rtscts, got \"x\""},
        {LINEURL_SERIAL, "serial:///dev/x?unit=1",
         "expected baud, data, parity, stop or flow, got \"unit\""},
        {LINEURL_SERIAL, "serial:///dev/x?baud",
         "expected options such as baud=9600, got \"baud\""},
    };
    (void)state;
    for (size_t i = 0; i < countof(BAD); i++) {
        struct lineurl url;
        char why[200];
        assert_int_equal(lineurl_parse(&url, BAD[i].kind, BAD[i].text, why, sizeof(why)),
                         -EINVAL);
        assert_string_equal(why, BAD[i].why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_has_a_port),
        cmocka_unit_test(a_serial_line_has_defaults_and_options),
        cmocka_unit_test(what_is_wrong_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
