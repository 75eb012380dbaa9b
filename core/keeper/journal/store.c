/* store - see store.h.
 *
 * Invariant: this is the only connection that writes or checkpoints the file (the SQLite of Debian
 * 12 damages a WAL that two connections reset at once), it never maps the file, and a commit is on
 * disk when it returns (synchronous=FULL is set and then asked for).
 *
 * Rule of this file: a statement is reset before its function returns, so that no read pins the
 * WAL. */
#include "keeper/journal/store.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/base.h"
#include "base/mem.h"
#include "keeper/journal/query.h"
#include "keeper/journal/row.h"
#include "keeper/journal/schema.h"
#include "keeper/space/ahead.h"

enum { PAGE_BYTES = 4096, CHUNK_MOST = INT_MAX - PAGE_BYTES };

struct store {
    sqlite3 *db;
    sqlite3_stmt *statements[QUERIES];
    int version; /* of its tables */
    int wal_pages;
    bool is_trusted;
    bool has_remains; /* of a transaction that found no room, in the WAL */
    char path[AHEAD_PATH_MAX];
};

static sqlite3_stmt *use(struct store *store, enum query which)
{
    return store->statements[which];
}

static int count_pages(void *owner, sqlite3 *db, const char *name, int pages)
{
    struct store *store = owner;
    (void)db;
    (void)name;
    store->wal_pages = pages;
    return SQLITE_OK;
}

static int read_pragma(struct store *store, const char *sql, int *value)
{
    sqlite3_stmt *statement = NULL;
    int err = row_err(sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL));
    if (!err)
        err = row_take(statement);
    if (!err)
        *value = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    return err;
}

static int make_schema(struct store *store)
{
    int err = read_pragma(store, "PRAGMA user_version", &store->version);
    if (err || store->version == SCHEMA_VERSION)
        return err;
    if (store->version != 0)
        return store->version < SCHEMA_VERSION ? 0 : -EPROTONOSUPPORT;
    err = row_err(sqlite3_exec(store->db, "BEGIN IMMEDIATE", NULL, NULL, NULL));
    if (!err)
        err = row_err(sqlite3_exec(store->db, schema_sql, NULL, NULL, NULL));
    if (!err)
        err = row_err(sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL));
    store->version = err ? 0 : SCHEMA_VERSION;
    return err;
}

/* The first error; of a wreck some tables may be gone, and the others are of use. */
static int prepare(struct store *store, int from, int until)
{
    int first = 0;
    for (int i = from; i < until; i++) {
        int err = row_err(sqlite3_prepare_v3(store->db, query_sql[i], -1,
                                             SQLITE_PREPARE_PERSISTENT,
                                             &store->statements[i], NULL));
        first = first ? first : err;
    }
    return first;
}

/* A number that SQLite tells of the file. */
static int read_number(struct store *store, enum query which, int64_t *number)
{
    sqlite3_stmt *statement = use(store, which);
    int err = row_take(statement);
    if (!err)
        *number = sqlite3_column_int64(statement, 0);
    row_end(statement);
    return err;
}

static int64_t length_of(const struct store *store)
{
    struct stat file;
    return stat(store->path, &file) == 0 ? (int64_t)file.st_size : 0;
}

/* When it has copied the WAL, SQLite makes the file end at the next multiple of this after the last
 * page. A length that does not fit an int is taken in equal parts. */
static void keep_length(struct store *store, int64_t length)
{
    int64_t parts = length / CHUNK_MOST + 1, part = length / parts;
    int chunk = (int)((part + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES);
    sqlite3_file_control(store->db, "main", SQLITE_FCNTL_CHUNK_SIZE, &chunk);
}

/* The pages may have outgrown the file since. */
static void keep_all(struct store *store)
{
    int64_t pages = 0, length = length_of(store);
    read_number(store, QUERY_PAGES, &pages);
    keep_length(store, length > pages * PAGE_BYTES ? length : pages * PAGE_BYTES);
}

int store_open(struct store **out, const char *path)
{
    struct store *store = mem_new(struct store);
    int synchronous = 0;
    snprintf(store->path, sizeof(store->path), "%s", path);
    ahead_take(path);
    int err = row_err(sqlite3_open_v2(path, &store->db,
                                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL));
    if (err)
        goto fail;
    keep_length(store, length_of(store));
    sqlite3_busy_timeout(store->db, 2000);
    err = row_err(sqlite3_exec(store->db, query_settings, NULL, NULL, NULL));
    if (!err)
        err = read_pragma(store, "PRAGMA synchronous", &synchronous);
    if (!err)
        err = make_schema(store);
    if (!err)
        err = prepare(store, 0, store->version == 1 ? QUERIES_OF_1 : QUERIES);
    if (err)
        goto fail;
    ASSERT(synchronous == 2);
    sqlite3_wal_hook(store->db, count_pages, store);
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    *out = store;
    return 0;

fail:
    store_close(store);
    return err;
}

int store_open_wreck(struct store **out, const char *path)
{
    struct store *store = mem_new(struct store);
    int err = row_err(sqlite3_open_v2(path, &store->db, SQLITE_OPEN_READONLY, NULL));
    if (!err)
        err = row_err(sqlite3_exec(store->db, query_wreck_settings, NULL, NULL, NULL));
    if (err) {
        store_close(store);
        return err;
    }
    prepare(store, 0, QUERIES);
    *out = store;
    return 0;
}

/* Copies all that waits in the WAL; its file then may stay, with its length. */
static bool empty_ahead(struct store *store)
{
    int waiting = -1, copied = -1, keep = 1;
    keep_all(store);
    int rc = sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_RESTART,
                                       &waiting, &copied);
    sqlite3_exec(store->db, "PRAGMA journal_size_limit = -1", NULL, NULL, NULL);
    sqlite3_file_control(store->db, "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
    return rc == SQLITE_OK && waiting >= 0 && waiting == copied;
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    bool emptied = store->is_trusted && empty_ahead(store);
    for (int i = 0; i < QUERIES; i++)
        sqlite3_finalize(store->statements[i]);
    sqlite3_close(store->db);
    if (store->path[0] != '\0')
        ahead_put_aside(store->path, emptied);
    mem_free(store);
}

int store_check(struct store *store)
{
    int faults;
    int err = read_pragma(store, query_check, &faults);
    return err || faults == 0 ? err : -EBADMSG;
}

/* *all: nothing waits in the WAL any more, not even for somebody who reads just now. */
static int copy_ahead(struct store *store, bool *all)
{
    int waiting = -1, copied = -1;
    keep_all(store);
    int rc = sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_PASSIVE,
                                       &waiting, &copied);
    *all = rc == SQLITE_OK && waiting == copied;
    if (rc == SQLITE_BUSY)
        return 0; /* the next time will do */
    if (rc == SQLITE_OK)
        store->wal_pages = 0;
    return row_err(rc);
}

static void clear_remains(struct store *store)
{
    bool all;
    copy_ahead(store, &all);
    store->has_remains = !all;
}

/* Once all is copied SQLite begins the WAL anew, under another salt: what a cut or a full disk has left
 * behind the last whole transaction is then never taken for a part of it. Where that finds no room
 * it is tried again. */
void store_trust(struct store *store)
{
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    store->is_trusted = true;
    clear_remains(store);
}

int store_measure(struct store *store, struct store_space *space)
{
    int64_t all, unused;
    int err = read_number(store, QUERY_PAGES, &all);
    if (!err)
        err = read_number(store, QUERY_FREE_PAGES, &unused);
    int64_t behind = err ? 0 : length_of(store) - all * PAGE_BYTES;
    ahead_measure(store->path, &space->file, &space->ahead);
    space->free = err ? 0 : unused * PAGE_BYTES + (behind > 0 ? behind : 0);
    return err;
}

int store_stretch(struct store *store, int64_t bytes)
{
    int64_t length = length_of(store) + bytes;
    keep_length(store, length);
    errno = 0;
    int rc = sqlite3_file_control(store->db, "main", SQLITE_FCNTL_SIZE_HINT, &length);
    return rc == SQLITE_IOERR_WRITE && errno != 0 ? -errno : row_err(rc);
}

int store_migrate(struct store *store)
{
    int before = store->version, err = 0;
    for (; store->version < SCHEMA_VERSION && !err; store->version += !err)
        err = row_err(
            sqlite3_exec(store->db, schema_migrations[store->version], NULL, NULL, NULL));
    return err || before > 1 ? err : prepare(store, QUERIES_OF_1, QUERIES);
}

int store_begin(struct store *store)
{
    if (store->has_remains)
        clear_remains(store);
    return row_run(use(store, QUERY_BEGIN));
}

int store_commit(struct store *store)
{
    int err = row_run(use(store, QUERY_COMMIT));
    store->has_remains |= err == -ENOSPC;
    return err;
}

void store_rollback(struct store *store)
{
    if (!sqlite3_get_autocommit(store->db))
        row_run(use(store, QUERY_ROLLBACK));
}

int store_checkpoint(struct store *store, int pages)
{
    if (store->wal_pages < pages || store->wal_pages == 0)
        return 0;
    bool all;
    return copy_ahead(store, &all);
}

int store_get_log(struct store *store, struct store_log *log)
{
    sqlite3_stmt *statement = use(store, QUERY_GET_LOG);
    int err = row_take(statement);
    if (!err)
        err = row_word(statement, 0, log->office, sizeof(log->office));
    if (!err)
        err = row_word(statement, 1, log->log, sizeof(log->log));
    if (!err)
        err = row_word(statement, 2, log->suite, sizeof(log->suite));
    if (!err)
        log->closed = sqlite3_column_int(statement, 3) != 0;
    row_end(statement);
    return err;
}

int store_put_log(struct store *store, const struct store_log *log)
{
    sqlite3_stmt *statement = use(store, QUERY_PUT_LOG);
    row_bind_text(statement, 1, log->office);
    row_bind_text(statement, 2, log->log);
    row_bind_text(statement, 3, log->suite);
    return row_run(statement);
}

int store_put_closed(struct store *store, bool closed)
{
    sqlite3_stmt *statement = use(store, QUERY_PUT_CLOSED);
    sqlite3_bind_int(statement, 1, closed);
    return row_run(statement);
}

int store_add_event(struct store *store, const struct store_event *event)
{
    sqlite3_stmt *statement = use(store, QUERY_ADD_EVENT);
    sqlite3_bind_int64(statement, 1, event->seq);
    sqlite3_bind_int(statement, 2, event->lane);
    row_bind_bytes(statement, 3, event->body, event->length);
    row_bind_bytes(statement, 4, event->leaf.bytes, DIGEST_BYTES);
    return row_run(statement);
}

static int column_event(sqlite3_stmt *statement, struct store_event *event)
{
    int lane = sqlite3_column_int(statement, 1);
    if (lane < 0 || lane >= LANES)
        return -EBADMSG;
    event->seq = sqlite3_column_int64(statement, 0);
    event->lane = (enum talk_lane)lane;
    event->body = sqlite3_column_blob(statement, 2);
    event->length = (size_t)sqlite3_column_bytes(statement, 2);
    return row_digest(statement, 3, &event->leaf);
}

int store_each_event(struct store *store, int64_t from, int64_t most,
                     int (*each)(void *owner, const struct store_event *event),
                     void *owner)
{
    sqlite3_stmt *statement = use(store, QUERY_EACH_EVENT);
    sqlite3_bind_int64(statement, 1, from);
    sqlite3_bind_int64(statement, 2, most);
    int err;
    while ((err = row_take(statement)) == 0) {
        struct store_event event;
        err = column_event(statement, &event);
        if (!err)
            err = each(owner, &event);
        if (err)
            break;
    }
    row_end(statement);
    return err == -ENOENT ? 0 : err;
}

int store_get_sealed(struct store *store, int64_t *size, struct buffer *edge)
{
    sqlite3_stmt *statement = use(store, QUERY_GET_SEALED);
    int err = row_take(statement);
    *size = 0;
    if (!err) {
        *size = sqlite3_column_int64(statement, 0);
        buffer_append(edge, sqlite3_column_blob(statement, 1),
                      (size_t)sqlite3_column_bytes(statement, 1));
    }
    row_end(statement);
    return err == -ENOENT ? 0 : err;
}

int store_put_sealed(struct store *store, int64_t size, const struct buffer *edge)
{
    sqlite3_stmt *statement = use(store, QUERY_PUT_SEALED);
    sqlite3_bind_int64(statement, 1, size);
    row_bind_bytes(statement, 2, edge->bytes, edge->length);
    int err = row_run(statement);
    if (err)
        return err;
    statement = use(store, QUERY_DROP_EVENTS);
    sqlite3_bind_int64(statement, 1, size);
    return row_run(statement);
}

int store_add_tile(struct store *store, int64_t index, const struct store_tile *tile)
{
    int counts[LANES] = {0};
    for (int i = 0; i < TILE_WIDTH; i++)
        if (!(tile->lanes[i] & STORE_ERASED))
            counts[tile->lanes[i]]++;
    sqlite3_stmt *statement = use(store, QUERY_ADD_TILE);
    sqlite3_bind_int64(statement, 1, index);
    for (int lane = 0; lane < LANES; lane++)
        sqlite3_bind_int(statement, 2 + lane, counts[lane]);
    row_bind_bytes(statement, 5, tile->lanes, TILE_WIDTH);
    row_bind_bytes(statement, 6, tile->file.bytes, DIGEST_BYTES);
    return row_run(statement);
}

int store_get_tile(struct store *store, int64_t index, struct store_tile *tile)
{
    sqlite3_stmt *statement = use(store, QUERY_GET_TILE);
    sqlite3_bind_int64(statement, 1, index);
    int err = row_take(statement);
    if (!err && sqlite3_column_bytes(statement, 0) != TILE_WIDTH)
        err = -EBADMSG;
    if (!err) {
        memcpy(tile->lanes, sqlite3_column_blob(statement, 0), TILE_WIDTH);
        err = row_digest(statement, 1, &tile->file);
    }
    row_end(statement);
    return err;
}

int store_find_tile(struct store *store, int64_t from, enum talk_lane lane,
                    int64_t *index)
{
    static const enum query FIND[LANES] = {QUERY_FIND_ALARM, QUERY_FIND_RECORD,
                                           QUERY_FIND_TELEMETRY};
    sqlite3_stmt *statement = use(store, FIND[lane]);
    sqlite3_bind_int64(statement, 1, from);
    int err = row_take(statement);
    if (!err)
        *index = sqlite3_column_int64(statement, 0);
    row_end(statement);
    return err;
}

int store_put(struct store *store, const char *instance, const char *key,
              const void *value, size_t length)
{
    sqlite3_stmt *statement = use(store, QUERY_PUT_KEY);
    row_bind_text(statement, 1, instance);
    row_bind_text(statement, 2, key);
    row_bind_bytes(statement, 3, value, length);
    return row_run(statement);
}

int store_remove(struct store *store, const char *instance, const char *key)
{
    sqlite3_stmt *statement = use(store, QUERY_REMOVE_KEY);
    row_bind_text(statement, 1, instance);
    row_bind_text(statement, 2, key);
    return row_run(statement);
}

int store_get(struct store *store, const char *instance, const char *key,
              struct buffer *value)
{
    sqlite3_stmt *statement = use(store, QUERY_GET_KEY);
    row_bind_text(statement, 1, instance);
    row_bind_text(statement, 2, key);
    int err = row_take(statement);
    if (!err)
        buffer_append(value, sqlite3_column_blob(statement, 0),
                      (size_t)sqlite3_column_bytes(statement, 0));
    row_end(statement);
    return err;
}

int store_each_key(struct store *store, const char *instance, const char *from,
                   const char *until,
                   int (*each)(void *owner, const char *key, const void *value,
                               size_t length),
                   void *owner)
{
    sqlite3_stmt *statement = use(store, QUERY_EACH_KEY);
    row_bind_text(statement, 1, instance);
    row_bind_text(statement, 2, from);
    row_bind_text(statement, 3, until);
    int err;
    while ((err = row_take(statement)) == 0) {
        err = each(owner, (const char *)sqlite3_column_text(statement, 0),
                   sqlite3_column_blob(statement, 1),
                   (size_t)sqlite3_column_bytes(statement, 1));
        if (err)
            break;
    }
    row_end(statement);
    return err == -ENOENT ? 0 : err;
}

int store_get_cursor(struct store *store, const char *instance, const char *name,
                     int64_t *seq)
{
    sqlite3_stmt *statement = use(store, QUERY_GET_CURSOR);
    row_bind_text(statement, 1, instance);
    row_bind_text(statement, 2, name);
    int err = row_take(statement);
    *seq = err ? -1 : sqlite3_column_int64(statement, 0);
    row_end(statement);
    return err == -ENOENT ? 0 : err;
}

int store_put_cursor(struct store *store, const char *instance, const char *name,
                     int64_t seq)
{
    sqlite3_stmt *statement = use(store, QUERY_PUT_CURSOR);
    row_bind_text(statement, 1, instance);
    row_bind_text(statement, 2, name);
    sqlite3_bind_int64(statement, 3, seq);
    return row_run(statement);
}

int store_get_marks(struct store *store, int64_t marks[LANES])
{
    sqlite3_stmt *statement = use(store, QUERY_GET_MARKS);
    for (int lane = 0; lane < LANES; lane++)
        marks[lane] = -1;
    int err;
    while ((err = row_take(statement)) == 0) {
        int lane = sqlite3_column_int(statement, 0);
        if (lane >= 0 && lane < LANES)
            marks[lane] = sqlite3_column_int64(statement, 1);
    }
    row_end(statement);
    return err == -ENOENT ? 0 : err;
}

int store_put_mark(struct store *store, enum talk_lane lane, int64_t seq)
{
    sqlite3_stmt *statement = use(store, QUERY_PUT_MARK);
    sqlite3_bind_int(statement, 1, lane);
    sqlite3_bind_int64(statement, 2, seq);
    return row_run(statement);
}

int store_get_receipt(struct store *store, struct buffer *note)
{
    sqlite3_stmt *statement = use(store, QUERY_GET_RECEIPT);
    int err = row_take(statement);
    if (!err)
        buffer_append(note, sqlite3_column_blob(statement, 0),
                      (size_t)sqlite3_column_bytes(statement, 0));
    row_end(statement);
    return err;
}

int store_put_receipt(struct store *store, const void *note, size_t length)
{
    sqlite3_stmt *statement = use(store, QUERY_PUT_RECEIPT);
    row_bind_bytes(statement, 1, note, length);
    return row_run(statement);
}

sqlite3_stmt *store_statement(struct store *store, int query)
{
    return use(store, (enum query)query);
}

int store_copy_keys(struct store *store, const char *path)
{
    struct store *old = NULL;
    int err = store_open_wreck(&old, path);
    if (err)
        return err;
    sqlite3_stmt *rows = use(old, QUERY_ALL_KEYS);
    while (!err && (err = row_take(rows)) == 0)
        err = store_put(store, (const char *)sqlite3_column_text(rows, 0),
                        (const char *)sqlite3_column_text(rows, 1),
                        sqlite3_column_blob(rows, 2),
                        (size_t)sqlite3_column_bytes(rows, 2));
    store_close(old);
    return err == -ENOENT ? 0 : err;
}
