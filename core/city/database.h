/* database - questions to a file of tables and their answers: rows of columns.
 *
 * The questions are those of schema.h. Calls return 0 or a negative errno; SQLite's codes never
 * leave database.c. Whoever asks gives the rows back with database_done(), which resets them: no
 * reading outlives its call and none keeps the WAL from being checkpointed. */
#ifndef CITY_DATABASE_H
#define CITY_DATABASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

enum { DATABASE_WHY_ROOM = 200 };

struct database;
struct rows;

/* See store_open(). */
int database_open(struct database **out, const char *path, bool write,
                  char why[DATABASE_WHY_ROOM]);
void database_close(struct database *database);
const char *database_error(const struct database *database);

int database_begin(struct database *database);
int database_commit(struct database *database);
void database_rollback(struct database *database);

/* Asks with values by letters: t text, i int64_t, b bytes and length as a text, x the same as a
 * blob; NULL is an empty one. The values are borrowed until database_done(). */
int database_ask(struct database *database, struct rows **out, int query,
                 const char *types, ...);
/* 1: there is a row; 0: no more; or a negative errno. */
int database_next(struct rows *rows);
/* Returns `err`, so that it can end a call. NULL is fine. */
int database_done(struct rows *rows, int err);
/* For questions without an answer, and with one number: `otherwise` when it is NULL or missing. */
int database_tell(struct rows *rows);
int database_tell_number(struct rows *rows, int64_t *number, int64_t otherwise);

bool database_is_null(struct rows *rows, int column);
int64_t database_number(struct rows *rows, int column);
const char *database_text(struct rows *rows, int column); /* valid until the next row */
size_t database_length(struct rows *rows, int column);
void database_take(struct rows *rows, int column, struct buffer *out);
/* How many rows the last writing question changed. */
int64_t database_changes(const struct database *database);

#endif
