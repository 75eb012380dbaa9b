/* The loop: timers, watches, rests and signals in the order that is promised. */
#include "base/loop.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/base.h"
#include "base/now.h"

struct world {
    struct loop *loop;
    struct loop_timer timer, other;
    struct loop_watch watch;
    struct loop_rest rest;
    struct loop_signal signal;
    int fds[2];
    char order[64];
};

static void note_down(struct world *world, char what)
{
    size_t length = strlen(world->order);
    if (length + 1 < sizeof(world->order))
        world->order[length] = what;
}

static void timer_fired(struct loop_timer *timer)
{
    note_down(container_of(timer, struct world, timer), 't');
}

static void end_fired(struct loop_timer *timer)
{
    loop_stop(container_of(timer, struct world, other)->loop);
}

static void rest_fired(struct loop_rest *rest)
{
    note_down(container_of(rest, struct world, rest), 'r');
}

static void watch_ready(struct loop_watch *watch, bool readable, bool writable)
{
    struct world *world = container_of(watch, struct world, watch);
    char byte;
    if (readable && read(world->fds[0], &byte, 1) == 1)
        note_down(world, byte);
    if (writable)
        note_down(world, 'w');
    loop_rest_start(world->loop, &world->rest);
}

static void signal_came(struct loop_signal *signal)
{
    struct world *world = container_of(signal, struct world, signal);
    note_down(world, 's');
    loop_stop(world->loop);
}

static struct world *world;

static int open_world(void **state)
{
    static struct world made;
    (void)state;
    world = &made;
    made = (struct world){.timer.fire = timer_fired,
                          .other.fire = end_fired,
                          .watch.ready = watch_ready,
                          .rest.fire = rest_fired,
                          .signal.fire = signal_came};
    return loop_open(&made.loop) || pipe(made.fds);
}

static int close_world(void **state)
{
    (void)state;
    loop_timer_stop(&world->timer);
    loop_timer_stop(&world->other);
    loop_watch_stop(&world->watch);
    loop_rest_stop(&world->rest);
    loop_signal_stop(&world->signal);
    loop_close(world->loop);
    close(world->fds[0]);
    close(world->fds[1]);
    return 0;
}

static void a_timer_fires_once_and_not_early(void **state)
{
    (void)state;
    int64_t start = now_mono_us();
    loop_timer_start(world->loop, &world->timer, 20);
    assert_true(loop_timer_is_running(&world->timer));
    while (loop_turn(world->loop))
        ;
    assert_string_equal(world->order, "t");
    assert_false(loop_timer_is_running(&world->timer));
    assert_true(now_mono_us() - start >= 19000);
}

static void starting_a_running_timer_starts_it_anew(void **state)
{
    (void)state;
    loop_timer_start(world->loop, &world->timer, 60000);
    loop_timer_start(world->loop, &world->timer, -5);
    assert_true(loop_turn(world->loop));
    assert_string_equal(world->order, "t");
}

static void a_stopped_timer_never_fires(void **state)
{
    (void)state;
    loop_timer_stop(&world->timer);
    loop_timer_start(world->loop, &world->timer, 0);
    loop_timer_stop(&world->timer);
    loop_timer_stop(&world->timer);
    loop_timer_start(world->loop, &world->other, 10);
    loop_run(world->loop);
    assert_string_equal(world->order, "");
}

static void a_watch_is_called_while_there_is_something(void **state)
{
    (void)state;
    assert_int_equal(write(world->fds[1], "abc", 3), 3);
    loop_watch_start(world->loop, &world->watch, world->fds[0], true, false);
    loop_timer_start(world->loop, &world->other, 20);
    loop_run(world->loop);
    assert_string_equal(world->order, "arbrcr");
}

static void a_rest_waits_for_all_that_is_ready(void **state)
{
    (void)state;
    assert_int_equal(write(world->fds[1], "a", 1), 1);
    loop_watch_start(world->loop, &world->watch, world->fds[0], true, false);
    loop_timer_start(world->loop, &world->timer, 0);
    usleep(2000);
    loop_turn(world->loop);
    assert_string_equal(world->order, "atr");
}

/* A pipe's end can always be written: the watch is ready in every turn. */
static void a_rest_comes_although_something_is_always_ready(void **state)
{
    (void)state;
    loop_watch_start(world->loop, &world->watch, world->fds[1], false, true);
    loop_timer_start(world->loop, &world->other, 10);
    loop_run(world->loop);
    assert_ptr_equal(strstr(world->order, "wrwr"), world->order);
}

static void a_stopped_rest_does_not_fire(void **state)
{
    (void)state;
    loop_rest_start(world->loop, &world->rest);
    loop_rest_stop(&world->rest);
    loop_timer_start(world->loop, &world->other, 10);
    loop_run(world->loop);
    assert_string_equal(world->order, "");
}

static void writing_is_watched_when_asked_for(void **state)
{
    (void)state;
    loop_watch_start(world->loop, &world->watch, world->fds[1], false, true);
    assert_true(loop_turn(world->loop));
    assert_int_equal(world->order[0], 'w');
}

static void a_signal_is_an_event_like_others(void **state)
{
    (void)state;
    loop_signal_start(world->loop, &world->signal, SIGUSR1);
    kill(getpid(), SIGUSR1);
    loop_run(world->loop);
    assert_string_equal(world->order, "s");
}

static void a_turn_without_anything_to_wait_for_says_so(void **state)
{
    (void)state;
    assert_false(loop_turn(world->loop));
}

#define in_a_world(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_world(a_timer_fires_once_and_not_early),
        in_a_world(starting_a_running_timer_starts_it_anew),
        in_a_world(a_stopped_timer_never_fires),
        in_a_world(a_watch_is_called_while_there_is_something),
        in_a_world(a_rest_waits_for_all_that_is_ready),
        in_a_world(a_rest_comes_although_something_is_always_ready),
        in_a_world(a_stopped_rest_does_not_fire),
        in_a_world(writing_is_watched_when_asked_for),
        in_a_world(a_signal_is_an_event_like_others),
        in_a_world(a_turn_without_anything_to_wait_for_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
