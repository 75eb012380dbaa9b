/* reel - the ring of one instance (wire/ring.h), and when what is in it is kept.
 *
 * Each process of the instance gets a fresh ring; the last one's is there until then. What is frozen is
 * what the ring holds at that moment: at most one in REEL_PAUSE_MS, and those that were left out for
 * that are counted and told with the next. A zeroed reel is a closed one. */
#ifndef KEEPER_CAPTURES_REEL_H
#define KEEPER_CAPTURES_REEL_H

#include <stdint.h>

#include "base/loop.h"
#include "base/word.h"
#include "keeper/control/access.h"

enum { REEL_PAUSE_MS = 60 * 1000 };

/* So long a recording may be asked for. */
#define REEL_RECORD_MAX_MS (24LL * 3600 * 1000)

struct freezer;

struct reel {
    struct freezer *freezer; /* NULL: closed */
    char plugin[WORD_ID_MAX + 1];
    char instance[WORD_ID_MAX + 1];
    int ring;          /* -1: none */
    int64_t frozen_us; /* monotonic; 0: never */
    int64_t suppressed;
    struct loop_timer until; /* a recording that was asked for is over */
    char who[ACCESS_NAME_MAX + 1];
};

void reel_open(struct reel *reel, struct freezer *freezer, const char *plugin,
               const char *instance);
void reel_close(struct reel *reel);

/* For a new process: an empty ring, or none when there is no memory for it. */
void reel_renew(struct reel *reel);

/* "alarm", "error", "crash" or, with who has asked, "asked". 0; -ENODATA: nothing is in it; -EAGAIN: one
 * was frozen just now; -EBUSY: too many wait. */
int reel_freeze(struct reel *reel, const char *reason, const char *who);
/* It is frozen after so long, whatever was frozen before. */
void reel_freeze_after(struct reel *reel, int64_t ms, const char *who);

#endif
