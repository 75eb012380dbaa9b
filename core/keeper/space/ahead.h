/* ahead - the room of the write-ahead log: a file that keeps its blocks, so that a commit needs no
 * new ones from a disk that may be full.
 *
 * While tail.db is open the blocks belong to its WAL, which SQLite writes over from the front again
 * and again. While it is closed they lie aside as tail.db-reserve, because a journal that was
 * closed has no WAL. `path` is that of tail.db. Only while no connection has it open. */
#ifndef KEEPER_SPACE_AHEAD_H
#define KEEPER_SPACE_AHEAD_H

#include <stdbool.h>
#include <stdint.h>

enum { AHEAD_PATH_MAX = 4096 };

/* The WAL's path. */
void ahead_path(char ahead[AHEAD_PATH_MAX], const char *path);

/* Makes what lies aside the WAL of the next connection, when there is no other; leaves free what
 * SQLite needs for its index. */
void ahead_take(const char *path);

/* Puts the WAL aside, unless somebody still reads it. One that was begun (its first bytes are not
 * zero) only when `is_copied`: all of it is in tail.db, and on disk. */
void ahead_put_aside(const char *path, bool is_copied);

/* How many bytes on disk tail.db and its WAL take. */
void ahead_measure(const char *path, int64_t *file, int64_t *ahead);

/* Makes the WAL longer, with bytes that are on disk; also while it is open. */
int ahead_stretch(const char *path, int64_t bytes);

#endif
