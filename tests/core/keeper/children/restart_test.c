/* The policy of restarts, played through on a clock of its own. */
#include "keeper/children/restart.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static const int64_t SECOND_US = 1000000;

/* A child that lives `life_s` each time dies `deaths` times; its last delay. */
static int64_t die(struct restart *restart, int64_t *now_us, int deaths, int64_t life_s)
{
    int64_t delay_ms = -1;
    for (int i = 0; i < deaths; i++) {
        *now_us += life_s * SECOND_US;
        delay_ms = restart_after_death(restart, *now_us, life_s * SECOND_US);
        *now_us += delay_ms * 1000;
    }
    return delay_ms;
}

static void the_first_time_it_comes_back_at_once(void **state)
{
    struct restart restart = {.count = 0};
    int64_t now_us = 1;
    (void)state;
    assert_int_equal(die(&restart, &now_us, 1, 0), 0);
    assert_false(restart.in_quarantine);
}

static void then_each_delay_is_twice_the_last_up_to_a_minute(void **state)
{
    struct restart restart = {.count = 0};
    static const int64_t DELAYS[] = {0,     1000,  2000,  4000, 8000,
                                     16000, 32000, 60000, 60000};
    int64_t now_us = 1;
    (void)state;
    for (size_t i = 0; i < sizeof(DELAYS) / sizeof(DELAYS[0]); i++) {
        now_us += 1000 * SECOND_US; /* so seldom that it is not quarantined */
        assert_int_equal(restart_after_death(&restart, now_us, 0), DELAYS[i]);
    }
    assert_false(restart.in_quarantine);
}

static void a_minute_of_life_starts_anew(void **state)
{
    struct restart restart = {.count = 0};
    int64_t now_us = 1;
    (void)state;
    assert_int_equal(die(&restart, &now_us, 4, 1), 4000);
    now_us += 1000 * SECOND_US;
    assert_int_equal(die(&restart, &now_us, 1, 60), 0);
    assert_int_equal(die(&restart, &now_us, 1, 59), 1000);
}

static void five_deaths_in_ten_minutes_are_too_many(void **state)
{
    struct restart restart = {.count = 0};
    int64_t now_us = 1;
    (void)state;
    die(&restart, &now_us, 4, 100);
    assert_false(restart.in_quarantine);
    assert_int_equal(die(&restart, &now_us, 1, 100), RESTART_QUARANTINE_MS);
    assert_true(restart.in_quarantine);
}

static void five_deaths_in_more_than_ten_minutes_are_not(void **state)
{
    struct restart restart = {.count = 0};
    int64_t now_us = 1;
    (void)state;
    assert_int_equal(die(&restart, &now_us, 20, 151), 0);
    assert_false(restart.in_quarantine);
}

static void in_quarantine_it_has_one_try_an_hour(void **state)
{
    struct restart restart = {.count = 0};
    int64_t now_us = 1;
    (void)state;
    die(&restart, &now_us, 5, 1);
    for (int hour = 0; hour < 5; hour++) {
        assert_int_equal(die(&restart, &now_us, 1, 1), RESTART_QUARANTINE_MS);
        assert_true(restart.in_quarantine);
    }
}

static void a_good_life_ends_the_quarantine(void **state)
{
    struct restart restart = {.count = 0};
    int64_t now_us = 1;
    (void)state;
    die(&restart, &now_us, 5, 1);
    assert_int_equal(die(&restart, &now_us, 1, 3600), 0);
    assert_false(restart.in_quarantine);
}

static void whom_somebody_killed_is_not_to_blame(void **state)
{
    struct restart restart = {.count = 0};
    (void)state;
    for (int i = 0; i < 20; i++)
        assert_int_equal(restart_after_kill(&restart), RESTART_FIRST_MS);
    assert_false(restart.in_quarantine);
}

static void a_refused_commit_waits_longer_each_time_and_is_no_death(void **state)
{
    struct restart restart = {.count = 0};
    int64_t second_us = 1000000;
    (void)state;
    assert_int_equal(restart_after_refusal(&restart, second_us), 1000);
    assert_int_equal(restart_after_refusal(&restart, second_us), 2000);
    for (int i = 0; i < 20; i++)
        restart_after_refusal(&restart, second_us);
    assert_int_equal(restart_after_refusal(&restart, second_us), RESTART_MOST_MS);
    assert_false(restart.in_quarantine);
}

static void who_is_needed_comes_back_within_a_minute_for_ever(void **state)
{
    struct restart restart = {.count = 0};
    (void)state;
    assert_int_equal(restart_needed(&restart, 0), 0);
    assert_int_equal(restart_needed(&restart, 0), 1000);
    for (int i = 0; i < 1000; i++)
        assert_in_range(restart_needed(&restart, 0), 1, RESTART_MOST_MS);
    assert_false(restart.in_quarantine);
    assert_int_equal(restart.count, 1002);
    assert_int_equal(restart_needed(&restart, 60 * SECOND_US), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_time_it_comes_back_at_once),
        cmocka_unit_test(then_each_delay_is_twice_the_last_up_to_a_minute),
        cmocka_unit_test(a_minute_of_life_starts_anew),
        cmocka_unit_test(five_deaths_in_ten_minutes_are_too_many),
        cmocka_unit_test(five_deaths_in_more_than_ten_minutes_are_not),
        cmocka_unit_test(in_quarantine_it_has_one_try_an_hour),
        cmocka_unit_test(a_good_life_ends_the_quarantine),
        cmocka_unit_test(whom_somebody_killed_is_not_to_blame),
        cmocka_unit_test(a_refused_commit_waits_longer_each_time_and_is_no_death),
        cmocka_unit_test(who_is_needed_comes_back_within_a_minute_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
