/* mend - a damaged bundle or hash tile of a log that goes on: made anew where that can be proven, or
 * its lost events named.
 *
 * A hash tile is made anew from the bundle under it or the tiles it covers, when it then has the
 * hash that the tile above it, or the tree's edge, says. Of a damaged bundle the entries that still
 * have their leaf hash stay; the others are treated as erased ones are, and an event
 * journal.damaged says so in the form of erasure.h. What was damaged is kept under damaged/.
 *
 * The errand looks (mend_edge, mend_look; it writes hash tiles only), then the keeper commits event
 * and row, then the bundle is replaced (mend_put): cut in between, the next look finds the same. */
#ifndef KEEPER_REPAIR_MEND_H
#define KEEPER_REPAIR_MEND_H

#include "keeper/journal/journal.h"
#include "proof/cover.h"

enum { MEND_TILES_MAX = 16 };

enum mend_state {
    MEND_SOUND,
    MEND_ROW,    /* the row is not what hash tile and bundle say */
    MEND_BUNDLE, /* the bundle is not what it must be, but nothing more is lost */
    MEND_LOST    /* events are lost */
};

struct mend_tile {
    int64_t index;
    bool has_row;
    struct store_tile row; /* as it is, then as it has to be */
    enum mend_state state;
    bool is_hash_lost; /* its hash tile is gone for good: all of it is lost */
    struct cover lost;
};

/* Checks the hash tiles that the root of the sealed events is made of, and makes those anew that can
 * be. 0: they are sound, 1: they are now, and `names` says which were not; -EBADMSG: the tree is
 * lost. */
int mend_edge(const struct journal *journal, struct buffer *names);

/* Looks at one tile, the edge being sound. Appends to `names` the hash tiles that it has made anew,
 * and to `told` the lost events as an object of "tiles". 0 or a negative errno. */
int mend_look(const struct journal *journal, struct mend_tile *tile, struct buffer *names,
              struct buffer *told);

/* Puts the bundle that the tile's row speaks of in the place of the damaged one. */
int mend_put(struct journal *journal, const struct mend_tile *tile);

#endif
