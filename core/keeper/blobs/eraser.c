/* eraser - see eraser.h. */
#include "keeper/blobs/eraser.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "base/now.h"
#include "keeper/blobs/chain.h"
#include "keeper/blobs/notes.h"

static struct store *store_of(const struct blobs *blobs)
{
    return blobs->journal->store;
}

bool eraser_wants(const struct blobs *blobs)
{
    return !blobs->is_shut && (blobs->has_old || blobs->sum.released > 0);
}

static int leave(void *owner, const struct catalog_blob *blob)
{
    struct blobs *blobs = owner;
    blobs->leaving[blobs->leaving_count++] = blob->sha256;
    return depot_retire(&blobs->depot, &blob->sha256);
}

/* What is released is so on disk, for no transaction is open. */
int eraser_begin(struct blobs *blobs)
{
    ASSERT(!blobs->journal->is_open);
    blobs->has_old = false;
    blobs->leaving_count = 0;
    int err = catalog_each_released(store_of(blobs), BLOBS_ERASE_MAX, leave, blobs);
    blobs->has_old = err != 0;
    return err;
}

int eraser_work(void *owner, struct buffer *result)
{
    const struct blobs *blobs = owner;
    int64_t left;
    int err = depot_erase(&blobs->depot, &left);
    buffer_append(result, &left, sizeof(left));
    return err;
}

/* One that has been stored again meanwhile is not released any more, or has another file in its place:
 * its row stays. */
static int forget(struct blobs *blobs, const struct digest *digest)
{
    struct catalog_blob row;
    int err = catalog_get(store_of(blobs), digest, &row);
    if (err == -ENOENT || (!err && !row.is_released) || depot_has(&blobs->depot, digest))
        return 0;
    if (!err)
        err = catalog_forget(store_of(blobs), digest);
    if (!err)
        err = chain_forget(store_of(blobs), digest);
    if (!err)
        err = notes_forget(store_of(blobs), digest);
    if (!err)
        blobs_add_up(blobs, &row, -1);
    return err;
}

/* One file that cannot be erased is tried again later, and keeps no other from going: it is in old/,
 * where every start looks, so its row goes too. */
int eraser_end(struct blobs *blobs, const struct buffer *result)
{
    if (result->length != sizeof(blobs->left))
        return -ECHILD;
    memcpy(&blobs->left, result->bytes, sizeof(blobs->left));
    blobs->left_us = now_mono_us();
    if (blobs->leaving_count == 0)
        return 0;
    int err = group_enter(blobs->group);
    if (err)
        return err;
    for (int i = 0; i < blobs->leaving_count && !err; i++)
        err = forget(blobs, &blobs->leaving[i]);
    blobs->leaving_count = 0;
    if (err)
        group_fail(blobs->group, err);
    else
        group_ask(blobs->group, 1, false);
    return err;
}
