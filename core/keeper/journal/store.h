/* store - the tail of the journal and everything that changes: one SQLite file.
 *
 * One connection, one transaction at a time: store_begin() ... store_commit(), on disk when that
 * returns 0. Calls return 0 or a negative errno: -ENOSPC (disk or quota full), -EBADMSG (the file
 * is damaged), -EIO, -EBUSY; SQLite's own codes never leave store and row. Reads need no transaction.
 * What a call gives to a callback is valid only during that call. */
#ifndef KEEPER_JOURNAL_STORE_H
#define KEEPER_JOURNAL_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/word.h"
#include "proof/suite.h"
#include "proof/tile.h"
#include "wire/talk.h"

struct store;

/* What was fixed when the log was made. */
struct store_log {
    char office[WORD_ID_MAX + 1];
    char log[WORD_ID_MAX + 1];
    char suite[32];
    bool closed; /* the last keeper stopped in good order */
};

struct store_event {
    int64_t seq;
    enum talk_lane lane;
    const void *body;
    size_t length;
    struct digest leaf;
};

/* A sealed tile of 256 events: the lane of each, with STORE_ERASED when its body is erased, and
 * SHA-256 of its bundle file as it is now (of nothing when all are erased and there is none). */
enum { STORE_ERASED = 128 };

struct store_tile {
    uint8_t lanes[TILE_WIDTH];
    struct digest file;
};

/* Opens or makes the file. One of an older version is left as it is until store_migrate(). */
int store_open(struct store **out, const char *path);
/* Opens a file that may be damaged, only to be read; nothing in it is changed. Each call then tells
 * what of it can be read. 0 or a negative errno. */
int store_open_wreck(struct store **out, const char *path);
void store_close(struct store *store);

/* Whether the file holds together: its pages, and each column's type. 0 or -EBADMSG. Reads all. */
int store_check(struct store *store);

/* What is there is sound: the WAL is copied into the file. Closing may do so too, and puts its room
 * aside as PATH-reserve, so that the next keeper can begin on a full disk. Until then closing
 * leaves everything as it was found. */
void store_trust(struct store *store);

/* Bytes on disk: of the file, of what in it new rows may take (its free pages and what lies behind
 * its last page), and of the WAL. */
struct store_space {
    int64_t file;
    int64_t free;
    int64_t ahead;
};
int store_measure(struct store *store, struct store_space *space);

/* Makes the file longer behind its last page, by `bytes` that nobody can take from it; what was
 * given it keeps, also when it is closed and opened. Outside of a transaction. */
int store_stretch(struct store *store, int64_t bytes);

/* In the open transaction: the tables become those of today. Only then those of newer versions may be
 * used. */
int store_migrate(struct store *store);

int store_begin(struct store *store);
int store_commit(struct store *store);
void store_rollback(struct store *store);

/* Copies written pages from the WAL into the file when at least `pages` wait there. */
int store_checkpoint(struct store *store, int pages);

/* -ENOENT while no log has been made. */
int store_get_log(struct store *store, struct store_log *log);
int store_put_log(struct store *store, const struct store_log *log);
int store_put_closed(struct store *store, bool closed);

int store_add_event(struct store *store, const struct store_event *event);
/* Calls `each` for the events from `from` on in order, until there are `most`, or it returns
 * nonzero, which is then returned. */
int store_each_event(struct store *store, int64_t from, int64_t most,
                     int (*each)(void *owner, const struct store_event *event),
                     void *owner);

/* How many events are in bundles, and the tree's edge over them (tree_save()). */
int store_get_sealed(struct store *store, int64_t *size, struct buffer *edge);
/* Marks all below `size` as sealed and lets their rows go. */
int store_put_sealed(struct store *store, int64_t size, const struct buffer *edge);
int store_add_tile(struct store *store, int64_t index, const struct store_tile *tile);
int store_get_tile(struct store *store, int64_t index, struct store_tile *tile);
/* The first tile from `from` on that holds an event of the lane; -ENOENT. */
int store_find_tile(struct store *store, int64_t from, enum talk_lane lane,
                    int64_t *index);

/* The private keys of an instance. store_get() appends the value; -ENOENT. */
int store_put(struct store *store, const char *instance, const char *key,
              const void *value, size_t length);
int store_remove(struct store *store, const char *instance, const char *key);
int store_get(struct store *store, const char *instance, const char *key,
              struct buffer *value);
/* Keys from `from` to below `until` (NULL: no end) in order; nonzero from `each` ends it. */
int store_each_key(struct store *store, const char *instance, const char *from,
                   const char *until,
                   int (*each)(void *owner, const char *key, const void *value,
                               size_t length),
                   void *owner);

/* A durable cursor: the last sequence consumed, -1 when there is none. */
int store_get_cursor(struct store *store, const char *instance, const char *name,
                     int64_t *seq);
int store_put_cursor(struct store *store, const char *instance, const char *name,
                     int64_t seq);

/* What the city has of each lane (-1 none), and its newest receipt (-ENOENT). */
int store_get_marks(struct store *store, int64_t marks[LANES]);
int store_put_mark(struct store *store, enum talk_lane lane, int64_t seq);
int store_get_receipt(struct store *store, struct buffer *note);
int store_put_receipt(struct store *store, const void *note, size_t length);

/* A prepared statement of query.h, for files that have rows of their own (row.h); NULL in a wreck
 * that has no such table. */
struct sqlite3_stmt;
struct sqlite3_stmt *store_statement(struct store *store, int query);

/* Copies the private keys of another, maybe damaged, store file: as many as can be read. Those of the
 * courier stay behind: its uploads are of the events of that log. */
int store_copy_keys(struct store *store, const char *path);

#endif
