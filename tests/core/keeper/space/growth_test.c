/* Bytes a day: of the last day, and not said too early. */
#include "keeper/space/growth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const int64_t MINUTE_US = 60LL * 1000000;

static void nothing_is_said_before_ten_minutes(void **state)
{
    struct growth growth = {0};
    (void)state;
    assert_int_equal(growth_per_day(&growth, 0), -1);
    growth_add(&growth, 0, 5 * MINUTE_US);
    growth_add(&growth, 100, 6 * MINUTE_US);
    assert_int_equal(growth_per_day(&growth, 15 * MINUTE_US - 1), -1);
    assert_int_equal(growth_per_day(&growth, 15 * MINUTE_US), 14400);
}

static void only_the_last_day_counts(void **state)
{
    struct growth growth = {0};
    int64_t now_us = 0;
    (void)state;
    for (int i = 0; i < 100 * 6; i++, now_us += 10 * MINUTE_US)
        growth_add(&growth, 1000000, now_us);
    for (int i = 0; i < 24 * 6 + 6; i++, now_us += 10 * MINUTE_US)
        growth_add(&growth, 10, now_us);
    int64_t per_day = growth_per_day(&growth, now_us);
    assert_true(per_day >= 1400 && per_day <= 1500);
}

static void a_journal_at_rest_does_not_grow(void **state)
{
    struct growth growth = {0};
    (void)state;
    growth_add(&growth, 0, 0);
    assert_int_equal(growth_per_day(&growth, 60 * MINUTE_US), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_said_before_ten_minutes),
        cmocka_unit_test(only_the_last_day_counts),
        cmocka_unit_test(a_journal_at_rest_does_not_grow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
