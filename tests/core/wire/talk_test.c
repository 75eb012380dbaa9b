/* Lanes and classes have names, both ways. */
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

static void classes_are_known_by_name(void **state)
{
    (void)state;
    for (int class = 0; class < CLASSES; class ++)
        assert_int_equal(talk_class_of(talk_class_name((enum talk_class) class)), class);
    assert_int_equal(talk_class_of("picture"), CLASS_PICTURE);
    assert_int_equal(talk_class_of("case"), CLASS_CASE);
}

static void other_names_are_no_classes(void **state)
{
    (void)state;
    assert_int_equal(talk_class_of(""), -1);
    assert_int_equal(talk_class_of("Case"), -1);
    assert_int_equal(talk_class_of("unknown"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lanes_are_known_by_name),
        cmocka_unit_test(other_names_are_no_lanes),
        cmocka_unit_test(classes_are_known_by_name),
        cmocka_unit_test(other_names_are_no_classes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
