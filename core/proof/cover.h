/* cover - which events of a tile are erased, and the few hashes that stand for them.
 *
 * An erased event's leaf hash stays in its hash tile. Who has only the bodies that are left can
 * still build the tree: each run of erased positions is covered by the fewest complete subtrees
 * that lie aligned in the tile, and their hashes take the place of the leaves (tree_graft()).
 * All 256 are one hash of height 8. */
#ifndef PROOF_COVER_H
#define PROOF_COVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proof/suite.h"

/* No tile has more nodes: of two neighbours 2k and 2k + 1 at most one begins a node. A run has at
 * most 14: up one side of a tree of 256 and down the other. */
enum {
    COVER_WIDTH = 256,
    COVER_DIGITS = COVER_WIDTH / 4,
    COVER_NODES_MAX = COVER_WIDTH / 2,
    COVER_RUN_NODES_MAX = 14
};

/* The erased positions of a tile; all zero is none. */
struct cover {
    uint8_t bits[COVER_WIDTH / 8];
};

void cover_put(struct cover *cover, unsigned position);
bool cover_has(const struct cover *cover, unsigned position);
unsigned cover_count(const struct cover *cover);

/* 64 hexadecimal digits and a zero byte: read from left to right they are the positions 0 to 255. */
void cover_print(const struct cover *cover, char digits[COVER_DIGITS + 1]);
/* 0, or -EPROTO when `digits` is not 64 lower-case digits; *cover is then untouched. */
int cover_parse(struct cover *cover, const char *digits);

/* The subtree over the positions [first, first + (1 << height)). */
struct cover_node {
    unsigned first;
    int height;
};

/* The nodes that cover [from, until), left to right; until <= 256. Returns how many. */
unsigned cover_run(struct cover_node nodes[COVER_RUN_NODES_MAX], unsigned from,
                   unsigned until);
/* The nodes of all maximal runs of erased positions, left to right. Returns how many. */
unsigned cover_nodes(const struct cover *cover, struct cover_node nodes[COVER_NODES_MAX]);

/* The hash of one node out of the 256 leaf hashes of its tile. */
void cover_hash(const struct suite *suite, struct digest *out,
                const struct digest leaves[COVER_WIDTH], struct cover_node node);

#endif
