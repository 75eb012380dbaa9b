/* scrub - everything that is sealed is read again, a little at a time, in about a week.
 *
 * A step looks at a few tiles in an errand (mend.h): each bundle against its hash tile and its row,
 * the hash tiles against those above and the tree's edge. What is damaged is mended or its events
 * named as lost, and an alarm journal.damaged says so. A reader that met something it cannot read
 * has it looked at first. */
#ifndef KEEPER_REPAIR_SCRUB_H
#define KEEPER_REPAIR_SCRUB_H

#include "base/loop.h"
#include "keeper/children/group.h"
#include "keeper/repair/mend.h"

enum {
    SCRUB_TILES = MEND_TILES_MAX,         /* a step, at most */
    SCRUB_BYTES = 2 * 1024 * 1024,        /* of bundles a step, about */
    SCRUB_PASS_MS = 7 * 24 * 3600 * 1000, /* all of it */
    SCRUB_FIRST_MS = 2000,
    SCRUB_LEAST_MS = 1000,
    SCRUB_MOST_MS = 60 * 1000,
    SCRUB_STEPS_KEPT = 64 /* steps after which the store is told how far it is */
};

struct scrub {
    struct loop *loop;
    struct journal *journal;
    struct group *group;
    struct loop_timer due;
    bool is_due;
    int64_t next;   /* the tile to be looked at next */
    int64_t urgent; /* the tile that somebody could not read, -1 none */
    int64_t
        hopeless; /* a tile that could not be mended and is not told of again, -1 none */
    bool edge_told;  /* the same of the edge */
    int64_t passes;  /* over all of it */
    int64_t damaged; /* tiles, since the start */
    int steps;
    int count;
    struct mend_tile tiles[SCRUB_TILES];
    void (*wanted)(void *owner); /* a step can begin: see scrub_wants() */
    void (*mended)(void *owner); /* what scrub_look() was about has been looked at */
    void *owner;
};

void scrub_open(struct scrub *scrub, struct loop *loop, struct group *group);
void scrub_close(struct scrub *scrub);
void scrub_start(struct scrub *scrub);

/* How long to wait between two steps when so many tiles are sealed. */
int64_t scrub_pause_ms(int64_t tiles);

/* Somebody could not read this sealed event. */
void scrub_look(struct scrub *scrub, int64_t seq);

bool scrub_wants(const struct scrub *scrub);
/* -ENOENT when nothing is sealed. */
int scrub_begin(struct scrub *scrub);
/* An errand_work. */
int scrub_work(void *scrub, struct buffer *result);
/* No transaction may be open. 0 or a negative errno. */
int scrub_end(struct scrub *scrub, const struct buffer *result);

/* Appends a JSON object for `outpost status`. */
void scrub_print(const struct scrub *scrub, struct buffer *out);

#endif
