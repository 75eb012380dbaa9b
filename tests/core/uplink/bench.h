/* bench - a sync engine, and a keeper that answers its fetches when a test says so. */
#ifndef UPLINK_BENCH_H
#define UPLINK_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "uplink/sync.h"

struct bench {
    struct sync sync;
    int64_t now;
    uint32_t fetch[LANES]; /* ids asked of the keeper */
    int64_t from[LANES];
    unsigned cancels, resets;
};

static void drain(struct bench *b)
{
    struct sync_step step;
    while (sync_step(&b->sync, &step, b->now)) {
        if (step.deed == SYNC_FETCH) {
            assert_int_equal(b->fetch[step.lane], 0);
            b->fetch[step.lane] = step.id;
            b->from[step.lane] = step.from;
        } else if (step.deed == SYNC_CANCEL) {
            assert_int_equal(b->fetch[step.lane], step.id);
            b->fetch[step.lane] = 0;
            b->cancels++;
        } else {
            b->resets++;
        }
    }
}

static void begin(struct bench *b)
{
    memset(b, 0, sizeof(*b));
    b->now = 1000;
    sync_begin(&b->sync);
    for (int lane = 0; lane < LANES; lane++)
        sync_mark(&b->sync, (enum talk_lane)lane, -1, b->now);
    sync_up(&b->sync, SYNC_ALARM, b->now);
    sync_up(&b->sync, SYNC_BULK, b->now);
    drain(b);
}

/* The keeper answers a lane's fetch with one event of `bytes`. */
static struct sync_batch answer(struct bench *b, enum talk_lane lane, int64_t seq,
                                size_t bytes)
{
    struct sync_batch batch = {0};
    struct sync_entry entry = {seq, bytes};
    uint32_t id = b->fetch[lane];
    b->fetch[lane] = 0;
    assert_int_equal(sync_take(&b->sync, id, &entry, 1, seq + 1, &batch, b->now), 1);
    drain(b);
    return batch;
}

#endif
