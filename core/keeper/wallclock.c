/* wallclock - see wallclock.h.
 *
 * Invariant: UTC minus monotonic differed from word.offset_us by less than WALLCLOCK_JUMP_US whenever
 * it was looked at, or the jump has been recorded and offset_us is the new one. Small steps add up:
 * the offset moves with a recorded jump only. When the group with the record is undone, so is the
 * word. */
#include "keeper/wallclock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/base.h"
#include "keeper/journal/scan.h"
#include "keeper/self.h"
#include "proof/receipt.h"

enum { EVENTS_BACK = 1024, STALL_US = 50 * 1000, TRIES = 5 };

/* ---- What the journal knows */

struct recall {
    struct wallclock_word *word;
    int64_t synced_us; /* the newest time of a synchronised clock, 0 none */
};

static void take_own(struct wallclock_word *word, const struct event_clock *clock,
                     const char *type)
{
    word->knows = true;
    word->offset_us = clock->utc_us - clock->mono_us;
    if (clock->quality == NOW_UNSET || strcmp(type, "clock.jumped") == 0)
        word->was_wrong = true;
    if (strcmp(type, "clock.corrected") == 0)
        word->was_wrong = false;
}

static int take_event(void *owner, const struct store_event *event)
{
    struct recall *recall = owner;
    struct event_clock clock;
    char type[WORD_TYPE_MAX + 1];
    if (event_clock(&clock, event->body, event->length) != 0 ||
        event_type(type, event->body, event->length) != 0)
        return 0;
    if (clock.quality == NOW_SYNCED)
        recall->synced_us = clock.utc_us;
    if (strcmp(clock.boot, now_boot()) == 0)
        take_own(recall->word, &clock, type);
    return 0;
}

/* The newest synchronised time, not the highest: a clock that once ran ahead, and was put right, must
 * not lock this office out for years. One that is on its own says nothing to rely on. */
static void recall_events(struct wallclock *wallclock, struct journal *journal)
{
    struct recall recall = {.word = &wallclock->kept};
    struct scan_filter all = {.lane = -1};
    int64_t seq = journal->size > EVENTS_BACK ? journal->size - EVENTS_BACK : 0;
    int64_t before = -1;
    while (seq < journal->size && seq != before) {
        before = seq;
        if (scan_events(journal, &all, &seq, take_event, &recall) != 0)
            break; /* whoever needs the event says that it cannot be read */
    }
    wallclock->word = wallclock->kept;
    now_lift_floor(recall.synced_us);
}

static void recall_receipt(struct journal *journal)
{
    struct receipt receipt;
    if (journal->receipt.length > 0 && receipt_read(&receipt, journal->receipt.bytes,
                                                    journal->receipt.length, NULL) == 0)
        now_lift_floor(receipt.time_us);
}

/* ---- Looking */

/* Both clocks at one moment: should the machine stand still in between, it is no jump. */
static void see(struct wallclock_sight *sight)
{
    for (int i = 0; i < TRIES; i++) {
        sight->mono_us = now_mono_us();
        sight->utc_us = now_utc_us();
        if (now_mono_us() - sight->mono_us < STALL_US)
            break;
    }
    sight->quality = now_quality();
}

static void record_jump(struct wallclock *wallclock, const struct wallclock_sight *sight,
                        int64_t jump_us)
{
    char from[NOW_TEXT_ROOM], to[NOW_TEXT_ROOM], data[160];
    int64_t distance_ms = (jump_us < 0 ? -jump_us : jump_us) / 1000;
    now_format(from, sight->utc_us - jump_us);
    now_format(to, sight->utc_us);
    snprintf(data, sizeof(data),
             "{\"from\":\"%s\",\"to\":\"%s\",\"seconds\":%s%" PRId64 ".%03d}", from, to,
             jump_us < 0 ? "-" : "", distance_ms / 1000, (int)(distance_ms % 1000));
    self_record(wallclock->group, "clock.jumped", data);
}

static void record_correction(struct wallclock *wallclock,
                              const struct wallclock_sight *sight)
{
    char utc[NOW_TEXT_ROOM], data[160];
    now_format(utc, sight->utc_us);
    snprintf(data, sizeof(data),
             "{\"boot\":\"%s\",\"mono\":\"%" PRId64 "\",\"utc\":\"%s\"}", now_boot(),
             sight->mono_us, utc);
    self_record(wallclock->group, "clock.corrected", data);
}

/* The first sight of a boot: there is nothing to compare with, and nothing to record. */
static void begin(struct wallclock *wallclock, int64_t offset_us)
{
    wallclock->word.knows = true;
    wallclock->word.offset_us = offset_us;
    wallclock->kept = wallclock->word;
}

/* A word is given before it is recorded, for what fails at once is taken back at once. */
void wallclock_look(struct wallclock *wallclock, const struct wallclock_sight *sight)
{
    struct wallclock_word *word = &wallclock->word;
    int64_t offset_us = sight->utc_us - sight->mono_us;
    if (!word->knows)
        begin(wallclock, offset_us);
    if (sight->quality == NOW_UNSET)
        word->was_wrong = wallclock->kept.was_wrong = true;
    int64_t moved_us = offset_us - word->offset_us;
    if (moved_us >= WALLCLOCK_JUMP_US || moved_us <= -WALLCLOCK_JUMP_US) {
        word->offset_us = offset_us;
        word->was_wrong = true;
        record_jump(wallclock, sight, moved_us);
    }
    if (sight->quality == NOW_SYNCED && word->was_wrong) {
        word->was_wrong = false;
        record_correction(wallclock, sight);
    }
}

void wallclock_committed(struct wallclock *wallclock, int err)
{
    if (err)
        wallclock->word = wallclock->kept;
    else
        wallclock->kept = wallclock->word;
}

/* Asks to be told when the clock is set: by cancelling a timer that never comes. */
static void listen_to_kernel(struct wallclock *wallclock)
{
    static const struct itimerspec NEVER = {.it_value.tv_sec = INT32_MAX * 16LL};
    if (wallclock->fd < 0)
        return;
    if (timerfd_settime(wallclock->fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET,
                        &NEVER, NULL) == 0)
        return;
    loop_watch_stop(&wallclock->set);
    close(wallclock->fd);
    wallclock->fd = -1;
}

static void look_now(struct wallclock *wallclock)
{
    struct wallclock_sight sight;
    see(&sight);
    wallclock_look(wallclock, &sight);
}

static void look_again(struct loop_timer *timer)
{
    struct wallclock *wallclock = container_of(timer, struct wallclock, look);
    look_now(wallclock);
    loop_timer_start(wallclock->loop, timer, WALLCLOCK_LOOK_MS);
}

static void clock_was_set(struct loop_watch *watch, bool readable, bool writable)
{
    struct wallclock *wallclock = container_of(watch, struct wallclock, set);
    uint64_t times;
    (void)readable;
    (void)writable;
    if (read(wallclock->fd, &times, sizeof(times)) < 0 && errno == EAGAIN)
        return;
    listen_to_kernel(wallclock);
    look_now(wallclock);
}

/* ---- Open and close */

void wallclock_open(struct wallclock *wallclock, struct loop *loop, struct group *group)
{
    *wallclock = (struct wallclock){.loop = loop,
                                    .group = group,
                                    .fd = -1,
                                    .look.fire = look_again,
                                    .set.ready = clock_was_set};
    recall_events(wallclock, group->journal);
    recall_receipt(group->journal);
}

void wallclock_start(struct wallclock *wallclock)
{
    wallclock->fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    listen_to_kernel(wallclock);
    if (wallclock->fd >= 0)
        loop_watch_start(wallclock->loop, &wallclock->set, wallclock->fd, true, false);
    loop_timer_start(wallclock->loop, &wallclock->look, 0);
}

void wallclock_close(struct wallclock *wallclock)
{
    if (wallclock->loop == NULL)
        return;
    loop_timer_stop(&wallclock->look);
    loop_watch_stop(&wallclock->set);
    if (wallclock->fd >= 0)
        close(wallclock->fd);
    wallclock->fd = -1;
}
