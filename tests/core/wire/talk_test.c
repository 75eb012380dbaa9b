/* The lanes have names, both ways. */
#include "wire/talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void lanes_are_known_by_name(void **state)
{
    (void)state;
    for (int lane = 0; lane < LANES; lane++)
        assert_int_equal(talk_lane_of(talk_lane_name((enum talk_lane)lane)), lane);
    assert_int_equal(talk_lane_of("alarm"), LANE_ALARM);
    assert_int_equal(talk_lane_of("telemetry"), LANE_TELEMETRY);
}

static void other_names_are_no_lanes(void **state)
{
    (void)state;
    assert_int_equal(talk_lane_of(""), -1);
    assert_int_equal(talk_lane_of("Alarm"), -1);
    assert_int_equal(talk_lane_of("alarms"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lanes_are_known_by_name),
        cmocka_unit_test(other_names_are_no_lanes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
