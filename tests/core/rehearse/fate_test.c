#include "rehearse/fate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void without_a_decree_nothing_strikes(void **state)
{
    struct fate fate = {0};
    (void)state;
    for (int i = 0; i < 100; i++) {
        assert_false(fate_strikes(&fate, FATE_COMMIT, false));
        assert_false(fate_strikes(&fate, FATE_WRITE, true));
    }
    assert_null(fate_refusal(&fate));
}

static void the_nth_step_of_its_kind_is_struck_once(void **state)
{
    struct fate fate = {0};
    (void)state;
    fate_decree(&fate, FATE_COMMIT, true, 2);
    assert_false(fate_strikes(&fate, FATE_COMMIT, false));
    assert_false(fate_strikes(&fate, FATE_READ, true));
    assert_false(fate_strikes(&fate, FATE_COMMIT, true));
    assert_true(fate_strikes(&fate, FATE_COMMIT, true));
    assert_true(fate.struck);
    fate.struck = false; /* it lives again */
    assert_false(fate_strikes(&fate, FATE_COMMIT, true));
}

static void the_dead_stay_dead(void **state)
{
    struct fate fate = {0};
    (void)state;
    fate_decree(&fate, FATE_READ | FATE_WRITE, false, 1);
    assert_true(fate_strikes(&fate, FATE_WRITE, false));
    assert_true(fate_strikes(&fate, FATE_WRITE, true));
    assert_true(fate_strikes(&fate, FATE_COMMIT, false));
}

static void so_many_commits_are_refused(void **state)
{
    struct fate fate = {0};
    (void)state;
    fate_refuse(&fate, 2, "the disk is full");
    assert_string_equal(fate_refusal(&fate), "the disk is full");
    assert_string_equal(fate_refusal(&fate), "the disk is full");
    assert_null(fate_refusal(&fate));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_decree_nothing_strikes),
        cmocka_unit_test(the_nth_step_of_its_kind_is_struck_once),
        cmocka_unit_test(the_dead_stay_dead),
        cmocka_unit_test(so_many_commits_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
