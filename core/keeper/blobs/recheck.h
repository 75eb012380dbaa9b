/* recheck - stored blobs are read again, one after another, all of them in about a week and at most
 * RECHECK_BYTES a second: a flipped bit is found before the other copy is gone.
 *
 * First those whose SM3 nobody knows, for it is learned so (heirs.h).
 *
 * One that is not what was stored is told once (blobs_damaged()). Where it begins at a start is left to
 * chance, so that a box that is switched off every night gets through all of them too. */
#ifndef KEEPER_BLOBS_RECHECK_H
#define KEEPER_BLOBS_RECHECK_H

#include "keeper/blobs/blobs.h"

#define RECHECK_BYTES   (2LL << 20)
#define RECHECK_WEEK_MS (7LL * 24 * 3600 * 1000)

enum { RECHECK_LEAST_MS = 1000, RECHECK_FIRST_MS = 60 * 1000 };

struct recheck {
    struct loop *loop;
    struct blobs *blobs;
    struct errand errand;
    struct loop_timer next;
    struct scribe scribe;
    struct digest at; /* the one that is read, or was last */
    bool is_again;    /* it was not what it should be: it is read once more */
    bool has_no_sm3;  /* there may be some whose SM3 nobody knows */
    int64_t looked;   /* since the start, */
    int64_t bad;      /* and what was told */
};

void recheck_open(struct recheck *recheck, struct loop *loop, struct blobs *blobs);
void recheck_close(struct recheck *recheck);
void recheck_start(struct recheck *recheck);

/* How long to wait between two when there are so many. */
int64_t recheck_pause_ms(int64_t count);
/* Looks at the next one now, or once more at the last; -ENOENT when there is none. */
int recheck_look(struct recheck *recheck);

#endif
