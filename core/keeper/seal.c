/* seal - see seal.h. */
#include "keeper/seal.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "keeper/shelf.h"

int64_t seal_waiting(const struct journal *journal)
{
    return (journal->size - journal->tail.base) / TILE_WIDTH;
}

static int copy_row(void *owner, const struct store_event *event)
{
    struct seal *seal = owner;
    struct journal *journal = seal->journal;
    struct digest leaf;
    int64_t tile = event->seq / TILE_WIDTH - (int64_t)seal->first;
    suite_leaf(journal->suite, &leaf, event->body, event->length);
    if (event->seq != seal->next++ ||
        !digest_equal(&leaf, tail_leaf(&journal->tail, event->seq)))
        return -EBADMSG;
    bundle_add(&seal->plain[tile], event->body, event->length);
    return 0;
}

int seal_begin(struct seal *seal, struct journal *journal)
{
    int64_t waiting = seal_waiting(journal);
    if (waiting == 0)
        return -ENOENT;
    *seal = (struct seal){.journal = journal, .first = journal->sealed.size / TILE_WIDTH};
    seal->count = waiting < SEAL_TILES_MAX ? (int)waiting : SEAL_TILES_MAX;
    seal->next = journal->tail.base;
    int64_t rows = seal->count * TILE_WIDTH;
    int err = store_each_event(journal->store, seal->next, rows, copy_row, seal);
    if (!err && seal->next != journal->tail.base + rows)
        err = -EBADMSG;
    return err;
}

static int put_tile(const struct seal *seal, struct shelf *shelf, int i,
                    struct buffer *result)
{
    uint64_t index = seal->first + (uint64_t)i;
    struct buffer file = {0};
    struct digest digest;
    bundle_pack(&file, &seal->plain[i]);
    suite_hash(suite_named("sha256+ed25519"), &digest, file.bytes, file.length);
    buffer_append(result, &digest, sizeof(digest));
    int err = shelf_put(shelf, -1, index, TILE_WIDTH, file.bytes, file.length);
    buffer_free(&file);
    if (!err)
        err = shelf_put(shelf, 0, index, TILE_WIDTH,
                        tail_leaf(&seal->journal->tail, (int64_t)(index * TILE_WIDTH)),
                        TILE_WIDTH * sizeof(struct digest));
    return err ? err : shelf_put_above(shelf, index);
}

int seal_work(void *owner, struct buffer *result)
{
    const struct seal *seal = owner;
    struct shelf shelf;
    int err = 0;
    shelf_begin(&shelf, seal->journal->folder, seal->journal->suite);
    for (int i = 0; i < seal->count && !err; i++)
        err = put_tile(seal, &shelf, i, result);
    return err ? err : shelf_sync(&shelf);
}

static int add_tile(struct seal *seal, int i, const struct buffer *result,
                    struct tree *tree)
{
    const struct tail *tail = &seal->journal->tail;
    struct store_tile tile;
    int64_t index = (int64_t)seal->first + i;
    memcpy(tile.file.bytes, result->bytes + i * DIGEST_BYTES, DIGEST_BYTES);
    for (int64_t at = 0; at < TILE_WIDTH; at++) {
        int64_t seq = index * TILE_WIDTH + at;
        tile.lanes[at] = (uint8_t)tail_lane(tail, seq);
        tree_append(tree, tail_leaf(tail, seq));
    }
    return store_add_tile(seal->journal->store, index, &tile);
}

int seal_end(struct seal *seal, const struct buffer *result)
{
    struct journal *journal = seal->journal;
    struct tree tree = journal->sealed;
    struct buffer edge = {0};
    if (result->length != (size_t)seal->count * DIGEST_BYTES)
        return -ECHILD;
    ASSERT(!journal->is_open);
    int err = store_begin(journal->store);
    for (int i = 0; i < seal->count && !err; i++)
        err = add_tile(seal, i, result, &tree);
    tree_save(&tree, &edge);
    if (!err)
        err = store_put_sealed(journal->store, (int64_t)tree.size, &edge);
    if (!err)
        err = store_commit(journal->store);
    buffer_free(&edge);
    if (err) {
        store_rollback(journal->store);
        return err;
    }
    journal->sealed = tree;
    tail_drop(&journal->tail, (int64_t)tree.size);
    return 0;
}

void seal_free(struct seal *seal)
{
    for (int i = 0; i < seal->count; i++)
        buffer_free(&seal->plain[i]);
    *seal = (struct seal){0};
}
