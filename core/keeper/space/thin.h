/* thin - telemetry of sealed tiles is erased, oldest first, to make room.
 *
 * Three steps, each crash-safe: thin_work() runs as an errand and writes the new bundles beside the
 * old ones; thin_end() commits the event journal.thinned and the tiles' rows in one transaction,
 * then puts the new bundles in place of the old. Cut between those two, thin_finish() does the rest
 * at the next start. Leaf hashes stay; so the log verifies, and the event says what is gone. */
#ifndef KEEPER_SPACE_THIN_H
#define KEEPER_SPACE_THIN_H

#include <sys/types.h>

#include "keeper/children/group.h"
#include "proof/cover.h"

enum { THIN_TILES_MAX = 16 };

struct thin_tile {
    int64_t index;
    struct store_tile row; /* as it is before */
    struct cover erased;   /* what this round erases */
    bool is_split; /* of the tile's telemetry, what the city has; the rest comes next */
};

struct thin {
    struct journal *journal;
    bool is_over; /* kept long enough, and the city has it */
    int count;
    struct thin_tile tiles[THIN_TILES_MAX];
};

/* What a round has done. */
struct thin_score {
    int64_t freed;  /* bytes on disk */
    int64_t events; /* erased */
    int64_t next;   /* the first tile to look at next time */
    int64_t broken; /* a tile passed over because it is not what was sealed; -1 none */
};

/* Chooses the next tiles from tile `from` on that have telemetry; those older than `keep_ms` that
 * the city has are thinned for that reason, any other for the quota's. -ENOENT: there are none. */
int thin_begin(struct thin *thin, struct journal *journal, int64_t from, int64_t keep_ms);
/* An errand_work. */
int thin_work(void *thin, struct buffer *result);
/* No transaction may be open. */
int thin_end(struct thin *thin, struct group *group, const struct buffer *result,
             struct thin_score *score);
/* A round that is not ended: removes what it wrote; `pid` is the errand that was killed, or 0. */
void thin_drop(const struct thin *thin, pid_t pid);

/* Puts the bundles of the last round in their places, if a cut has left some. */
int thin_finish(struct journal *journal);

/* Whether it is the name of a bundle that thin_work() wrote, maybe half, and nobody put in its
 * place. */
bool thin_is_leftover(const char *name);

#endif
