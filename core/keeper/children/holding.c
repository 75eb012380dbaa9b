/* holding - see holding.h.
 *
 * Invariant: `now` is what the open transaction holds, `durable` what is on disk. */
#include "keeper/children/holding.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "keeper/children/commit.h"
#include "keeper/journal/query.h"
#include "keeper/journal/row.h"

/* ---- What is there */

static int count(struct holding *holding, struct store *store)
{
    sqlite3_stmt *statement = store_statement(store, QUERY_COUNT_KEYS);
    row_bind_text(statement, 1, holding->instance);
    int err = row_take(statement);
    if (!err)
        holding->now = (struct holding_sum){sqlite3_column_int64(statement, 0),
                                            sqlite3_column_int64(statement, 1)};
    row_end(statement);
    holding->durable = holding->now;
    return err;
}

/* Key and value; 0 when there is none. */
static int size_of(struct store *store, const char *instance, const char *key,
                   int64_t *size)
{
    sqlite3_stmt *statement = store_statement(store, QUERY_KEY_SIZE);
    row_bind_text(statement, 1, instance);
    row_bind_text(statement, 2, key);
    int err = row_take(statement);
    *size = err ? 0 : (int64_t)strlen(key) + sqlite3_column_int64(statement, 0);
    row_end(statement);
    return err == -ENOENT ? 0 : err;
}

static void drop_all(struct holdings *holdings)
{
    while (holdings->first != NULL) {
        struct holding *holding = holdings->first;
        holdings->first = holding->next;
        mem_free(holding);
    }
    holdings->count = 0;
}

int holding_find(struct holdings *holdings, struct store *store, const char *instance,
                 struct holding **out)
{
    struct holding *holding = holdings->first;
    while (holding != NULL && strcmp(holding->instance, instance) != 0)
        holding = holding->next;
    if (holding == NULL) {
        struct holding fresh = {.next = holdings->first};
        strcpy(fresh.instance, instance);
        int err = count(&fresh, store);
        if (err)
            return err;
        holding = mem_new(struct holding);
        *holding = fresh;
        holdings->first = holding;
        holdings->count++;
    }
    *out = holding;
    return 0;
}

/* ---- What a commit makes of it */

static bool is_key(const struct field *field)
{
    return field->tag == TAG_PUT || field->tag == TAG_REMOVE;
}

static int64_t size_after(const struct field *field, const struct commit_key *key)
{
    return field->tag == TAG_PUT ? (int64_t)(strlen(key->key) + key->value.length) : 0;
}

static void change(struct holding_sum *sum, int64_t before, int64_t after)
{
    sum->keys += (after > 0) - (before > 0);
    sum->bytes += after - before;
}

static bool is_too_much(const struct holding_sum *sum)
{
    return sum->keys > TALK_STORE_KEYS_MAX || sum->bytes > TALK_STORE_BYTES_MAX;
}

/* As if nothing were replaced: mostly that is little enough, and no key has to be looked up. */
static bool fits_anyhow(const struct holding *holding, const struct fields *fields)
{
    struct holding_sum sum = holding->now;
    struct fields rest = *fields;
    struct field field;
    struct commit_key key;
    while (fields_next(&rest, &field) > 0)
        if (is_key(&field) && commit_read_key(&key, &field) == 0)
            change(&sum, 0, size_after(&field, &key));
    return !is_too_much(&sum);
}

/* What the key is when the fields before this one are applied. */
static int size_before(const struct holding *holding, struct store *store,
                       const struct fields *fields, const struct field *until,
                       const char *name, int64_t *size)
{
    struct fields rest = *fields;
    struct field field;
    struct commit_key key;
    bool is_known = false;
    while (fields_next(&rest, &field) > 0 && field.bytes != until->bytes) {
        if (!is_key(&field) || commit_read_key(&key, &field) != 0 ||
            strcmp(key.key, name) != 0)
            continue;
        *size = size_after(&field, &key);
        is_known = true;
    }
    return is_known ? 0 : size_of(store, holding->instance, name, size);
}

static int weigh(const struct holding *holding, struct store *store,
                 const struct fields *fields, struct holding_sum *sum)
{
    struct fields rest = *fields;
    struct field field;
    struct commit_key key;
    int err = 0;
    while (!err && fields_next(&rest, &field) > 0) {
        int64_t before;
        if (!is_key(&field))
            continue;
        err = commit_read_key(&key, &field);
        if (!err)
            err = size_before(holding, store, fields, &field, key.key, &before);
        if (!err)
            change(sum, before, size_after(&field, &key));
    }
    return err;
}

/* How many of the commit's cursors have no row yet. */
static int count_new(struct store *store, const char *instance,
                     const struct fields *fields, int64_t *count)
{
    struct fields rest = *fields;
    struct field field;
    struct commit_cursor cursor;
    int64_t seq;
    int err = 0;
    *count = 0;
    while (!err && fields_next(&rest, &field) > 0) {
        if (field.tag != TAG_CONSUMED || commit_read_cursor(&cursor, &field) != 0)
            continue;
        err = store_get_cursor(store, instance, cursor.name, &seq);
        *count += seq < 0;
    }
    return err;
}

static int count_cursors(struct store *store, const char *instance, int64_t *count)
{
    sqlite3_stmt *statement = store_statement(store, QUERY_COUNT_CURSORS);
    row_bind_text(statement, 1, instance);
    int err = row_take(statement);
    *count = err ? 0 : sqlite3_column_int64(statement, 0);
    row_end(statement);
    return err;
}

static int check_cursors(const struct holding *holding, struct store *store,
                         const struct fields *fields, struct buffer *why)
{
    int64_t more, there;
    int err = count_new(store, holding->instance, fields, &more);
    if (err || more == 0)
        return err;
    err = count_cursors(store, holding->instance, &there);
    if (err || there + more <= TALK_CURSORS_MAX)
        return err;
    buffer_printf(why, "consumed: expected at most %d places, this would make it %lld",
                  TALK_CURSORS_MAX, (long long)(there + more));
    return -EDQUOT;
}

int holding_check(const struct holding *holding, struct store *store,
                  const struct fields *fields, struct buffer *why)
{
    struct holding_sum sum = holding->now;
    int err = check_cursors(holding, store, fields, why);
    if (err || fits_anyhow(holding, fields))
        return err;
    err = weigh(holding, store, fields, &sum);
    bool is_less = sum.keys <= holding->now.keys && sum.bytes <= holding->now.bytes;
    if (err || !is_too_much(&sum) || is_less)
        return err;
    buffer_printf(why,
                  "store: expected at most %d keys and %d KiB in all, this would make it "
                  "%lld keys and %lld KiB",
                  TALK_STORE_KEYS_MAX, TALK_STORE_BYTES_MAX / 1024, (long long)sum.keys,
                  (long long)((sum.bytes + 1023) / 1024));
    return -EDQUOT;
}

int holding_change(struct holding *holding, struct store *store,
                   const struct field *field)
{
    struct commit_key key;
    int64_t before;
    if (!is_key(field))
        return 0;
    int err = commit_read_key(&key, field);
    if (!err)
        err = size_of(store, holding->instance, key.key, &before);
    if (!err)
        change(&holding->now, before, size_after(field, &key));
    return err;
}

/* ---- The group */

void holdings_settle(struct holdings *holdings, bool done)
{
    for (struct holding *holding = holdings->first; holding; holding = holding->next)
        if (done)
            holding->durable = holding->now;
        else
            holding->now = holding->durable;
    if (holdings->count > HOLDINGS_MAX)
        drop_all(holdings);
}

void holdings_free(struct holdings *holdings)
{
    drop_all(holdings);
}
