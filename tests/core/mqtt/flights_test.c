#include "mqtt/flights.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void each_is_taken_once_in_any_order(void **state)
{
    struct flights flights = {0};
    uint32_t token = 0;
    (void)state;
    for (int mid = 1; mid <= MQTT_FLIGHTS; mid++) {
        assert_false(flights_are_full(&flights));
        flights_put(&flights, mid, 1000u + (uint32_t)mid);
    }
    assert_true(flights_are_full(&flights));
    for (int at = 0; at < MQTT_FLIGHTS; at++) {
        int mid = at * 37 % MQTT_FLIGHTS + 1;
        assert_true(flights_take(&flights, mid, &token));
        assert_int_equal(token, 1000 + mid);
        assert_false(flights_take(&flights, mid, &token));
    }
    assert_int_equal(flights.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_taken_once_in_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
