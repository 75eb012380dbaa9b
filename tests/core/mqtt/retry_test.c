#include "mqtt/retry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/base.h"

enum { MINUTES_10 = 600 };

static void a_broker_that_is_absent_for_long_is_still_asked_for_soon(void **state)
{
    struct retry retry = {0};
    (void)state;
    assert_int_equal(retry_bound_ms(&retry, RETRY_ABSENT, 0), 1000);
    assert_int_equal(retry_bound_ms(&retry, RETRY_ABSENT, 0), 2000);
    for (int i = 0; i < MINUTES_10; i++)
        assert_int_equal(retry_bound_ms(&retry, RETRY_ABSENT, 0), RETRY_SOON_MOST_MS);
}

static void a_broker_that_turns_us_away_is_left_alone_longer_each_time(void **state)
{
    static const uint32_t BOUNDS[] = {1000, 2000, 4000, 8000, 16000, 30000, 30000};
    struct retry retry = {0};
    (void)state;
    for (size_t i = 0; i < countof(BOUNDS); i++)
        assert_int_equal(retry_bound_ms(&retry, RETRY_TURNED_AWAY, 0), BOUNDS[i]);
}

static void connections_that_break_soon_are_tried_again_soon(void **state)
{
    struct retry retry = {0};
    (void)state;
    for (int kills = 0; kills < 20; kills++) {
        assert_true(retry_bound_ms(&retry, RETRY_BROKE, 2000) <= RETRY_SOON_MOST_MS);
        assert_true(retry_bound_ms(&retry, RETRY_ABSENT, 0) <= RETRY_SOON_MOST_MS);
    }
}

static void an_absent_broker_does_not_pay_for_one_that_turned_us_away(void **state)
{
    struct retry retry = {0};
    (void)state;
    for (int i = 0; i < 10; i++)
        retry_bound_ms(&retry, RETRY_TURNED_AWAY, 0);
    assert_int_equal(retry_bound_ms(&retry, RETRY_ABSENT, 0), 1000);
    assert_int_equal(retry_bound_ms(&retry, RETRY_TURNED_AWAY, 0), RETRY_LATE_MOST_MS);
}

static void a_connection_that_lived_starts_anew(void **state)
{
    struct retry retry = {0};
    (void)state;
    for (int i = 0; i < 10; i++) {
        retry_bound_ms(&retry, RETRY_TURNED_AWAY, 0);
        retry_bound_ms(&retry, RETRY_ABSENT, 0);
    }
    assert_int_equal(retry_bound_ms(&retry, RETRY_BROKE, RETRY_GOOD_LIFE_MS - 1), 3000);
    assert_int_equal(retry_bound_ms(&retry, RETRY_BROKE, RETRY_GOOD_LIFE_MS), 1000);
    assert_int_equal(retry_bound_ms(&retry, RETRY_TURNED_AWAY, 0), 1000);
}

static void waits_are_spread_over_the_whole_bound(void **state)
{
    int thirds[3] = {0};
    (void)state;
    for (int i = 0; i < 3000; i++) {
        uint32_t ms = retry_wait_ms(RETRY_SOON_MOST_MS);
        assert_in_range(ms, RETRY_LEAST_MS, RETRY_SOON_MOST_MS);
        thirds[ms * 3 / (RETRY_SOON_MOST_MS + 1)]++;
    }
    for (int i = 0; i < 3; i++)
        assert_in_range(thirds[i], 700, 1300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_broker_that_is_absent_for_long_is_still_asked_for_soon),
        cmocka_unit_test(a_broker_that_turns_us_away_is_left_alone_longer_each_time),
        cmocka_unit_test(connections_that_break_soon_are_tried_again_soon),
        cmocka_unit_test(an_absent_broker_does_not_pay_for_one_that_turned_us_away),
        cmocka_unit_test(a_connection_that_lived_starts_anew),
        cmocka_unit_test(waits_are_spread_over_the_whole_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
