/* notary - see notary.h. */
#include "keeper/journal/notary.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/base.h"
#include "base/file.h"
#include "base/hex.h"
#include "keeper/journal/shelf.h"
#include "keeper/repair/audit.h"
#include "proof/note.h"

void notary_begin(struct notary *notary, struct journal *journal, uint64_t size_before)
{
    ASSERT(!journal->is_open);
    *notary = (struct notary){.journal = journal, .size_before = size_before};
    struct checkpoint *checkpoint = &notary->checkpoint;
    memcpy(checkpoint->origin, journal->origin, sizeof(checkpoint->origin));
    checkpoint->suite = journal->suite;
    checkpoint->size = (uint64_t)journal->size;
    tree_root(&journal->tree, &checkpoint->root);
}

static int put_leaves(const struct notary *notary, struct shelf *shelf, uint64_t index)
{
    uint64_t size = notary->checkpoint.size;
    unsigned width = tile_width(0, index, size);
    if (width == 0)
        return 0;
    if (width == TILE_WIDTH && shelf_has(shelf, 0, index, width))
        return shelf_put_above(shelf, index);
    int err = shelf_put(shelf, 0, index, width,
                        tail_leaf(&notary->journal->tail, (int64_t)(index * TILE_WIDTH)),
                        width * sizeof(struct digest));
    return err || width < TILE_WIDTH ? err : shelf_put_above(shelf, index);
}

static int put_tiles(const struct notary *notary, struct shelf *shelf)
{
    uint64_t size = notary->checkpoint.size;
    int err = 0;
    for (uint64_t index = notary->journal->sealed.size / TILE_WIDTH;
         index <= size / TILE_WIDTH; index++)
        if ((err = put_leaves(notary, shelf, index)) != 0)
            return err;
    err = shelf_put_partial_above(shelf, size);
    return err ? err : shelf_sync(shelf);
}

int notary_put_receipt(const struct journal *journal)
{
    const struct buffer *receipt = &journal->receipt;
    char path[JOURNAL_PATH_MAX];
    int err = journal_path(journal, path, "receipt");
    if (err || receipt->length == 0)
        return err;
    return file_put(path, receipt->bytes, receipt->length, 0640);
}

int notary_work(void *owner, struct buffer *result)
{
    const struct notary *notary = owner;
    char path[JOURNAL_PATH_MAX];
    struct shelf shelf;
    shelf_begin(&shelf, notary->journal->folder, notary->journal->suite);
    int err = put_tiles(notary, &shelf);
    if (!err)
        err = notary_put_receipt(notary->journal);
    if (!err)
        err = journal_path(notary->journal, path, "checkpoint");
    if (err)
        return err;
    checkpoint_sign(result, &notary->checkpoint, notary->journal->key);
    err = file_put_durably(path, result->bytes, result->length, 0640);
    if (!err)
        shelf_remove_partial(&shelf, notary->size_before, notary->checkpoint.size);
    return err;
}

int notary_close(const char *folder, const char *origin, int64_t size,
                 const struct key *key)
{
    char path[JOURNAL_PATH_MAX], hex[2 * DIGEST_BYTES + 1];
    struct buffer text = {0}, note = {0};
    struct digest digest;
    int err = audit_has_wal(folder) ? -EBUSY : 0; /* somebody still reads tail.db */
    if (!err)
        err = file_sync_folder(
            folder); /* the write-ahead log must not come back beside it */
    if (!err)
        err = file_join(path, sizeof(path), folder, "tail.db");
    if (!err)
        err = suite_hash_file(suite_named("sha256+ed25519"), &digest, path);
    if (!err) {
        hex_encode(hex, digest.bytes, sizeof(digest.bytes));
        buffer_printf(&text, "%s/closed\n%" PRId64 "\n%s\n", origin, size, hex);
        note_sign(&note, buffer_text(&text), key);
        err = file_join(path, sizeof(path), folder, "closed");
    }
    if (!err)
        err = file_put_durably(path, note.bytes, note.length, 0640);
    buffer_free(&text);
    buffer_free(&note);
    return err;
}
