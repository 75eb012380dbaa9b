/* tree - see tree.h.
 *
 * Invariant: `count` is the number of one bits of `size`, and edge[i] is the root of the full
 * subtree that belongs to the i-th one bit from the top. */
#include "proof/tree.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"

static int count_ones(uint64_t size)
{
    return __builtin_popcountll(size);
}

void tree_begin(struct tree *tree, const struct suite *suite)
{
    tree->suite = suite;
    tree->size = 0;
    tree->count = 0;
}

static void add_subtree(struct tree *tree, int height, const struct digest *hash)
{
    struct digest node = *hash;
    for (uint64_t size = tree->size >> height; size & 1; size >>= 1)
        suite_node(tree->suite, &node, &tree->edge[--tree->count], &node);
    tree->edge[tree->count++] = node;
    tree->size += (uint64_t)1 << height;
}

void tree_append(struct tree *tree, const struct digest *leaf)
{
    ASSERT(tree->count == count_ones(tree->size) && tree->size < UINT64_MAX);
    add_subtree(tree, 0, leaf);
}

int tree_graft(struct tree *tree, int height, const struct digest *hash)
{
    ASSERT(tree->count == count_ones(tree->size));
    if (height < 0 || height >= TREE_LEVELS)
        return -EINVAL;
    uint64_t width = (uint64_t)1 << height;
    if (tree->size % width != 0 || tree->size > UINT64_MAX - width)
        return -EINVAL;
    add_subtree(tree, height, hash);
    return 0;
}

void tree_root(const struct tree *tree, struct digest *root)
{
    if (tree->count == 0) {
        suite_hash(tree->suite, root, "", 0);
        return;
    }
    struct digest node = tree->edge[tree->count - 1];
    for (int i = tree->count - 2; i >= 0; i--)
        suite_node(tree->suite, &node, &tree->edge[i], &node);
    *root = node;
}

void tree_save(const struct tree *tree, struct buffer *out)
{
    buffer_append(out, tree->edge, (size_t)tree->count * DIGEST_BYTES);
}

int tree_load(struct tree *tree, const struct suite *suite, uint64_t size,
              const void *bytes, size_t length)
{
    int count = count_ones(size);
    if (length != (size_t)count * DIGEST_BYTES)
        return -EPROTO;
    tree->suite = suite;
    tree->size = size;
    tree->count = count;
    if (length > 0)
        memcpy(tree->edge, bytes, length);
    return 0;
}
