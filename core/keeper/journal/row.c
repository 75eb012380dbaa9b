/* row - see row.h. */
#include "keeper/journal/row.h"

#include <errno.h>
#include <string.h>

int row_err(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_DONE:
    case SQLITE_ROW:
        return 0;
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_SCHEMA:
    case SQLITE_ERROR: /* a table or column is not what it should be */
        return -EBADMSG;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
        return -EACCES;
    case SQLITE_NOMEM:
        return -ENOMEM;
    default:
        return -EIO;
    }
}

/* One step. SQLite tells of a full disk, but calls a full quota a failed write. */
static int step(sqlite3_stmt *statement)
{
    errno = 0;
    int rc = sqlite3_step(statement);
    bool full = errno == EDQUOT || errno == EFBIG;
    sqlite3 *db = sqlite3_db_handle(statement);
    if (full && sqlite3_extended_errcode(db) == SQLITE_IOERR_WRITE)
        return SQLITE_FULL;
    return rc;
}

int row_run(sqlite3_stmt *statement)
{
    int err = row_err(step(statement));
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return err;
}

int row_take(sqlite3_stmt *statement)
{
    int rc = step(statement);
    if (rc == SQLITE_DONE)
        return -ENOENT;
    return row_err(rc);
}

void row_end(sqlite3_stmt *statement)
{
    if (statement == NULL)
        return; /* of a wreck that has no such table */
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
}

void row_bind_text(sqlite3_stmt *statement, int at, const char *text)
{
    if (text != NULL)
        sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
}

void row_bind_bytes(sqlite3_stmt *statement, int at, const void *bytes, size_t length)
{
    if (length == 0)
        sqlite3_bind_zeroblob(statement, at, 0);
    else
        sqlite3_bind_blob(statement, at, bytes, (int)length, SQLITE_STATIC);
}

int row_digest(sqlite3_stmt *statement, int at, struct digest *digest)
{
    if (sqlite3_column_bytes(statement, at) != DIGEST_BYTES)
        return -EBADMSG;
    memcpy(digest->bytes, sqlite3_column_blob(statement, at), DIGEST_BYTES);
    return 0;
}

int row_word(sqlite3_stmt *statement, int at, char *text, size_t room)
{
    const char *value = (const char *)sqlite3_column_text(statement, at);
    if (value == NULL || strlen(value) >= room)
        return -EBADMSG;
    strcpy(text, value);
    return 0;
}
