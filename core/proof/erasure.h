/* erasure - what one event of a log says of others: that their bodies are gone, and which hashes
 * stand in their place.
 *
 * An event journal.thinned (and a journal.damaged that lost single bundles) lists tiles:
 *
 *   "tiles":[{"n":123,"erased":"<64 digits>","hashes":["<base64>",...]},...]
 *
 * `erased` is a cover of tile n, `hashes` are those of its nodes from left to right (cover.h).
 * journal.thinned also says "reason", "lane", "first", "last" and "count", which must agree with
 * the tiles. Every byte is foreign. Whether the hashes are those of the tree is the caller's
 * question; erasure_fits() answers it where the leaves are known. */
#ifndef PROOF_ERASURE_H
#define PROOF_ERASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/json.h"
#include "proof/cover.h"

enum { ERASURE_TILES_MAX = 16, ERASURE_WORD_MAX = 16, ERASURE_TILE_TEXT_MAX = 8192 };

struct erasure_tile {
    uint64_t n;
    struct cover cover;
    unsigned count; /* nodes of the cover, with a hash each */
    struct cover_node nodes[COVER_NODES_MAX];
    struct digest hashes[COVER_NODES_MAX];
};

struct erasure {
    bool is_damage;                    /* journal.damaged: nobody wanted it */
    char reason[ERASURE_WORD_MAX + 1]; /* "quota", "retention"; of damage empty */
    char lane[ERASURE_WORD_MAX + 1];   /* of all the erased ones; of damage empty */
    uint64_t count;                    /* erased events */
    size_t tile_count;
    struct erasure_tile tiles[ERASURE_TILES_MAX]; /* by rising n */
};

/* Reads an event of the office. *out is NULL when it erases nothing, else the caller gives it back
 * with mem_free(). -EPROTO when it says that it does, and how cannot be read. */
int erasure_read(struct erasure **out, const struct json *event, const char *office);

/* Takes the nodes of a cover and their hashes, `length` bytes: -EPROTO when they are not as many.
 * `n` is left alone. */
int erasure_set(struct erasure_tile *tile, const struct cover *cover, const void *hashes,
                size_t length);

/* Makes a tile's part of such an event: the hashes are those of `leaves`. */
void erasure_make(struct erasure_tile *tile, uint64_t n, const struct cover *cover,
                  const struct suite *suite, const struct digest leaves[COVER_WIDTH]);
/* Appends it as the JSON object above; at most ERASURE_TILE_TEXT_MAX bytes. */
void erasure_print(struct buffer *out, const struct erasure_tile *tile);

/* Whether every hash is the one that these leaves give. */
bool erasure_fits(const struct erasure_tile *tile, const struct suite *suite,
                  const struct digest leaves[COVER_WIDTH]);

#endif
