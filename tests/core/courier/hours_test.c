/* When files go, and how fast. */
#include "courier/hours.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void without_ranges_it_is_always_open(void **state)
{
    (void)state;
    const struct hours hours = {.count = 0};
    assert_int_equal(hours_rate(&hours, 0), 0);
    assert_int_equal(hours_rate(&hours, HOURS_DAY - 1), 0);
}

static void a_range_has_its_first_minute_and_not_its_last(void **state)
{
    (void)state;
    const struct hours hours = {.count = 1, .ranges = {{60, 120, 7}}};
    assert_int_equal(hours_rate(&hours, 59), HOURS_CLOSED);
    assert_int_equal(hours_rate(&hours, 60), 7);
    assert_int_equal(hours_rate(&hours, 119), 7);
    assert_int_equal(hours_rate(&hours, 120), HOURS_CLOSED);
}

static void a_range_may_go_over_midnight(void **state)
{
    (void)state;
    const struct hours hours = {.count = 1, .ranges = {{22 * 60, 6 * 60, 7}}};
    assert_int_equal(hours_rate(&hours, 22 * 60 - 1), HOURS_CLOSED);
    assert_int_equal(hours_rate(&hours, 22 * 60), 7);
    assert_int_equal(hours_rate(&hours, 0), 7);
    assert_int_equal(hours_rate(&hours, 6 * 60 - 1), 7);
    assert_int_equal(hours_rate(&hours, 6 * 60), HOURS_CLOSED);
}

static void a_range_may_be_the_whole_day(void **state)
{
    (void)state;
    const struct hours hours = {.count = 1, .ranges = {{0, HOURS_DAY, 7}}};
    assert_int_equal(hours_rate(&hours, 0), 7);
    assert_int_equal(hours_rate(&hours, HOURS_DAY - 1), 7);
}

static void the_first_of_two_that_overlap_counts(void **state)
{
    (void)state;
    const struct hours hours = {.count = 2, .ranges = {{60, 120, 7}, {0, HOURS_DAY, 0}}};
    assert_int_equal(hours_rate(&hours, 61), 7);
    assert_int_equal(hours_rate(&hours, 121), 0);
}

static void when_nobody_knows_the_time_the_slowest_counts(void **state)
{
    (void)state;
    const struct hours hours = {.count = 3,
                                .ranges = {{0, 60, 0}, {60, 120, 9}, {120, 180, 7}}};
    const struct hours open = {.count = 1, .ranges = {{0, 60, 0}}}, none = {.count = 0};
    assert_int_equal(hours_slowest(&hours), 7);
    assert_int_equal(hours_slowest(&open), 0);
    assert_int_equal(hours_slowest(&none), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_ranges_it_is_always_open),
        cmocka_unit_test(a_range_has_its_first_minute_and_not_its_last),
        cmocka_unit_test(a_range_may_go_over_midnight),
        cmocka_unit_test(a_range_may_be_the_whole_day),
        cmocka_unit_test(the_first_of_two_that_overlap_counts),
        cmocka_unit_test(when_nobody_knows_the_time_the_slowest_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
