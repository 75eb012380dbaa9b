/* tail - what the keeper remembers of the events that are not sealed yet: lane and leaf hash of
 * each. Their bodies are in the store. */
#ifndef KEEPER_JOURNAL_TAIL_H
#define KEEPER_JOURNAL_TAIL_H

#include <stdint.h>

#include "base/buffer.h"
#include "proof/suite.h"
#include "wire/talk.h"

struct tail {
    int64_t base; /* the sequence of the first */
    int64_t count;
    struct buffer lanes;  /* a byte apiece */
    struct buffer leaves; /* struct digest apiece */
};

void tail_begin(struct tail *tail, int64_t base);
void tail_free(struct tail *tail);

void tail_push(struct tail *tail, enum talk_lane lane, const struct digest *leaf);
/* Forgets all from `seq` on, or all before it. */
void tail_cut(struct tail *tail, int64_t seq);
void tail_drop(struct tail *tail, int64_t seq);

/* Of base <= seq < base + count. */
enum talk_lane tail_lane(const struct tail *tail, int64_t seq);
const struct digest *tail_leaf(const struct tail *tail, int64_t seq);

#endif
