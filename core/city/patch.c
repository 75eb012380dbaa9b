/* patch - see patch.h.
 *
 * Why leaves and pieces always suffice for an event that is there: each node beside its path is
 * either mixed, and then made of its halves, or erased by one or more events; of what one event
 * erased, the largest aligned subtree that does not hold the event is a node of its cover. */
#include "city/patch.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "proof/erasure.h"

struct loading {
    struct patch *patch;
    const char *office;
};

static void add_pieces(struct patch *patch, int64_t seq, const struct erasure *erasure)
{
    for (size_t i = 0; i < erasure->tile_count; i++) {
        const struct erasure_tile *tile = &erasure->tiles[i];
        for (unsigned k = 0; tile->n == (uint64_t)patch->n && k < tile->count; k++) {
            const struct patch_piece piece = {tile->nodes[k], tile->hashes[k], seq};
            buffer_append(&patch->pieces, &piece, sizeof(piece));
        }
    }
}

static int take_order(void *owner, int64_t seq, const char *body, size_t length)
{
    struct loading *loading = owner;
    struct json *json = NULL;
    struct erasure *erasure = NULL;
    if (json_parse(&json, body, length) == 0 &&
        erasure_read(&erasure, json, loading->office) == 0 && erasure != NULL)
        add_pieces(loading->patch, seq, erasure);
    mem_free(erasure);
    json_free(json);
    return 0;
}

int patch_load(struct patch *patch, struct store *store, const char *office,
               const char *log, int64_t n)
{
    struct loading loading = {patch, office};
    buffer_clear(&patch->pieces);
    patch->n = n;
    int err = store_each_order(store, office, log, n, take_order, &loading);
    patch->is_loaded = !err;
    return err;
}

void patch_free(struct patch *patch)
{
    buffer_free(&patch->pieces);
    *patch = (struct patch){.is_loaded = false};
}

static const struct patch_piece *pieces_of(const struct patch *patch, size_t *count)
{
    *count = patch->pieces.length / sizeof(struct patch_piece);
    return (const void *)patch->pieces.bytes;
}

static unsigned end_of(struct cover_node node)
{
    return node.first + (1u << node.height);
}

/* The larger of a piece that was found, or NULL, and another. */
static const struct patch_piece *larger(const struct patch_piece *found,
                                        const struct patch_piece *other)
{
    return found == NULL || other->node.height > found->node.height ? other : found;
}

const struct patch_piece *patch_over(const struct patch *patch, unsigned position)
{
    const struct patch_piece *found = NULL;
    size_t count;
    const struct patch_piece *pieces = pieces_of(patch, &count);
    for (size_t i = 0; i < count; i++)
        if (pieces[i].node.first <= position && position < end_of(pieces[i].node))
            found = larger(found, &pieces[i]);
    return found;
}

const struct patch_piece *patch_from(const struct patch *patch, unsigned position,
                                     unsigned until)
{
    const struct patch_piece *found = NULL;
    size_t count;
    const struct patch_piece *pieces = pieces_of(patch, &count);
    for (size_t i = 0; i < count; i++)
        if (pieces[i].node.first == position && end_of(pieces[i].node) <= until)
            found = larger(found, &pieces[i]);
    return found;
}

bool patch_is_known(const struct digest *leaf)
{
    static const struct digest UNKNOWN;
    return !digest_equal(leaf, &UNKNOWN);
}

static bool all_known(const struct digest leaves[COVER_WIDTH], struct cover_node node)
{
    for (unsigned i = node.first; i < end_of(node); i++)
        if (!patch_is_known(&leaves[i]))
            return false;
    return true;
}

static const struct patch_piece *piece_at(const struct patch *patch,
                                          struct cover_node node)
{
    size_t count;
    const struct patch_piece *pieces = pieces_of(patch, &count);
    for (size_t i = 0; i < count; i++)
        if (pieces[i].node.first == node.first && pieces[i].node.height == node.height)
            return &pieces[i];
    return NULL;
}

/* At most nine deep. */
int patch_node(const struct patch *patch, struct digest *out, const struct suite *suite,
               const struct digest leaves[COVER_WIDTH], struct cover_node node)
{
    if (all_known(leaves, node)) {
        cover_hash(suite, out, leaves, node);
        return 0;
    }
    const struct patch_piece *piece = piece_at(patch, node);
    if (piece != NULL) {
        *out = piece->hash;
        return 0;
    }
    if (node.height == 0)
        return -ENODATA;
    struct digest left, right;
    struct cover_node half = {node.first, node.height - 1};
    int err = patch_node(patch, &left, suite, leaves, half);
    half.first = end_of(half);
    if (!err)
        err = patch_node(patch, &right, suite, leaves, half);
    if (!err)
        suite_node(suite, out, &left, &right);
    return err;
}

const struct patch_piece *patch_contradiction(const struct patch *patch,
                                              const struct suite *suite,
                                              const struct digest leaves[COVER_WIDTH])
{
    size_t count;
    const struct patch_piece *pieces = pieces_of(patch, &count);
    for (size_t i = 0; i < count; i++) {
        struct digest hash;
        if (!all_known(leaves, pieces[i].node))
            continue;
        cover_hash(suite, &hash, leaves, pieces[i].node);
        if (!digest_equal(&hash, &pieces[i].hash))
            return &pieces[i];
    }
    return NULL;
}
