/* heirs - see heirs.h. */
#include "keeper/blobs/heirs.h"

#include <stdio.h>

#include "base/hex.h"

/* First listed: what is being read would be in the way of a transaction that is undone. */
struct list {
    int count;
    struct catalog_blob blob[HEIRS_MAX];
};

static int put_in_list(void *owner, const struct catalog_blob *blob)
{
    struct list *list = owner;
    list->blob[list->count++] = *blob;
    return 0;
}

static int adopt(struct blobs *blobs, const struct catalog_blob *blob)
{
    struct catalog_blob row = *blob;
    char more[16 + TALK_DIGEST_HEX], digits[TALK_DIGEST_HEX + 1];
    hex_encode(digits, blob->sm3.bytes, DIGEST_BYTES);
    snprintf(more, sizeof(more), "\"sm3\":\"%s\"", digits);
    row.seq = journal_next(blobs->journal); /* that of the event */
    return blobs_change(blobs, blob, &row, "evidence.adopted", more);
}

void heirs_look(struct blobs *blobs)
{
    static struct list list;
    list.count = 0;
    if (!blobs->has_heirs || blobs->sends == 0)
        return;
    int err = catalog_each_heir(blobs->journal->store, HEIRS_MAX, blobs->sends,
                                put_in_list, &list);
    for (int i = 0; i < list.count && !err; i++)
        err = adopt(blobs, &list.blob[i]);
    blobs->has_heirs = err || list.count == HEIRS_MAX;
}

void heirs_learn(struct blobs *blobs, const struct digest *sha256,
                 const struct digest *sm3)
{
    struct catalog_blob row;
    if (blobs_find(blobs, sha256, &row) != 0 || row.has_sm3 ||
        group_enter(blobs->group) != 0)
        return;
    blobs_add_up(blobs, &row, -1);
    row.sm3 = *sm3;
    row.has_sm3 = true;
    blobs_add_up(blobs, &row, 1);
    int err = catalog_put(blobs->journal->store, &row);
    if (err)
        group_fail(blobs->group, err);
    else
        group_ask(blobs->group, 1, false);
    blobs->has_heirs = true;
}
