/* tail - see tail.h. */
#include "keeper/journal/tail.h"

#include "base/base.h"

void tail_begin(struct tail *tail, int64_t base)
{
    tail_free(tail);
    tail->base = base;
}

void tail_free(struct tail *tail)
{
    buffer_free(&tail->lanes);
    buffer_free(&tail->leaves);
    *tail = (struct tail){0};
}

void tail_push(struct tail *tail, enum talk_lane lane, const struct digest *leaf)
{
    char byte = (char)lane;
    buffer_append(&tail->lanes, &byte, 1);
    buffer_append(&tail->leaves, leaf, sizeof(*leaf));
    tail->count++;
}

static size_t place(const struct tail *tail, int64_t seq)
{
    ASSERT(seq >= tail->base && seq <= tail->base + tail->count);
    return (size_t)(seq - tail->base);
}

void tail_cut(struct tail *tail, int64_t seq)
{
    size_t keep = place(tail, seq);
    tail->lanes.length = keep;
    tail->leaves.length = keep * sizeof(struct digest);
    tail->count = (int64_t)keep;
}

void tail_drop(struct tail *tail, int64_t seq)
{
    size_t gone = place(tail, seq);
    buffer_drop_front(&tail->lanes, gone);
    buffer_drop_front(&tail->leaves, gone * sizeof(struct digest));
    tail->base = seq;
    tail->count -= (int64_t)gone;
}

enum talk_lane tail_lane(const struct tail *tail, int64_t seq)
{
    ASSERT(seq < tail->base + tail->count);
    return (enum talk_lane)tail->lanes.bytes[place(tail, seq)];
}

const struct digest *tail_leaf(const struct tail *tail, int64_t seq)
{
    ASSERT(seq < tail->base + tail->count);
    return (const struct digest *)tail->leaves.bytes + place(tail, seq);
}
