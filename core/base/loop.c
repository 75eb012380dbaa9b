/* loop - see loop.h. The door to libevent.
 *
 * Invariant: a handle's event is NULL exactly while the handle is stopped; the event is made at
 * start and freed at stop or, for what fires once, just before it fires.
 *
 * A loop_rest goes to the end of the queue of what this turn has found ready. It has no lower
 * priority: a line that always has one more message would keep it waiting for ever. */
#include "base/loop.h"

#include <errno.h>
#include <event2/event.h>

#include "base/base.h"
#include "base/mem.h"

struct loop {
    struct event_base *base;
};

int loop_open(struct loop **out)
{
    struct event_config *config = event_config_new();
    ASSERT(config != NULL);
    event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
    struct event_base *base = event_base_new_with_config(config);
    event_config_free(config);
    if (base == NULL)
        return -EMFILE;
    struct loop *loop = mem_new(struct loop);
    loop->base = base;
    *out = loop;
    return 0;
}

void loop_close(struct loop *loop)
{
    if (loop == NULL)
        return;
    event_base_free(loop->base);
    mem_free(loop);
}

void loop_run(struct loop *loop)
{
    event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY);
}

bool loop_turn(struct loop *loop)
{
    return event_base_loop(loop->base, EVLOOP_ONCE) == 0;
}

void loop_stop(struct loop *loop)
{
    event_base_loopbreak(loop->base);
}

static void drop_event(struct event **event)
{
    if (*event == NULL)
        return;
    event_free(*event);
    *event = NULL;
}

static struct event *new_event(struct loop *loop, int fd, short what,
                               event_callback_fn call, void *handle)
{
    struct event *event = event_new(loop->base, fd, what, call, handle);
    ASSERT(event != NULL);
    return event;
}

static void timer_over(evutil_socket_t fd, short what, void *handle)
{
    struct loop_timer *timer = handle;
    (void)fd;
    (void)what;
    drop_event(&timer->event);
    timer->fire(timer);
}

void loop_timer_start(struct loop *loop, struct loop_timer *timer, int64_t ms)
{
    if (ms < 0)
        ms = 0;
    struct timeval after = {.tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000};
    loop_timer_stop(timer);
    timer->event = new_event(loop, -1, 0, timer_over, timer);
    event_add(timer->event, &after);
}

bool loop_timer_is_running(const struct loop_timer *timer)
{
    return timer->event != NULL;
}

void loop_timer_stop(struct loop_timer *timer)
{
    drop_event(&timer->event);
}

static void watch_ready(evutil_socket_t fd, short what, void *handle)
{
    struct loop_watch *watch = handle;
    (void)fd;
    watch->ready(watch, what & EV_READ, what & EV_WRITE);
}

void loop_watch_start(struct loop *loop, struct loop_watch *watch, int fd, bool read,
                      bool write)
{
    short what = EV_PERSIST | (read ? EV_READ : 0) | (write ? EV_WRITE : 0);
    loop_watch_stop(watch);
    watch->event = new_event(loop, fd, what, watch_ready, watch);
    int err = event_add(watch->event, NULL);
    ASSERT(err == 0);
}

void loop_watch_stop(struct loop_watch *watch)
{
    drop_event(&watch->event);
}

static void rest_over(evutil_socket_t fd, short what, void *handle)
{
    struct loop_rest *rest = handle;
    (void)fd;
    (void)what;
    drop_event(&rest->event);
    rest->fire(rest);
}

void loop_rest_start(struct loop *loop, struct loop_rest *rest)
{
    if (rest->event != NULL)
        return;
    rest->event = new_event(loop, -1, 0, rest_over, rest);
    event_active(rest->event, EV_TIMEOUT, 1);
}

void loop_rest_stop(struct loop_rest *rest)
{
    drop_event(&rest->event);
}

static void signal_came(evutil_socket_t number, short what, void *handle)
{
    struct loop_signal *signal = handle;
    (void)number;
    (void)what;
    signal->fire(signal);
}

void loop_signal_start(struct loop *loop, struct loop_signal *signal, int number)
{
    loop_signal_stop(signal);
    signal->event = new_event(loop, number, EV_SIGNAL | EV_PERSIST, signal_came, signal);
    event_add(signal->event, NULL);
}

void loop_signal_stop(struct loop_signal *signal)
{
    drop_event(&signal->event);
}
