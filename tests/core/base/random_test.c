/* Random bytes differ, and numbers stay below their bound. */
#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <cmocka.h>

static void no_two_draws_are_the_same(void **state)
{
    (void)state;
    unsigned char seen[300][16];
    for (size_t i = 0; i < 300; i++) {
        random_bytes(seen[i], sizeof(seen[i]));
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(seen[i], seen[j], sizeof(seen[i]));
    }
}

static void large_draws_are_filled_to_the_end(void **state)
{
    (void)state;
    static unsigned char bytes[5000];
    random_bytes(bytes, sizeof(bytes));
    unsigned char any = 0;
    for (size_t i = sizeof(bytes) - 16; i < sizeof(bytes); i++)
        any |= bytes[i];
    assert_int_not_equal(any, 0);
    random_bytes(bytes, 0);
}

static void numbers_are_below_the_bound_and_all_come_up(void **state)
{
    (void)state;
    bool seen[7] = {false};
    for (int i = 0; i < 2000; i++) {
        uint32_t value = random_below(7);
        assert_true(value < 7);
        seen[value] = true;
    }
    for (int i = 0; i < 7; i++)
        assert_true(seen[i]);
    assert_int_equal(random_below(1), 0);
    assert_true(random_below(UINT32_MAX) < UINT32_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_two_draws_are_the_same),
        cmocka_unit_test(large_draws_are_filled_to_the_end),
        cmocka_unit_test(numbers_are_below_the_bound_and_all_come_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
