#include "mqtt/broker.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"

static void urls_are_read(void **state)
{
    static const struct {
        const char *url, *printed;
        bool tls;
    } RIGHT[] = {
        {"mqtt://127.0.0.1", "127.0.0.1:1883", false},
        {"mqtt://city.example:1884", "city.example:1884", false},
        {"mqtts://city.example", "city.example:8883", true},
        {"mqtts://[2001:db8::1]:443", "[2001:db8::1]:443", true},
        {"mqtt://[::1]", "[::1]:1883", false},
    };
    (void)state;
    for (size_t i = 0; i < countof(RIGHT); i++) {
        struct broker broker;
        char text[BROKER_TEXT_ROOM];
        assert_int_equal(broker_read(&broker, RIGHT[i].url), 0);
        broker_print(&broker, text);
        assert_string_equal(text, RIGHT[i].printed);
        assert_int_equal(broker.tls, RIGHT[i].tls);
    }
}

static void others_are_refused(void **state)
{
    static const char *const WRONG[] = {
        "",           "mqtt://",         "http://x",   "mqtt://x:0",   "mqtt://x:65536",
        "mqtt://x:",  "mqtt://x:1x",     "mqtt://x/y", "mqtt://[::1",  "mqtt://[::1]x",
        "mqtt://a b", "mqtt://x:123456", "MQTT://x",   "mqtt://u@x:1",
    };
    (void)state;
    for (size_t i = 0; i < countof(WRONG); i++) {
        struct broker broker;
        assert_int_equal(broker_read(&broker, WRONG[i]), -EINVAL);
    }
}

static void an_address_is_told_from_a_name(void **state)
{
    (void)state;
    assert_true(broker_is_address("127.0.0.1"));
    assert_true(broker_is_address("2001:db8::1"));
    assert_false(broker_is_address("localhost"));
    assert_false(broker_is_address("1.2.3"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_read),
        cmocka_unit_test(others_are_refused),
        cmocka_unit_test(an_address_is_told_from_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
