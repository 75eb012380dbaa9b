/* The tap: on for as long as it is wished, and nothing without a ring. */
#include "host/tap/tap.h"

#include "host/tap.h"

static void what_is_put_while_it_is_on_is_there(void **state)
{
    (void)state;
    tap_begin(0);
    assert_false(tap_is_on());
    tap_put("tcp://a:1", RING_IN, "before", 6);
    tap_record(-1);
    assert_true(tap_is_on());
    tap_put("tcp://a:1", RING_OUT, "ask", 3);
    tap_put("tcp://a:1", RING_IN, "", 0);
    tap_put("tcp://a:1", RING_IN, "answer", 6);
    tap_record(0);
    tap_put("tcp://a:1", RING_IN, "after", 5);
    assert_string_equal(tap_end(), "tcp://a:1> ask\ntcp://a:1< answer\n");
}

static void it_ends_by_itself(void **state)
{
    (void)state;
    tap_begin(1);
    usleep(2000);
    assert_false(tap_is_on());
    tap_put("x", RING_IN, "late", 4);
    assert_string_equal(tap_end(), "");
}

static void a_time_does_not_end_what_is_for_good(void **state)
{
    (void)state;
    tap_begin(-1);
    tap_record(1);
    usleep(2000);
    assert_true(tap_is_on());
    tap_record(0);
    assert_false(tap_is_on());
    tap_end();
}

static void without_a_ring_nothing_is_recorded(void **state)
{
    int fds[2];
    (void)state;
    assert_int_equal(pipe(fds), 0);
    tap_open(fds[0]);
    tap_record(-1);
    assert_false(tap_is_on());
    tap_put("x", RING_IN, "nowhere", 7);
    tap_close();
    assert_int_equal(close(fds[0]), 0); /* it was no ring: left alone */
    close(fds[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_put_while_it_is_on_is_there),
        cmocka_unit_test(it_ends_by_itself),
        cmocka_unit_test(a_time_does_not_end_what_is_for_good),
        cmocka_unit_test(without_a_ring_nothing_is_recorded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
