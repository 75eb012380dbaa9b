/* patch - what a tile is mended with: hashes of subtrees, where the office has erased events before
 * the city could have them.
 *
 * The hashes come from events of the office (proof/erasure.h) and are believed for no more than
 * what a signed checkpoint bears out. In a stored tile the leaf of an event that stands beneath
 * such a hash is all zero: it is not known. */
#ifndef CITY_PATCH_H
#define CITY_PATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "city/store.h"
#include "proof/cover.h"

struct patch_piece {
    struct cover_node node;
    struct digest hash;
    int64_t seq; /* of the event that says so */
};

/* Zeroed: of no tile. */
struct patch {
    bool is_loaded;
    int64_t n;
    struct buffer pieces; /* struct patch_piece */
};

/* Loads what is known of tile `n`; an event that cannot be read says nothing. 0 or the errno of
 * reading. */
int patch_load(struct patch *patch, struct store *store, const char *office,
               const char *log, int64_t n);
void patch_free(struct patch *patch);

/* The largest piece over the position, or NULL. */
const struct patch_piece *patch_over(const struct patch *patch, unsigned position);
/* The largest piece that begins at the position and ends at or before `until`, or NULL. */
const struct patch_piece *patch_from(const struct patch *patch, unsigned position,
                                     unsigned until);

/* The hash of a node, from the leaves that are known and the pieces. -ENODATA: neither tells. */
int patch_node(const struct patch *patch, struct digest *out, const struct suite *suite,
               const struct digest leaves[COVER_WIDTH], struct cover_node node);

/* The piece that contradicts the leaves, which all are known beneath it; or NULL. */
const struct patch_piece *patch_contradiction(const struct patch *patch,
                                              const struct suite *suite,
                                              const struct digest leaves[COVER_WIDTH]);

/* Whether the leaf is known. */
bool patch_is_known(const struct digest *leaf);

#endif
