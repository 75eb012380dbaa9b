/* chain - see chain.h. The newest of each is a key of the store's instance "", by SHA-256. */
#include "keeper/blobs/chain.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"

static const char OWN[] = "";

enum { KEY_ROOM = 16 + 2 * DIGEST_BYTES };

static void print_key(char key[KEY_ROOM], const struct digest *digest)
{
    char digits[2 * DIGEST_BYTES + 1];
    hex_encode(digits, digest->bytes, DIGEST_BYTES);
    snprintf(key, KEY_ROOM, "custody/%s", digits);
}

/* -1: there is none. */
static int find_newest(struct store *store, const char *key, int64_t *seq)
{
    struct buffer value = {0};
    int err = store_get(store, OWN, key, &value);
    *seq = -1;
    if (!err && value.length == sizeof(*seq))
        memcpy(seq, value.bytes, sizeof(*seq));
    buffer_free(&value);
    return err == -ENOENT ? 0 : err;
}

int chain_add(struct group *group, const struct catalog_blob *blob, struct buffer *data)
{
    struct store *store = group->journal->store;
    char key[KEY_ROOM];
    int64_t before;
    if (blob->class < CLASS_ORDINARY)
        return 0;
    int err = group_enter(group);
    if (err)
        return err;
    print_key(key, &blob->sha256);
    err = find_newest(store, key, &before);
    int64_t next = journal_next(group->journal);
    if (!err)
        err = store_put(store, OWN, key, &next, sizeof(next));
    if (err)
        group_fail(group, err);
    else if (before >= 0)
        buffer_printf(data, ",\"previous\":%" PRId64, before);
    return err;
}

int chain_forget(struct store *store, const struct digest *digest)
{
    char key[KEY_ROOM];
    print_key(key, digest);
    return store_remove(store, OWN, key);
}
