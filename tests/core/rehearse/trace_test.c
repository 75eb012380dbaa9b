#include "rehearse/trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "rehearse/standins/now_clock.h"

static void lines_are_kept_in_order_with_their_time(void **state)
{
    struct trace trace = {0};
    (void)state;
    now_clock_begin(0);
    trace_add(&trace, "start");
    now_clock_pass(2500);
    trace_add(&trace, "write_register %d = %d", 20, 7);
    assert_int_equal(trace.count, 2);
    assert_string_equal(trace.lines[0].text, "start");
    assert_string_equal(trace.lines[1].text, "write_register 20 = 7");
    assert_int_equal(trace.lines[0].at_us, 0);
    assert_int_equal(trace.lines[1].at_us, 2500);
    trace_free(&trace);
    assert_int_equal(trace.count, 0);
}

static void what_does_not_fit_any_more_is_told(void **state)
{
    struct trace trace = {0};
    (void)state;
    for (int i = 0; i < TRACE_MAX; i++)
        trace_add(&trace, "%d", i);
    assert_false(trace.full);
    trace_add(&trace, "one more");
    assert_true(trace.full);
    assert_int_equal(trace.count, TRACE_MAX);
    trace_free(&trace);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_kept_in_order_with_their_time),
        cmocka_unit_test(what_does_not_fit_any_more_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
