/* tree - the right edge of a Merkle tree (RFC 9162): enough to append and to know the root.
 *
 * `edge` holds the roots of the full subtrees that the size consists of, largest first. */
#ifndef PROOF_TREE_H
#define PROOF_TREE_H

#include <stdint.h>

#include "base/buffer.h"
#include "proof/suite.h"

enum { TREE_LEVELS = 64 };

struct tree {
    const struct suite *suite;
    uint64_t size;
    int count;
    struct digest edge[TREE_LEVELS];
};

/* An empty tree. */
void tree_begin(struct tree *tree, const struct suite *suite);
void tree_append(struct tree *tree, const struct digest *leaf);
/* Appends a complete subtree of 1 << height leaves by its hash alone. -EINVAL, and nothing is
 * appended, when it would not lie aligned: the size is no multiple of its width. */
int tree_graft(struct tree *tree, int height, const struct digest *hash);
/* The root; of an empty tree the hash of nothing. */
void tree_root(const struct tree *tree, struct digest *root);

/* The edge as bytes (count * 32), and back: tree_load() takes the size and -EPROTO when the bytes
 * do not belong to it. */
void tree_save(const struct tree *tree, struct buffer *out);
int tree_load(struct tree *tree, const struct suite *suite, uint64_t size,
              const void *bytes, size_t length);

#endif
