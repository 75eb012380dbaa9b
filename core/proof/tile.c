/* tile - see tile.h.
 *
 * Every hash a proof needs is the root of a range of leaves that begins at a multiple of a power
 * of two no smaller than the range: such a range splits into full subtrees from the left, and each
 * full subtree lies inside one tile. */
#include "proof/tile.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"

enum { LEVEL_BITS = 8, HASHES_MAX = 64, PATH_GROUPS_MAX = 7 };

static void append_index(struct buffer *path, uint64_t index)
{
    unsigned groups[PATH_GROUPS_MAX];
    int count = 0;
    do {
        groups[count++] = (unsigned)(index % 1000);
        index /= 1000;
    } while (index > 0);
    while (count > 1)
        buffer_printf(path, "x%03u/", groups[--count]);
    buffer_printf(path, "%03u", groups[0]);
}

void tile_path(char path[TILE_PATH_ROOM], int level, uint64_t index, unsigned width)
{
    struct buffer text = {0};
    if (level < 0)
        buffer_append_text(&text, "tile/entries/");
    else
        buffer_printf(&text, "tile/%d/", level);
    append_index(&text, index);
    if (width < TILE_WIDTH)
        buffer_printf(&text, ".p/%u", width);
    ASSERT(text.length < TILE_PATH_ROOM);
    strcpy(path, buffer_text(&text));
    buffer_free(&text);
}

unsigned tile_width(int level, uint64_t index, uint64_t size)
{
    int bits = level < 0 ? 0 : level * LEVEL_BITS;
    uint64_t hashes = bits < 64 ? size >> bits : 0;
    uint64_t full = hashes / TILE_WIDTH;
    if (index < full)
        return TILE_WIDTH;
    return index == full ? (unsigned)(hashes % TILE_WIDTH) : 0;
}

/* Folds 2^height hashes into their root, in place. */
static void fold(const struct suite *suite, struct digest *hashes, int height)
{
    for (size_t left = (size_t)1 << height; left > 1; left /= 2)
        for (size_t i = 0; i < left / 2; i++)
            suite_node(suite, &hashes[i], &hashes[2 * i], &hashes[2 * i + 1]);
}

int tile_node(const struct tile_source *source, struct digest *out, int height,
              uint64_t index)
{
    int level = height / LEVEL_BITS;
    int inside = height % LEVEL_BITS;
    if (level == 0 && source->node != NULL)
        return source->node(source->owner, out, height, index);
    uint64_t first = index << inside;
    size_t count = (size_t)1 << inside;
    unsigned width = tile_width(level, first / TILE_WIDTH, source->size);
    ASSERT(first % TILE_WIDTH + count <= width);
    struct buffer tile = {0};
    int err = source->read(source->owner, &tile, level, first / TILE_WIDTH, width);
    if (!err && tile.length != (size_t)width * DIGEST_BYTES)
        err = -EBADMSG;
    if (!err) {
        struct digest hashes[TILE_WIDTH / 2];
        memcpy(hashes, tile.bytes + first % TILE_WIDTH * DIGEST_BYTES,
               count * DIGEST_BYTES);
        fold(source->suite, hashes, inside);
        *out = hashes[0];
    }
    buffer_free(&tile);
    return err;
}

static int height_of(uint64_t count)
{
    return 63 - __builtin_clzll(count);
}

/* The root of the leaves from `start` to before `end`, which are one or more. */
static int range_root(const struct tile_source *source, struct digest *root,
                      uint64_t start, uint64_t end)
{
    struct digest parts[HASHES_MAX];
    int count = 0;
    while (start < end) {
        int height = height_of(end - start);
        int err = tile_node(source, &parts[count++], height, start >> height);
        if (err)
            return err;
        start += (uint64_t)1 << height;
    }
    struct digest node = parts[--count];
    while (count > 0)
        suite_node(source->suite, &node, &parts[--count], &node);
    *root = node;
    return 0;
}

int tile_root(const struct tile_source *source, struct digest *root, uint64_t size)
{
    ASSERT(size <= source->size);
    if (size > 0)
        return range_root(source, root, 0, size);
    suite_hash(source->suite, root, "", 0);
    return 0;
}

static int append_range(const struct tile_source *source, struct buffer *proof,
                        uint64_t start, uint64_t end)
{
    struct digest root;
    int err = range_root(source, &root, start, end);
    if (!err)
        buffer_append(proof, root.bytes, DIGEST_BYTES);
    return err;
}

/* Where a range of more than one leaf is split: the largest power of two below its count. */
static uint64_t split_of(uint64_t start, uint64_t end)
{
    return start + ((uint64_t)1 << height_of(end - start - 1));
}

/* PATH(index, leaves start to end) of RFC 9162 2.1.3.1. At most 64 deep. */
static int put_path(const struct tile_source *source, struct buffer *proof,
                    uint64_t index, uint64_t start, uint64_t end)
{
    if (end - start == 1)
        return 0;
    uint64_t split = split_of(start, end);
    bool left = index < split;
    int err = left ? put_path(source, proof, index, start, split)
                   : put_path(source, proof, index, split, end);
    if (err)
        return err;
    return left ? append_range(source, proof, split, end)
                : append_range(source, proof, start, split);
}

int tile_prove_inclusion(const struct tile_source *source, struct buffer *proof,
                         uint64_t index, uint64_t size)
{
    ASSERT(index < size && size <= source->size);
    return put_path(source, proof, index, 0, size);
}

/* SUBPROOF(from, leaves start to end, begins) of RFC 9162 2.1.4.1: `begins` while the range is the
 * beginning of the old tree too, so that its root need not be said. */
static int put_growth(const struct tile_source *source, struct buffer *proof,
                      uint64_t from, uint64_t start, uint64_t end, bool begins)
{
    if (from == end)
        return begins ? 0 : append_range(source, proof, start, end);
    uint64_t split = split_of(start, end);
    bool left = from <= split;
    int err = left ? put_growth(source, proof, from, start, split, begins)
                   : put_growth(source, proof, from, split, end, false);
    if (err)
        return err;
    return left ? append_range(source, proof, split, end)
                : append_range(source, proof, start, split);
}

int tile_prove_consistency(const struct tile_source *source, struct buffer *proof,
                           uint64_t from, uint64_t size)
{
    ASSERT(from <= size && size <= source->size);
    return from == 0 ? 0 : put_growth(source, proof, from, 0, size, true);
}
