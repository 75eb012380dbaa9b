/* world - a journal, two links, a broker that forgets, a city that is restored; all by chance. */
#ifndef UPLINK_WORLD_H
#define UPLINK_WORLD_H

#include <stdlib.h>

#include "base/base.h"
#include "uplink/bench.h"

enum { EVENTS = 120, PIPE = 256, SCHEDULES = 400, OPERATIONS = 400 };

struct message {
    enum sync_link link;
    uint32_t token;
    int lane;
    int64_t prev;
    unsigned count;
    int64_t seqs[SYNC_BATCH_EVENTS];
};

struct pipe {
    unsigned count;
    struct message messages[PIPE];
};

struct world {
    struct bench bench;
    unsigned seed;
    int64_t size;
    int lane_of[EVENTS];
    bool up[SYNC_LINKS];
    struct pipe to_broker[SYNC_LINKS], to_city;
    bool has[EVENTS];
    int64_t mark[LANES]; /* at the city */
};

static unsigned chance(struct world *w, unsigned below)
{
    w->seed = w->seed * 1103515245u + 12345u;
    return (w->seed >> 8) % below;
}

static bool pop(struct pipe *pipe, struct message *message)
{
    if (pipe->count == 0)
        return false;
    *message = pipe->messages[0];
    pipe->count--;
    memmove(pipe->messages, pipe->messages + 1, pipe->count * sizeof(*message));
    return true;
}

static void push(struct pipe *pipe, const struct message *message)
{
    if (pipe->count < PIPE) /* a broker whose queue is full drops the newest */
        pipe->messages[pipe->count++] = *message;
}

static int64_t lane_before(const struct world *w, int lane, int64_t seq)
{
    do
        seq--;
    while (seq >= 0 && w->lane_of[seq] != lane);
    return seq;
}

static void emit(struct world *w)
{
    if (w->size < EVENTS)
        w->lane_of[w->size++] = (int)chance(w, LANES);
}

static void answer_fetch(struct world *w, int lane)
{
    struct bench *b = &w->bench;
    struct sync_entry entries[EVENTS];
    struct sync_batch batch;
    size_t count = 0;
    size_t most = 1 + chance(w, 6);
    int64_t seq = b->from[lane];
    if (b->fetch[lane] == 0)
        return;
    for (; seq < w->size && count < most; seq++)
        if (w->lane_of[seq] == lane)
            entries[count++] = (struct sync_entry){seq, 100};
    if (count == 0)
        return;
    uint32_t id = b->fetch[lane];
    b->fetch[lane] = 0;
    int publish = sync_take(&b->sync, id, entries, count, seq, &batch, b->now);
    assert_int_equal(publish, 1);
    struct message message = {batch.link, batch.token, lane,
                              batch.prev, batch.count, {0}};
    for (unsigned i = 0; i < batch.count; i++)
        message.seqs[i] = entries[i].seq;
    assert_int_equal(batch.prev, lane_before(w, lane, entries[0].seq));
    assert_true(w->up[batch.link]);
    assert_true(w->to_broker[batch.link].count < SYNC_FLIGHTS);
    push(&w->to_broker[batch.link], &message);
}

static void broker_takes(struct world *w, enum sync_link link)
{
    struct message message;
    if (!w->up[link] || !pop(&w->to_broker[link], &message))
        return;
    int reason = chance(w, 20) == 0 ? 0x10 : chance(w, 30) == 0 ? 0x87 : 0;
    if (reason == 0)
        push(&w->to_city, &message);
    sync_acked(&w->bench.sync, link, message.token, reason, w->bench.now);
}

static void city_takes(struct world *w)
{
    struct message message;
    if (!pop(&w->to_city, &message))
        return;
    for (unsigned i = 0; i < message.count; i++)
        w->has[message.seqs[i]] = true;
    for (int lane = 0; lane < LANES; lane++)
        for (int64_t seq = 0; seq < w->size; seq++)
            if (w->lane_of[seq] == lane && w->has[seq] &&
                lane_before(w, lane, seq) == w->mark[lane])
                w->mark[lane] = seq;
}

static void restore_city(struct world *w)
{
    int64_t from = chance(w, EVENTS);
    for (int64_t seq = from; seq < EVENTS; seq++)
        w->has[seq] = false;
    for (int lane = 0; lane < LANES; lane++)
        if (w->mark[lane] >= from)
            w->mark[lane] = lane_before(w, lane, from);
}

static void set_link(struct world *w, enum sync_link link, bool up)
{
    if (w->up[link] == up)
        return;
    w->up[link] = up;
    w->to_broker[link].count = 0;
    if (up)
        sync_up(&w->bench.sync, link, w->bench.now);
    else
        sync_down(&w->bench.sync, link);
}

static void tell_marks(struct world *w)
{
    for (int lane = 0; lane < LANES; lane++)
        sync_mark(&w->bench.sync, (enum talk_lane)lane, w->mark[lane], w->bench.now);
}

static void operate(struct world *w, unsigned what)
{
    switch (what) {
    case 0 ... 5:
        emit(w);
        break;
    case 6 ... 12:
        answer_fetch(w, (int)chance(w, LANES));
        break;
    case 13 ... 20:
        broker_takes(w, (enum sync_link)chance(w, SYNC_LINKS));
        break;
    case 21 ... 26:
        city_takes(w);
        break;
    case 27 ... 29:
        tell_marks(w);
        break;
    case 30:
        w->to_city.count = chance(w, w->to_city.count + 1); /* lost although PUBACKed */
        break;
    case 31:
        set_link(w, (enum sync_link)chance(w, SYNC_LINKS), chance(w, 2));
        break;
    case 32:
        restore_city(w);
        break;
    case 33:
        sync_began(&w->bench.sync, w->bench.now);
        break;
    default:
        w->bench.now += chance(w, 3000);
    }
    drain(&w->bench);
}

static bool all_marked(const struct world *w)
{
    for (int lane = 0; lane < LANES; lane++)
        if (w->bench.sync.lanes[lane].mark != lane_before(w, lane, w->size))
            return false;
    return true;
}

/* From here on nothing fails but what has failed already; time goes by. */
static void heal(struct world *w)
{
    for (int i = 0; i < 20000 && !all_marked(w); i++) {
        set_link(w, SYNC_ALARM, true);
        set_link(w, SYNC_BULK, true);
        drain(&w->bench);
        operate(w, 6 + chance(w, 24));
        if (chance(w, 8) == 0)
            w->bench.now += 1000 + chance(w, SYNC_PATIENCE_MS);
    }
}

#endif
