/* catalog - see catalog.h. */
#include "keeper/blobs/catalog.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "keeper/blobs/notes.h"
#include "keeper/journal/query.h"
#include "keeper/journal/row.h"

const char *catalog_class_name(int class)
{
    return class == CATALOG_UNKNOWN ? "unknown"
                                    : talk_class_name((enum talk_class) class);
}

/* A wreck may say anything. */
static bool is_sane(const struct catalog_blob *blob)
{
    return blob->size >= 0 && blob->class >= 0 && blob->class < CATALOG_CLASSES &&
           blob->keep_ms >= -1 && blob->until_us >= -1;
}

static int column_blob(sqlite3_stmt *row, struct catalog_blob *blob)
{
    *blob = (struct catalog_blob){.has_sm3 = sqlite3_column_bytes(row, 1) > 0,
                                  .size = sqlite3_column_int64(row, 2),
                                  .class = sqlite3_column_int(row, 3),
                                  .keep_ms = sqlite3_column_int64(row, 4),
                                  .until_us = sqlite3_column_int64(row, 5),
                                  .is_prompt = sqlite3_column_int(row, 6) != 0,
                                  .is_released = sqlite3_column_int(row, 7) != 0,
                                  .is_damaged = sqlite3_column_int(row, 8) != 0,
                                  .seq = sqlite3_column_int64(row, 9),
                                  .stored_us = sqlite3_column_int64(row, 10),
                                  .uploaded_us = sqlite3_column_int64(row, 11)};
    int err = row_digest(row, 0, &blob->sha256);
    if (!err && blob->has_sm3)
        err = row_digest(row, 1, &blob->sm3);
    return err || is_sane(blob) ? err : -EBADMSG;
}

/* Resets the statement. */
static int each_row(sqlite3_stmt *rows, catalog_call *each, void *owner)
{
    int err;
    while ((err = row_take(rows)) == 0) {
        struct catalog_blob blob;
        err = column_blob(rows, &blob);
        if (!err)
            err = each(owner, &blob);
        if (err)
            break;
    }
    row_end(rows);
    return err == -ENOENT ? 0 : err;
}

static void bind_digest(sqlite3_stmt *statement, int at, const struct digest *digest)
{
    row_bind_bytes(statement, at, digest->bytes, DIGEST_BYTES);
}

int catalog_get(struct store *store, const struct digest *digest,
                struct catalog_blob *blob)
{
    sqlite3_stmt *row = store_statement(store, QUERY_GET_BLOB);
    bind_digest(row, 1, digest);
    int err = row_take(row);
    if (!err)
        err = column_blob(row, blob);
    row_end(row);
    return err;
}

int catalog_find_no_sm3(struct store *store, struct catalog_blob *blob)
{
    sqlite3_stmt *row = store_statement(store, QUERY_NO_SM3);
    int err = row_take(row);
    if (!err)
        err = column_blob(row, blob);
    row_end(row);
    return err;
}

bool catalog_is_named(struct store *store, const struct digest *digest)
{
    struct catalog_blob row;
    return catalog_get(store, digest, &row) == 0 && !row.is_released && row.seq >= 0;
}

int catalog_put(struct store *store, const struct catalog_blob *blob)
{
    sqlite3_stmt *row = store_statement(store, QUERY_PUT_BLOB);
    ASSERT(is_sane(blob));
    bind_digest(row, 1, &blob->sha256);
    row_bind_bytes(row, 2, blob->sm3.bytes, blob->has_sm3 ? DIGEST_BYTES : 0);
    sqlite3_bind_int64(row, 3, blob->size);
    sqlite3_bind_int(row, 4, blob->class);
    sqlite3_bind_int64(row, 5, blob->keep_ms);
    sqlite3_bind_int64(row, 6, blob->until_us);
    sqlite3_bind_int(row, 7, blob->is_prompt);
    sqlite3_bind_int(row, 8, blob->is_released);
    sqlite3_bind_int(row, 9, blob->is_damaged);
    sqlite3_bind_int64(row, 10, blob->seq);
    sqlite3_bind_int64(row, 11, blob->stored_us);
    sqlite3_bind_int64(row, 12, blob->uploaded_us);
    return row_run(row);
}

int catalog_forget(struct store *store, const struct digest *digest)
{
    sqlite3_stmt *statement = store_statement(store, QUERY_FORGET_BLOB);
    bind_digest(statement, 1, digest);
    return row_run(statement);
}

int catalog_each(struct store *store, const struct digest *after, int64_t most,
                 catalog_call *each, void *owner)
{
    sqlite3_stmt *rows = store_statement(store, QUERY_EACH_BLOB);
    row_bind_bytes(rows, 1, after ? after->bytes : NULL, after ? DIGEST_BYTES : 0);
    sqlite3_bind_int64(rows, 2, most);
    return each_row(rows, each, owner);
}

int catalog_each_released(struct store *store, int64_t most, catalog_call *each,
                          void *owner)
{
    sqlite3_stmt *rows = store_statement(store, QUERY_RELEASED_BLOBS);
    sqlite3_bind_int64(rows, 1, most);
    return each_row(rows, each, owner);
}

int catalog_each_prompt(struct store *store, int64_t now_us, int64_t most, int sends,
                        catalog_call *each, void *owner)
{
    sqlite3_stmt *rows = store_statement(store, QUERY_PROMPT_BLOBS);
    sqlite3_bind_int64(rows, 1, now_us);
    sqlite3_bind_int64(rows, 2, most);
    sqlite3_bind_int(rows, 3, sends);
    return each_row(rows, each, owner);
}

int catalog_each_parcel(struct store *store, int class, int64_t now_us, int64_t most,
                        catalog_call *each, void *owner)
{
    uint8_t from[NOTES_BOUND_BYTES], until[NOTES_BOUND_BYTES];
    sqlite3_stmt *rows = store_statement(store, QUERY_PARCELS);
    notes_bounds(from, until, now_us);
    sqlite3_bind_int(rows, 1, class);
    sqlite3_bind_int64(rows, 2, most);
    row_bind_bytes(rows, 3, from, sizeof(from));
    row_bind_bytes(rows, 4, until, sizeof(until));
    return each_row(rows, each, owner);
}

int catalog_each_heir(struct store *store, int64_t most, int sends, catalog_call *each,
                      void *owner)
{
    sqlite3_stmt *rows = store_statement(store, QUERY_HEIRS);
    sqlite3_bind_int64(rows, 1, most);
    sqlite3_bind_int(rows, 2, sends);
    return each_row(rows, each, owner);
}

int catalog_each_due(struct store *store, int64_t now_us, int64_t most, int class,
                     int sends, catalog_call *each, void *owner)
{
    sqlite3_stmt *rows = store_statement(store, QUERY_DUE_BLOBS);
    sqlite3_bind_int64(rows, 1, now_us);
    sqlite3_bind_int64(rows, 2, most);
    sqlite3_bind_int(rows, 3, class);
    sqlite3_bind_int(rows, 4, sends);
    return each_row(rows, each, owner);
}

bool catalog_is_parcel(const struct catalog_blob *blob)
{
    return !blob->is_released && blob->uploaded_us == 0 && blob->seq >= 0 &&
           !blob->is_damaged && blob->has_sm3;
}

static void add_up(struct catalog_sum *sum, sqlite3_stmt *row)
{
    int class = sqlite3_column_int(row, 0);
    int64_t count = sqlite3_column_int64(row, 2), bytes = sqlite3_column_int64(row, 4);
    if (class < 0 || class >= CATALOG_CLASSES)
        class = CATALOG_UNKNOWN;
    if (sqlite3_column_int(row, 1) != 0) {
        sum->released += count;
        sum->released_bytes += bytes;
        return;
    }
    sum->count[class] += count;
    sum->bytes[class] += bytes;
    sum->damaged += sqlite3_column_int64(row, 3);
    sum->parcels[class] += sqlite3_column_int64(row, 5);
    sum->uploaded[class] += sqlite3_column_int64(row, 6);
}

int catalog_sum(struct store *store, struct catalog_sum *sum)
{
    sqlite3_stmt *rows = store_statement(store, QUERY_SUM_BLOBS);
    int err;
    *sum = (struct catalog_sum){.released = 0};
    while ((err = row_take(rows)) == 0)
        add_up(sum, rows);
    row_end(rows);
    return err == -ENOENT ? 0 : err;
}

int catalog_count_undated(struct store *store, int64_t *count)
{
    sqlite3_stmt *row = store_statement(store, QUERY_COUNT_UNDATED);
    int err = row_take(row);
    *count = err ? 0 : sqlite3_column_int64(row, 0);
    row_end(row);
    return err;
}

int catalog_date(struct store *store, int64_t now_us)
{
    sqlite3_stmt *statement = store_statement(store, QUERY_DATE_BLOBS);
    sqlite3_bind_int64(statement, 1, now_us);
    return row_run(statement);
}

int catalog_damage_all(struct store *store)
{
    return row_run(store_statement(store, QUERY_DAMAGE_BLOBS));
}

struct copy {
    struct store *store;
    bool is_newest;
    bool (*is_there)(void *owner, const struct digest *digest);
    void *owner;
};

static int take_over(void *owner, const struct catalog_blob *blob)
{
    const struct copy *copy = owner;
    struct catalog_blob own, row = *blob;
    if ((row.is_released || !copy->is_newest) &&
        !copy->is_there(copy->owner, &row.sha256))
        return 0;
    row.is_released = false;
    row.seq = -1;
    int err = catalog_get(copy->store, &row.sha256, &own);
    return err == -ENOENT ? catalog_put(copy->store, &row) : err;
}

/* The rows behind one that cannot be read are left: their files are adopted. */
int catalog_copy(struct store *store, const char *path, bool is_newest,
                 bool (*is_there)(void *owner, const struct digest *digest), void *owner)
{
    struct copy copy = {store, is_newest, is_there, owner};
    struct store *old = NULL;
    int err = store_open_wreck(&old, path);
    if (err)
        return err;
    if (store_statement(old, QUERY_EACH_BLOB) != NULL)
        err = catalog_each(old, NULL, INT64_MAX, take_over, &copy);
    store_close(old);
    return err;
}
