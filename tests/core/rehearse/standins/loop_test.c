/* The loop of a rehearsal: real file descriptors, timers of its own time. */
#include "rehearse/standins/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/base.h"
#include "base/now.h"
#include "rehearse/standins/now_clock.h"

static struct loop *loop;
static char order[64];
static int64_t fired_us;

struct named {
    struct loop_timer timer;
    char name;
    int64_t again_ms; /* 0: once */
};

static void note(char name)
{
    size_t length = strlen(order);
    if (length < sizeof(order) - 1)
        order[length] = name;
}

static void named_fire(struct loop_timer *timer)
{
    struct named *named = container_of(timer, struct named, timer);
    note(named->name);
    fired_us = now_mono_us();
    if (named->again_ms != 0)
        loop_timer_start(loop, timer, named->again_ms);
}

static int set_up(void **state)
{
    (void)state;
    memset(order, 0, sizeof(order));
    now_clock_begin(1000000);
    return loop_open(&loop);
}

static int tear_down(void **state)
{
    (void)state;
    loop_close(loop);
    return 0;
}

static int64_t begin(void)
{
    return NOW_CLOCK_BEGIN_US;
}

static void an_hour_passes_at_once(void **state)
{
    struct named every = {.timer.fire = named_fire, .name = 'x', .again_ms = 1000};
    (void)state;
    loop_timer_start(loop, &every.timer, 1000);
    assert_int_equal(loop_play(loop, begin() + 3600 * 1000000LL, NULL), LOOP_PLAYED);
    assert_int_equal(now_mono_us(), begin() + 3600 * 1000000LL);
    assert_int_equal(fired_us, now_mono_us());
    loop_timer_stop(&every.timer);
}

static void timers_fire_in_the_order_of_their_time(void **state)
{
    struct named a = {.timer.fire = named_fire, .name = 'a'};
    struct named b = {.timer.fire = named_fire, .name = 'b'};
    struct named c = {.timer.fire = named_fire, .name = 'c'};
    struct named d = {.timer.fire = named_fire, .name = 'd'};
    (void)state;
    loop_timer_start(loop, &c.timer, 30);
    loop_timer_start(loop, &a.timer, 10);
    loop_timer_start(loop, &b.timer, 10);
    loop_timer_start(loop, &d.timer, 20);
    loop_timer_stop(&d.timer);
    loop_play(loop, begin() + 20000, NULL);
    assert_string_equal(order, "ab");
    assert_true(loop_timer_is_running(&c.timer));
    loop_play(loop, begin() + 30000, NULL);
    assert_string_equal(order, "abc");
    assert_false(loop_timer_is_running(&c.timer));
}

struct reader {
    struct loop_watch watch;
    int fd;
};

static void reader_ready(struct loop_watch *watch, bool readable, bool writable)
{
    char byte;
    assert_true(readable);
    assert_false(writable);
    assert_int_equal(read(container_of(watch, struct reader, watch)->fd, &byte, 1), 1);
    note(byte);
}

static void what_can_be_read_comes_before_time_passes(void **state)
{
    struct reader reader = {.watch.ready = reader_ready};
    struct named timer = {.timer.fire = named_fire, .name = 't'};
    int fds[2];
    (void)state;
    assert_int_equal(pipe(fds), 0);
    reader.fd = fds[0];
    loop_watch_start(loop, &reader.watch, fds[0], true, false);
    loop_timer_start(loop, &timer.timer, 0);
    assert_int_equal(write(fds[1], "xy", 2), 2);
    loop_play(loop, begin(), NULL);
    assert_string_equal(order, "xyt");
    loop_watch_stop(&reader.watch);
    close(fds[0]);
    close(fds[1]);
}

static void rest_fire(struct loop_rest *rest)
{
    (void)rest;
    note('r');
}

static void a_rest_comes_behind_what_was_ready(void **state)
{
    struct reader reader = {.watch.ready = reader_ready};
    int fds[2];
    struct loop_rest rest = {.fire = rest_fire}, stopped = {.fire = rest_fire};
    (void)state;
    assert_int_equal(pipe(fds), 0);
    reader.fd = fds[0];
    loop_watch_start(loop, &reader.watch, fds[0], true, false);
    assert_int_equal(write(fds[1], "x", 1), 1);
    loop_rest_start(loop, &rest);
    loop_rest_start(loop, &rest);
    loop_rest_start(loop, &stopped);
    loop_rest_stop(&stopped);
    loop_play(loop, begin(), NULL);
    assert_string_equal(order, "xr");
    loop_watch_stop(&reader.watch);
    close(fds[0]);
    close(fds[1]);
}

static void stop_timer(struct loop_timer *timer)
{
    (void)timer;
    loop_stop(loop);
}

static void it_stops_when_told_and_goes_on_from_there(void **state)
{
    struct named after = {.timer.fire = named_fire, .name = 'b'};
    struct loop_timer stop = {.fire = stop_timer};
    (void)state;
    loop_timer_start(loop, &stop, 10);
    loop_timer_start(loop, &after.timer, 20);
    assert_int_equal(loop_play(loop, begin() + 100000, NULL), LOOP_STOPPED);
    assert_int_equal(now_mono_us(), begin() + 10000);
    assert_int_equal(loop_play(loop, begin() + 100000, NULL), LOOP_PLAYED);
    assert_string_equal(order, "b");
}

static bool has_enough;

static void have_enough(struct loop_timer *timer)
{
    (void)timer;
    has_enough = true;
}

static void it_ends_when_somebody_has_enough(void **state)
{
    struct loop_timer timer = {.fire = have_enough};
    (void)state;
    has_enough = false;
    loop_timer_start(loop, &timer, 10);
    assert_int_equal(loop_play(loop, begin() + 100000, &has_enough), LOOP_ENOUGH);
    assert_int_equal(now_mono_us(), begin() + 10000);
}

static void what_goes_on_while_no_time_passes_is_told(void **state)
{
    struct named still = {.timer.fire = named_fire, .name = 'x', .again_ms = -1};
    (void)state;
    loop_timer_start(loop, &still.timer, 0);
    assert_int_equal(loop_play(loop, begin() + 1, NULL), LOOP_STILL);
    loop_timer_stop(&still.timer);
}

static void the_wall_clock_can_be_set_alone(void **state)
{
    (void)state;
    assert_int_equal(now_utc_us(), 1000000);
    now_clock_pass(500);
    now_clock_jump(-700);
    assert_int_equal(now_utc_us(), 1000000 - 200);
    assert_int_equal(now_clock_elapsed_us(), 500);
    now_clock_go(begin()); /* back it does not go */
    assert_int_equal(now_mono_us(), begin() + 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_hour_passes_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(timers_fire_in_the_order_of_their_time, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_can_be_read_comes_before_time_passes, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_rest_comes_behind_what_was_ready, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(it_stops_when_told_and_goes_on_from_there, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(it_ends_when_somebody_has_enough, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_goes_on_while_no_time_passes_is_told, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_wall_clock_can_be_set_alone, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
