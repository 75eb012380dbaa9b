/* What is decided when room gets scarce, at each bound. */
#include "keeper/space/quota.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const struct quota QUOTA = {1000, 80};

static void telemetry_stops_before_the_reserve(void **state)
{
    (void)state;
    assert_int_equal(quota_room(&QUOTA), 920);
    assert_false(quota_refuses(&QUOTA, 920, false));
    assert_true(quota_refuses(&QUOTA, 921, false));
    assert_true(quota_refuses(&QUOTA, 911, true));
    assert_false(quota_refuses(&QUOTA, 910, true));
}

static void thinning_begins_before_telemetry_is_refused_and_makes_some_air(void **state)
{
    (void)state;
    assert_false(quota_thins(&QUOTA, 880, false));
    assert_true(quota_thins(&QUOTA, 881, false));
    assert_true(quota_thins(&QUOTA, 841, true));
    assert_false(quota_thins(&QUOTA, 840, true));
}

static void a_full_disk_refuses_until_half_the_reserve_is_there_again(void **state)
{
    (void)state;
    assert_false(quota_disk_refuses(&QUOTA, 20, false));
    assert_true(quota_disk_refuses(&QUOTA, 19, false));
    assert_true(quota_disk_refuses(&QUOTA, 39, true));
    assert_false(quota_disk_refuses(&QUOTA, 40, true));
}

static void a_level_is_told_once_on_the_way_up(void **state)
{
    (void)state;
    static const struct {
        int percent, told, level;
    } STEPS[] = {{0, 0, 0},    {69, 0, 0},   {70, 0, 70},  {84, 70, 70}, {85, 70, 85},
                 {94, 85, 85}, {95, 85, 95}, {93, 95, 95}, {92, 95, 85}, {83, 85, 85},
                 {82, 85, 70}, {68, 70, 70}, {67, 70, 0},  {100, 0, 95}, {300, 95, 95}};
    for (unsigned i = 0; i < sizeof(STEPS) / sizeof(STEPS[0]); i++)
        assert_int_equal(quota_level(STEPS[i].percent, STEPS[i].told), STEPS[i].level);
}

static void a_percentage_is_of_what_may_be_taken(void **state)
{
    (void)state;
    assert_int_equal(quota_percent(699, 1000), 69);
    assert_int_equal(quota_percent(1 << 30, 1LL << 40), 0);
    assert_int_equal(quota_percent(INT64_MAX / 2, INT64_MAX), 50);
    assert_int_equal(quota_percent(5, 0), 0);
    assert_int_equal(quota_percent(-5, 100), 0);
}

static void the_days_that_are_left_are_whole_and_bounded(void **state)
{
    (void)state;
    assert_int_equal(quota_days(1000, -1), -1);
    assert_int_equal(quota_days(1000, 400), 2);
    assert_int_equal(quota_days(0, 400), 0);
    assert_int_equal(quota_days(-7, 400), 0);
    assert_int_equal(quota_days(1000, 0), 36500);
    assert_int_equal(quota_days(INT64_MAX, 1), 36500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(telemetry_stops_before_the_reserve),
        cmocka_unit_test(thinning_begins_before_telemetry_is_refused_and_makes_some_air),
        cmocka_unit_test(a_full_disk_refuses_until_half_the_reserve_is_there_again),
        cmocka_unit_test(a_level_is_told_once_on_the_way_up),
        cmocka_unit_test(a_percentage_is_of_what_may_be_taken),
        cmocka_unit_test(the_days_that_are_left_are_whole_and_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
