/* loop - see loop.h.
 *
 * Invariant: a handle's event is in one list of its loop exactly while the handle is started. Timers
 * are sorted by time, those of one time by when they were started. */
#include "rehearse/standins/loop.h"

#include <poll.h>

#include "base/base.h"
#include "base/mem.h"
#include "base/now.h"
#include "rehearse/standins/now_clock.h"

enum { WATCHES_MAX = 64 };

struct event {
    struct event *next;
    struct event **list;
    void *handle;
    int64_t due_us; /* of a timer */
    int fd;         /* of a watch */
    short wants;
};

struct loop {
    struct event *timers, *watches, *rests;
    bool stopped;
    int still; /* so much has happened since the clock moved */
    int64_t still_us;
};

int loop_open(struct loop **out)
{
    *out = mem_new(struct loop);
    return 0;
}

void loop_close(struct loop *loop)
{
    mem_free(loop);
}

void loop_stop(struct loop *loop)
{
    loop->stopped = true;
}

/* ---- Lists */

static void drop_event(struct event **event)
{
    struct event *gone = *event;
    if (gone == NULL)
        return;
    struct event **link = gone->list;
    while (*link != gone)
        link = &(*link)->next;
    *link = gone->next;
    mem_free(gone);
    *event = NULL;
}

static void put_last(struct event **list, struct event *event)
{
    struct event **link = list;
    while (*link != NULL && (*link)->due_us <= event->due_us)
        link = &(*link)->next;
    event->list = list;
    event->next = *link;
    *link = event;
}

static struct event *new_event(struct event **list, void *handle, int64_t due_us)
{
    struct event *event = mem_new(struct event);
    event->handle = handle;
    event->due_us = due_us;
    event->fd = -1;
    put_last(list, event);
    return event;
}

/* ---- Handles */

void loop_timer_start(struct loop *loop, struct loop_timer *timer, int64_t ms)
{
    loop_timer_stop(timer);
    timer->event =
        new_event(&loop->timers, timer, now_mono_us() + (ms > 0 ? ms * 1000 : 0));
}

bool loop_timer_is_running(const struct loop_timer *timer)
{
    return timer->event != NULL;
}

void loop_timer_stop(struct loop_timer *timer)
{
    drop_event(&timer->event);
}

void loop_watch_start(struct loop *loop, struct loop_watch *watch, int fd, bool read,
                      bool write)
{
    loop_watch_stop(watch);
    watch->event = new_event(&loop->watches, watch, 0);
    watch->event->fd = fd;
    watch->event->wants = (short)((read ? POLLIN : 0) | (write ? POLLOUT : 0));
}

void loop_watch_stop(struct loop_watch *watch)
{
    drop_event(&watch->event);
}

void loop_rest_start(struct loop *loop, struct loop_rest *rest)
{
    if (rest->event == NULL)
        rest->event = new_event(&loop->rests, rest, 0);
}

void loop_rest_stop(struct loop_rest *rest)
{
    drop_event(&rest->event);
}

/* Nobody sends signals to a rehearsal. */
void loop_signal_start(struct loop *loop, struct loop_signal *signal, int number)
{
    (void)loop;
    (void)signal;
    (void)number;
}

void loop_signal_stop(struct loop_signal *signal)
{
    (void)signal;
}

/* ---- What happens next */

/* Calls the first watch that is ready; it goes to the end, so that all have their turn. */
static bool play_watch(struct loop *loop)
{
    struct pollfd asked[WATCHES_MAX];
    nfds_t count = 0, at = 0;
    for (struct event *event = loop->watches; event != NULL; event = event->next) {
        ASSERT(count < WATCHES_MAX);
        asked[count++] = (struct pollfd){.fd = event->fd, .events = event->wants};
    }
    if (count == 0 || poll(asked, count, 0) <= 0)
        return false;
    struct event **link = &loop->watches;
    for (; at < count && asked[at].revents == 0; at++)
        link = &(*link)->next;
    struct event *event = *link;
    short came = asked[at].revents;
    *link = event->next;
    put_last(&loop->watches, event);
    struct loop_watch *watch = event->handle;
    watch->ready(watch, (event->wants & POLLIN) && (came & ~POLLOUT), came & POLLOUT);
    return true;
}

static bool play_rest(struct loop *loop)
{
    if (loop->rests == NULL)
        return false;
    struct loop_rest *rest = loop->rests->handle;
    drop_event(&rest->event);
    rest->fire(rest);
    return true;
}

static bool play_timer(struct loop *loop, int64_t until_us)
{
    if (loop->timers == NULL || loop->timers->due_us > until_us)
        return false;
    struct loop_timer *timer = loop->timers->handle;
    now_clock_go(timer->event->due_us);
    drop_event(&timer->event);
    timer->fire(timer);
    return true;
}

static bool play_one(struct loop *loop, int64_t until_us)
{
    return play_watch(loop) || play_rest(loop) || play_timer(loop, until_us);
}

static bool is_still(struct loop *loop)
{
    int64_t now_us = now_mono_us();
    loop->still = now_us == loop->still_us ? loop->still + 1 : 0;
    loop->still_us = now_us;
    return loop->still >= LOOP_STILL_MAX;
}

enum loop_end loop_play(struct loop *loop, int64_t until_us, const bool *enough)
{
    loop->stopped = false;
    loop->still = 0;
    while (play_one(loop, until_us)) {
        if (loop->stopped)
            return LOOP_STOPPED;
        if (enough != NULL && *enough)
            return LOOP_ENOUGH;
        if (is_still(loop))
            return LOOP_STILL;
    }
    now_clock_go(until_us);
    return LOOP_PLAYED;
}

bool loop_turn(struct loop *loop)
{
    return play_one(loop, INT64_MAX);
}

void loop_run(struct loop *loop)
{
    loop_play(loop, INT64_MAX, NULL);
}
