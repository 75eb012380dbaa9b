/* loop - stands in for base/loop.c: the same promises, kept by the clock of the simulation.
 *
 * What shall happen after a turn happens a moment later, so that a turn may bring more than one
 * thing. There is nothing to watch: lines and connections call by themselves. */
#include "base/loop.h"

#include "base/base.h"
#include "base/mem.h"
#include "chance.h"
#include "clock.h"
#include "turn.h"

enum { TURN_US = 400, BUSY_TURN_US = 30 * 1000 };

struct loop {
    enum actor actor;
};

struct event {
    uint64_t ticket;
    void *handle;
};

static void (*waits)(void);
static void (*ends[ACTORS])(void *owner);

void turn_on_run(void (*wait)(void))
{
    waits = wait;
}

void turn_on_stop(enum actor actor, void (*end)(void *owner))
{
    ends[actor] = end;
}

int loop_open(struct loop **out)
{
    *out = mem_new(struct loop);
    (*out)->actor = actor_now();
    return 0;
}

void loop_close(struct loop *loop)
{
    mem_free(loop);
}

void loop_run(struct loop *loop)
{
    (void)loop;
    waits();
}

void loop_stop(struct loop *loop)
{
    clock_after(0, ACTOR_WORLD, ends[loop->actor], NULL);
}

static void drop(struct event **event)
{
    if (*event == NULL)
        return;
    clock_cancel((*event)->ticket);
    mem_free(*event);
    *event = NULL;
}

static void start(struct loop *loop, struct event **event, void *handle, int64_t us,
                  void (*fire)(void *owner))
{
    drop(event);
    *event = mem_new(struct event);
    (*event)->handle = handle;
    (*event)->ticket = clock_after(us, loop->actor, fire, *event);
}

static void timer_due(void *owner)
{
    struct event *event = owner;
    struct loop_timer *timer = event->handle;
    timer->event = NULL;
    mem_free(event);
    timer->fire(timer);
}

void loop_timer_start(struct loop *loop, struct loop_timer *timer, int64_t ms)
{
    start(loop, &timer->event, timer, ms * CLOCK_MS, timer_due);
}

bool loop_timer_is_running(const struct loop_timer *timer)
{
    return timer->event != NULL;
}

void loop_timer_stop(struct loop_timer *timer)
{
    drop(&timer->event);
}

static void rest_due(void *owner)
{
    struct event *event = owner;
    struct loop_rest *rest = event->handle;
    rest->event = NULL;
    mem_free(event);
    rest->fire(rest);
}

void loop_rest_start(struct loop *loop, struct loop_rest *rest)
{
    if (rest->event == NULL)
        start(loop, &rest->event, rest,
              chance_below(chance_below(4) == 0 ? BUSY_TURN_US : TURN_US), rest_due);
}

void loop_rest_stop(struct loop_rest *rest)
{
    drop(&rest->event);
}

static struct loop_signal *asked[ACTORS];

void loop_signal_start(struct loop *loop, struct loop_signal *signal, int number)
{
    (void)number;
    asked[loop->actor] = signal;
}

void loop_signal_stop(struct loop_signal *signal)
{
    for (int actor = 0; actor < ACTORS; actor++)
        if (asked[actor] == signal)
            asked[actor] = NULL;
}

static void fire_signal(void *owner)
{
    struct loop_signal *signal = owner;
    signal->fire(signal);
}

void turn_signal(enum actor actor)
{
    if (asked[actor] != NULL)
        clock_after(0, actor, fire_signal, asked[actor]);
}

void loop_watch_start(struct loop *loop, struct loop_watch *watch, int fd, bool read,
                      bool write)
{
    (void)loop;
    (void)watch;
    (void)fd;
    (void)read;
    (void)write;
}

void loop_watch_stop(struct loop_watch *watch)
{
    (void)watch;
}

/* ---- base/now.h: its two clocks are read through here (ld --wrap) */

int64_t __wrap_now_mono_us(void);
int64_t __wrap_now_utc_us(void);

static int64_t utc_offset_us[ACTORS + 1];

void turn_set_utc(enum actor actor, int64_t offset_us)
{
    utc_offset_us[actor] = offset_us;
}

int64_t __wrap_now_mono_us(void)
{
    return clock_us();
}

int64_t __wrap_now_utc_us(void)
{
    return 1795230245000000 + clock_us() + utc_offset_us[actor_now()];
}
