/* How long a host must wait that says much: nothing of it is random. */
#include "keeper/children/allowance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct allowance_rate RATE = {.messages = 100, .bytes = 1000};
static const int64_t NOW_US = 3600LL * 1000000;

static void a_seconds_worth_is_there_at_once(void **state)
{
    struct allowance allowance = {0};
    (void)state;
    for (int i = 0; i < 100; i++)
        assert_int_equal(allowance_take(&allowance, &RATE, NOW_US, 1, 10), 0);
    assert_int_equal(allowance_take(&allowance, &RATE, NOW_US, 1, 10), 10);
}

static void what_goes_beyond_is_waited_for_and_not_forgotten(void **state)
{
    struct allowance allowance = {0};
    (void)state;
    assert_int_equal(allowance_take(&allowance, &RATE, NOW_US, 300, 0), 2000);
    assert_int_equal(allowance_take(&allowance, &RATE, NOW_US + 2000000, 0, 0), 0);
    assert_int_equal(allowance_take(&allowance, &RATE, NOW_US + 2000000, 1, 0), 10);
}

static void bytes_count_as_well_and_the_longer_wait_holds(void **state)
{
    struct allowance allowance = {0};
    (void)state;
    assert_int_equal(allowance_take(&allowance, &RATE, NOW_US, 1, 1500), 500);
    assert_int_equal(allowance_take(&allowance, &RATE, NOW_US, 400, 0), 3010);
}

static void silence_earns_no_more_than_a_second(void **state)
{
    struct allowance allowance = {0};
    (void)state;
    allowance_take(&allowance, &RATE, NOW_US, 1, 1);
    assert_int_equal(allowance_take(&allowance, &RATE, NOW_US + 3600LL * 1000000, 150, 0),
                     500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seconds_worth_is_there_at_once),
        cmocka_unit_test(what_goes_beyond_is_waited_for_and_not_forgotten),
        cmocka_unit_test(bytes_count_as_well_and_the_longer_wait_holds),
        cmocka_unit_test(silence_earns_no_more_than_a_second),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
