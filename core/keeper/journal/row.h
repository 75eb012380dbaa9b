/* row - one SQLite statement: what is bound to it, its rows, and what its codes mean. The door to
 * SQLite, for store.c. Calls return 0 or a negative errno. */
#ifndef KEEPER_JOURNAL_ROW_H
#define KEEPER_JOURNAL_ROW_H

#include <sqlite3.h>
#include <stddef.h>

#include "proof/suite.h"

/* The errno for a code of SQLite, which stays inside. */
int row_err(int rc);

/* Runs a statement that returns nothing. */
int row_run(sqlite3_stmt *statement);
/* Takes the next row: 0, -ENOENT at the end. The caller ends with row_end(). */
int row_take(sqlite3_stmt *statement);
/* NULL is the statement of a table that a wreck does not have. */
void row_end(sqlite3_stmt *statement);

/* What is bound must live until row_run() or row_end(). A NULL text stays NULL. */
void row_bind_text(sqlite3_stmt *statement, int at, const char *text);
void row_bind_bytes(sqlite3_stmt *statement, int at, const void *bytes, size_t length);

/* -EBADMSG when the column is not of that length, or does not fit. */
int row_digest(sqlite3_stmt *statement, int at, struct digest *digest);
int row_word(sqlite3_stmt *statement, int at, char *text, size_t room);

#endif
