/* tile - where the hashes of a log lie: C2SP tlog-tiles.
 *
 * A tile of level L and index N holds up to 256 hashes of the tree's level 8L, from 256N on. Full
 * tiles never change; a partial one of width W has its own path. */
#ifndef PROOF_TILE_H
#define PROOF_TILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "proof/suite.h"

enum { TILE_HEIGHT = 8, TILE_WIDTH = 1 << TILE_HEIGHT, TILE_PATH_ROOM = 96 };

/* "tile/0/x001/234", with ".p/W" behind when width < TILE_WIDTH; level -1 is "tile/entries/...". */
void tile_path(char path[TILE_PATH_ROOM], int level, uint64_t index, unsigned width);

/* How wide tile `index` of `level` is in a tree of `size`: 0 to 256. */
unsigned tile_width(int level, uint64_t index, uint64_t size);

/* Reads hashes of a stored tree. `read` appends the 32 * width bytes of a tile to `out` and returns
 * 0 or a negative errno; -EBADMSG is returned when they are not that many. */
struct tile_source {
    int (*read)(void *owner, struct buffer *out, int level, uint64_t index,
                unsigned width);
    void *owner;
    const struct suite *suite;
    uint64_t size; /* of the tree that the tiles belong to */
    /* Or NULL: what lies below level 1 is read as tiles of leaves. For who has not every leaf: the
     * hash of the node over the leaves [index << height, (index + 1) << height), height < 8. */
    int (*node)(void *owner, struct digest *out, int height, uint64_t index);
};

/* The hash of the node over the leaves [index << height, (index + 1) << height), all < size. */
int tile_node(const struct tile_source *source, struct digest *out, int height,
              uint64_t index);

/* The root of the first `size` leaves, `size` <= source->size. */
int tile_root(const struct tile_source *source, struct digest *root, uint64_t size);

/* The hashes of an inclusion proof of leaf `index` in the tree of `size`, and of a consistency
 * proof from `from` to `size` (RFC 9162 2.1.3, 2.1.4), appended 32 bytes each. */
int tile_prove_inclusion(const struct tile_source *source, struct buffer *proof,
                         uint64_t index, uint64_t size);
int tile_prove_consistency(const struct tile_source *source, struct buffer *proof,
                           uint64_t from, uint64_t size);

#endif
