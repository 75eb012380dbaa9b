/* database - see database.h. The door to SQLite. A struct rows is a sqlite3_stmt by another name.
 *
 * Invariant: each question has one statement, made when it is first asked and kept.
 *
 * Rule of this file: no SQL but BEGIN, COMMIT, ROLLBACK and pragmas; the rest is in schema.c. */
#include "city/database.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/base.h"
#include "base/mem.h"
#include "city/schema.h"

enum { BUSY_MS = 5000 };

struct database {
    sqlite3 *db;
    sqlite3_stmt *statements[QUERIES];
    int lock; /* file descriptor, -1: only reads */
};

static int result(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_DONE:
    case SQLITE_ROW:
        return 0;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_CANTOPEN:
        return -ENOENT;
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return -EACCES;
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
        return -EPROTO;
    default:
        return -EIO;
    }
}

const char *database_error(const struct database *database)
{
    return sqlite3_errmsg(database->db);
}

/* ---- Opening */

static int refuse(char why[DATABASE_WHY_ROOM], int err, const char *path,
                  const char *what)
{
    snprintf(why, DATABASE_WHY_ROOM, "%.120s: %s", path, what);
    return err;
}

static int lock_for_writing(struct database *database, const char *path,
                            char why[DATABASE_WHY_ROOM])
{
    struct buffer name = {0};
    buffer_printf(&name, "%s.lock", path);
    database->lock = open(buffer_text(&name), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    buffer_free(&name);
    if (database->lock < 0)
        return refuse(why, -errno, path, strerror(errno));
    if (flock(database->lock, LOCK_EX | LOCK_NB) != 0)
        return refuse(why, -EBUSY, path, "another outpost-city writes this database");
    return 0;
}

static int pragma_number(sqlite3 *db, const char *pragma, int *number)
{
    sqlite3_stmt *statement;
    int rc = sqlite3_prepare_v2(db, pragma, -1, &statement, NULL);
    if (rc == SQLITE_OK && (rc = sqlite3_step(statement)) == SQLITE_ROW)
        *number = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    return result(rc);
}

/* All of it or nothing. */
static int change_tables(struct database *database, const char *sql)
{
    int err = database_begin(database);
    if (!err)
        err = result(sqlite3_exec(database->db, sql, NULL, NULL, NULL));
    if (!err)
        err = database_commit(database);
    else
        database_rollback(database);
    return err;
}

static int migrate(struct database *database, int *version)
{
    int err = 0;
    while (!err && *version > 0 && *version < SCHEMA_VERSION &&
           SCHEMA_MIGRATIONS[*version] != NULL)
        if ((err = change_tables(database, SCHEMA_MIGRATIONS[*version])) == 0)
            ++*version;
    return err;
}

static int check_version(struct database *database, bool write)
{
    int version = 0, tables = 0;
    int err = pragma_number(database->db, "PRAGMA user_version", &version);
    if (!err)
        err = pragma_number(database->db, "PRAGMA schema_version", &tables);
    if (!err && write && version == 0 && tables == 0)
        return change_tables(database, SCHEMA_CREATE);
    if (!err && write)
        err = migrate(database, &version);
    if (!err && version != SCHEMA_VERSION)
        err = -EPROTO;
    return err;
}

static int set_pragmas(struct database *database, bool write)
{
    sqlite3_busy_timeout(database->db, BUSY_MS);
    if (!write)
        return 0;
    return result(sqlite3_exec(database->db,
                               "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                               "PRAGMA journal_size_limit = 67108864",
                               NULL, NULL, NULL));
}

static int open_parts(struct database *database, const char *path, bool write,
                      char why[DATABASE_WHY_ROOM])
{
    int flags = write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
    int err = write ? lock_for_writing(database, path, why) : 0;
    if (err)
        return err;
    err = result(sqlite3_open_v2(path, &database->db, flags, NULL));
    if (!err)
        err = set_pragmas(database, write);
    if (!err)
        err = check_version(database, write);
    if (err == -EPROTO)
        return refuse(why, err, path, "not a database of this version of outpost-city");
    if (err)
        return refuse(why, err, path, sqlite3_errmsg(database->db));
    return 0;
}

int database_open(struct database **out, const char *path, bool write,
                  char why[DATABASE_WHY_ROOM])
{
    struct database *database = mem_new(struct database);
    database->lock = -1;
    int err = open_parts(database, path, write, why);
    if (err) {
        database_close(database);
        return err;
    }
    *out = database;
    return 0;
}

void database_close(struct database *database)
{
    if (database == NULL)
        return;
    for (int i = 0; i < QUERIES; i++)
        sqlite3_finalize(database->statements[i]);
    sqlite3_close(database->db);
    if (database->lock >= 0)
        close(database->lock);
    mem_free(database);
}

int database_begin(struct database *database)
{
    return result(sqlite3_exec(database->db, "BEGIN IMMEDIATE", NULL, NULL, NULL));
}

int database_commit(struct database *database)
{
    return result(sqlite3_exec(database->db, "COMMIT", NULL, NULL, NULL));
}

void database_rollback(struct database *database)
{
    sqlite3_exec(database->db, "ROLLBACK", NULL, NULL,
                 NULL); /* fails only when there is nothing */
}

/* ---- Asking */

static sqlite3_stmt *inside(struct rows *rows)
{
    return (sqlite3_stmt *)rows;
}

static int bind(sqlite3_stmt *statement, const char *types, va_list values)
{
    int rc = SQLITE_OK;
    for (int i = 1; *types != '\0' && rc == SQLITE_OK; types++, i++) {
        if (*types == 'i') {
            rc = sqlite3_bind_int64(statement, i, va_arg(values, int64_t));
            continue;
        }
        const char *bytes = va_arg(values, const char *);
        if (bytes == NULL)
            bytes = "";
        if (*types == 't') {
            rc = sqlite3_bind_text(statement, i, bytes, -1, SQLITE_STATIC);
            continue;
        }
        int length = (int)va_arg(values, size_t);
        rc = *types == 'b'
                 ? sqlite3_bind_text(statement, i, bytes, length, SQLITE_STATIC)
                 : sqlite3_bind_blob(statement, i, bytes, length, SQLITE_STATIC);
    }
    return rc;
}

static int prepare(struct database *database, int query)
{
    sqlite3_stmt **statement = &database->statements[query];
    if (*statement != NULL)
        return SQLITE_OK;
    return sqlite3_prepare_v3(database->db, SCHEMA_QUERIES[query], -1,
                              SQLITE_PREPARE_PERSISTENT, statement, NULL);
}

int database_ask(struct database *database, struct rows **out, int query,
                 const char *types, ...)
{
    va_list values;
    *out = NULL;
    int rc = prepare(database, query);
    if (rc != SQLITE_OK)
        return result(rc);
    va_start(values, types);
    rc = bind(database->statements[query], types, values);
    va_end(values);
    *out = (struct rows *)database->statements[query];
    return result(rc);
}

int database_next(struct rows *rows)
{
    int rc = sqlite3_step(inside(rows));
    return rc == SQLITE_ROW ? 1 : result(rc);
}

int database_done(struct rows *rows, int err)
{
    if (rows != NULL) {
        sqlite3_reset(inside(rows));
        sqlite3_clear_bindings(inside(rows));
    }
    return err;
}

int database_tell(struct rows *rows)
{
    int more = database_next(rows);
    return database_done(rows, more < 0 ? more : 0);
}

int database_tell_number(struct rows *rows, int64_t *number, int64_t otherwise)
{
    int more = database_next(rows);
    bool found = more > 0 && !database_is_null(rows, 0);
    if (more >= 0)
        *number = found ? database_number(rows, 0) : otherwise;
    return database_done(rows, more < 0 ? more : 0);
}

bool database_is_null(struct rows *rows, int column)
{
    return sqlite3_column_type(inside(rows), column) == SQLITE_NULL;
}

int64_t database_number(struct rows *rows, int column)
{
    return sqlite3_column_int64(inside(rows), column);
}

const char *database_text(struct rows *rows, int column)
{
    return (const char *)sqlite3_column_text(inside(rows), column);
}

size_t database_length(struct rows *rows, int column)
{
    return (size_t)sqlite3_column_bytes(inside(rows), column);
}

void database_take(struct rows *rows, int column, struct buffer *out)
{
    const void *bytes = sqlite3_column_blob(inside(rows), column);
    if (bytes != NULL)
        buffer_append(out, bytes, database_length(rows, column));
}

int64_t database_changes(const struct database *database)
{
    return sqlite3_changes(database->db);
}
