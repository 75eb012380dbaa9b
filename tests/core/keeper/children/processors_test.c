/* Which processors keeper, uplink and the others may use, asked of the kernel in children of the test. */
#include "keeper/children/processors.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static cpu_set_t before;

static cpu_set_t now_ours(void)
{
    cpu_set_t ours;
    CPU_ZERO(&ours);
    sched_getaffinity(0, sizeof(ours), &ours);
    return ours;
}

static int last_of(const cpu_set_t *set)
{
    int last = -1;
    for (int i = 0; i < CPU_SETSIZE; i++)
        last = CPU_ISSET(i, set) ? i : last;
    return last;
}

/* Divides in a child of the test, and asks there; 0 or the child's exit. */
static int in_child(bool (*is_right)(void))
{
    int status = -1;
    pid_t pid = fork();
    if (pid == 0)
        _exit(is_right() ? 0 : 1);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static bool keeper_has_all_but_the_last(void)
{
    processors_divide();
    cpu_set_t ours = now_ours(), last;
    CPU_ZERO(&last);
    CPU_SET(last_of(&before), &last);
    CPU_OR(&last, &last, &ours);
    return !CPU_ISSET(last_of(&before), &ours) && CPU_EQUAL(&last, &before);
}

static bool uplink_has_the_last(void)
{
    processors_divide();
    processors_take_last();
    cpu_set_t ours = now_ours();
    return CPU_COUNT(&ours) == 1 && CPU_ISSET(last_of(&before), &ours);
}

static bool others_have_all(void)
{
    processors_divide();
    processors_take_all();
    cpu_set_t ours = now_ours();
    return CPU_EQUAL(&ours, &before);
}

static bool one_alone_is_everybodys(void)
{
    cpu_set_t one, ours;
    CPU_ZERO(&one);
    CPU_SET(last_of(&before), &one);
    sched_setaffinity(0, sizeof(one), &one);
    void (*const STEPS[])(void) = {processors_divide, processors_take_last,
                                   processors_take_all};
    for (size_t i = 0; i < sizeof(STEPS) / sizeof(STEPS[0]); i++) {
        STEPS[i]();
        ours = now_ours();
        if (!CPU_EQUAL(&ours, &one))
            return false;
    }
    return true;
}

static void the_uplink_has_the_last_processor_and_the_keeper_the_others(void **state)
{
    (void)state;
    before = now_ours();
    if (CPU_COUNT(&before) < 2)
        skip();
    assert_int_equal(in_child(keeper_has_all_but_the_last), 0);
    assert_int_equal(in_child(uplink_has_the_last), 0);
}

static void plugins_and_errands_have_them_all(void **state)
{
    (void)state;
    before = now_ours();
    assert_int_equal(in_child(others_have_all), 0);
}

static void where_there_is_one_nothing_is_divided(void **state)
{
    (void)state;
    before = now_ours();
    assert_int_equal(in_child(one_alone_is_everybodys), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_uplink_has_the_last_processor_and_the_keeper_the_others),
        cmocka_unit_test(plugins_and_errands_have_them_all),
        cmocka_unit_test(where_there_is_one_nothing_is_divided),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
