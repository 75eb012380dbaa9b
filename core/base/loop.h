/* loop - the event loop: one thread, one loop, every callback of the program.
 *
 * Handles are embedded in the object that needs them. The owner keeps the memory; the loop only
 * borrows it between start and stop. Starting a started handle starts it anew, stopping a stopped
 * one does nothing, so owners need no "is it on?" flag; a zeroed handle is a stopped one. A handle
 * must be stopped before its memory goes. Times are monotonic milliseconds. */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct event;

struct loop_timer {
    void (*fire)(struct loop_timer *timer);
    struct event *event;
};

/* Called while `fd` can be read or written, as asked. */
struct loop_watch {
    void (*ready)(struct loop_watch *watch, bool readable, bool writable);
    struct event *event;
};

/* Called once per start, after all that this turn of the loop has found ready had its call: the
 * place to commit what a whole turn has gathered. */
struct loop_rest {
    void (*fire)(struct loop_rest *rest);
    struct event *event;
};

struct loop_signal {
    void (*fire)(struct loop_signal *signal);
    struct event *event;
};

int loop_open(struct loop **out);
void loop_close(struct loop *loop);

/* Runs until loop_stop(). */
void loop_run(struct loop *loop);
/* Runs what is ready, waiting at most until something is. False when nothing is left to wait for. */
bool loop_turn(struct loop *loop);
void loop_stop(struct loop *loop);

/* Fires once. */
void loop_timer_start(struct loop *loop, struct loop_timer *timer, int64_t ms);
bool loop_timer_is_running(const struct loop_timer *timer);
void loop_timer_stop(struct loop_timer *timer);

void loop_watch_start(struct loop *loop, struct loop_watch *watch, int fd, bool read,
                      bool write);
void loop_watch_stop(struct loop_watch *watch);

void loop_rest_start(struct loop *loop, struct loop_rest *rest);
void loop_rest_stop(struct loop_rest *rest);

void loop_signal_start(struct loop *loop, struct loop_signal *signal, int number);
void loop_signal_stop(struct loop_signal *signal);

#endif
