/* seal - see seal.h. */
#include "keeper/journal/seal.h"

#include <errno.h>
#include <malloc.h>
#include <string.h>

#include "base/base.h"
#include "keeper/journal/shelf.h"

int64_t seal_waiting(const struct journal *journal)
{
    return (journal->size - journal->tail.base) / TILE_WIDTH;
}

static int copy_row(void *owner, const struct store_event *event)
{
    struct seal *seal = owner;
    int64_t tile = event->seq / TILE_WIDTH - (int64_t)seal->first;
    if (event->seq != seal->next++)
        return -EBADMSG;
    bundle_add(&seal->plain[tile], event->body, event->length);
    return 0;
}

static int copy_tile(struct seal *seal, struct buffer *plain)
{
    int64_t end = seal->next + TILE_WIDTH;
    buffer_clear(plain);
    int err =
        store_each_event(seal->journal->store, seal->next, TILE_WIDTH, copy_row, seal);
    return !err && seal->next != end ? -EBADMSG : err;
}

int seal_begin(struct seal *seal, struct journal *journal)
{
    int64_t waiting = seal_waiting(journal);
    if (waiting == 0)
        return -ENOENT;
    seal->journal = journal;
    seal->first = journal->sealed.size / TILE_WIDTH;
    seal->next = journal->tail.base;
    seal->count = 0;
    size_t bytes = 0;
    int err = 0;
    while (!err && seal->count < waiting && seal->count < SEAL_TILES_MAX &&
           bytes < SEAL_BYTES_MAX) {
        err = copy_tile(seal, &seal->plain[seal->count]);
        bytes += seal->plain[seal->count++].length;
    }
    return err;
}

/* What the errand tells of each tile. */
struct sealed_tile {
    struct digest file; /* SHA-256 of its bundle file */
    struct digest root; /* of its events */
};

/* The file must give back what was committed. */
static int check_file(const struct seal *seal, int64_t from, const struct buffer *file,
                      struct digest *root)
{
    struct bundle bundle;
    struct tree tree;
    const struct journal *journal = seal->journal;
    int err = bundle_open(&bundle, file->bytes, file->length);
    if (err)
        return err;
    tree_begin(&tree, journal->suite);
    if (bundle.count != TILE_WIDTH)
        err = -EBADMSG;
    for (unsigned i = 0; i < bundle.count && !err; i++) {
        struct digest leaf;
        size_t length;
        const void *entry = bundle_entry(&bundle, i, &length);
        suite_leaf(journal->suite, &leaf, entry, length);
        if (!digest_equal(&leaf, tail_leaf(&journal->tail, from + i)))
            err = -EBADMSG;
        tree_append(&tree, &leaf);
    }
    tree_root(&tree, root);
    bundle_close(&bundle);
    return err;
}

static int put_tile(const struct seal *seal, struct shelf *shelf, int i,
                    struct buffer *result)
{
    uint64_t index = seal->first + (uint64_t)i;
    int64_t from = (int64_t)(index * TILE_WIDTH);
    struct buffer file = {0};
    struct sealed_tile tile;
    bundle_pack(&file, &seal->plain[i]);
    int err = check_file(seal, from, &file, &tile.root);
    if (!err) {
        suite_hash(suite_named("sha256+ed25519"), &tile.file, file.bytes, file.length);
        buffer_append(result, &tile, sizeof(tile));
        err = shelf_put(shelf, -1, index, TILE_WIDTH, file.bytes, file.length);
    }
    buffer_free(&file);
    if (!err)
        err =
            shelf_put(shelf, 0, index, TILE_WIDTH, tail_leaf(&seal->journal->tail, from),
                      TILE_WIDTH * sizeof(struct digest));
    if (err)
        return err;
    err = shelf_put_above(shelf, index);
    return err == -EBADMSG ? -EIO : err; /* a tile's file; the rows are as they were */
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
    struct sealed_tile sealed;
    struct store_tile tile;
    int64_t index = (int64_t)seal->first + i;
    memcpy(&sealed, result->bytes + (size_t)i * sizeof(sealed), sizeof(sealed));
    tile.file = sealed.file;
    for (int64_t at = 0; at < TILE_WIDTH; at++)
        tile.lanes[at] = (uint8_t)tail_lane(tail, index * TILE_WIDTH + at);
    int err = tree_graft(tree, TILE_HEIGHT, &sealed.root);
    return err ? err : store_add_tile(seal->journal->store, index, &tile);
}

/* Tiles of ordinary events fit into what is kept; one of the largest takes sixteen MiB. */
static void give_back(struct seal *seal)
{
    for (int i = 0; i < seal->count; i++)
        if (seal->plain[i].room > SEAL_KEPT_MAX)
            buffer_free(&seal->plain[i]);
}

int seal_end(struct seal *seal, const struct buffer *result)
{
    struct journal *journal = seal->journal;
    struct tree tree = journal->sealed;
    struct buffer edge = {0};
    if (result->length != (size_t)seal->count * sizeof(struct sealed_tile))
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
    if (seal_waiting(journal) > 0)
        give_back(seal);
    else
        seal_free(seal);
    return 0;
}

void seal_free(struct seal *seal)
{
    for (int i = 0; i < SEAL_TILES_MAX; i++)
        buffer_free(&seal->plain[i]);
    *seal = (struct seal){0};
    malloc_trim(0); /* small pieces may lie below what stays */
}
