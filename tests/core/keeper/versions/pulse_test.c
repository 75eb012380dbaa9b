/* What a host's last minute was like. */
#include "keeper/versions/pulse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const int64_t SECOND_US = 1000000;

static void nothing_has_happened_when_it_begins(void **state)
{
    struct pulse pulse = {.count = 0};
    (void)state;
    assert_int_equal(pulse_rate(&pulse).reads, 0);
    pulse_begin(&pulse, 7 * SECOND_US);
    struct pulse_rate rate = pulse_rate(&pulse);
    assert_int_equal(rate.ms + rate.reads + rate.errors, 0);
}

static void a_young_one_is_known_since_it_began(void **state)
{
    struct pulse pulse;
    (void)state;
    pulse_begin(&pulse, 7 * SECOND_US);
    pulse_add(&pulse, 9 * SECOND_US, 20, 1);
    struct pulse_rate rate = pulse_rate(&pulse);
    assert_int_equal(rate.ms, 2000);
    assert_int_equal(rate.reads, 20);
    assert_int_equal(rate.errors, 1);
}

static void only_the_last_minute_counts(void **state)
{
    struct pulse pulse;
    int64_t now_us = 0;
    (void)state;
    pulse_begin(&pulse, now_us);
    for (int i = 1; i <= 100; i++)
        pulse_add(&pulse, now_us += 5 * SECOND_US, i < 50 ? i * 10 : 500, 3);
    struct pulse_rate rate = pulse_rate(&pulse);
    assert_int_equal(rate.ms, 65 * 1000);
    assert_int_equal(rate.reads, 0);
    assert_int_equal(rate.errors, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_has_happened_when_it_begins),
        cmocka_unit_test(a_young_one_is_known_since_it_began),
        cmocka_unit_test(only_the_last_minute_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
