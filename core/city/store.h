/* store - what the city keeps, in words of offices, logs, lanes and events.
 *
 * Calls return 0 or a negative errno; the database's own last words are in store_error(). Writing happens between store_begin() and store_commit(), and is on disk when
 * store_commit() returns 0. One process at a time writes; any number reads. Texts given to a call
 * back are valid during it. Not for more than one thread. */
#ifndef CITY_STORE_H
#define CITY_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/now.h"
#include "wire/talk.h"

enum {
    STORE_LOGS = 64,       /* of one office */
    STORE_FINDINGS = 1000, /* kept of one office */
    STORE_REJECTED = 1000,
    STORE_ORDERS = 256, /* of erasures in one tile: it has as many events */
    STORE_REJECTED_BYTES = 64 * 1024,
    STORE_WHY_ROOM = 200
};

struct store;

/* The file of "sqlite:FILE", or NULL when the text is something else. */
const char *store_path(const char *database);

/* Opens, and with `write` also creates and locks. -ENOENT (only to be read, and not there),
 * -EBUSY (another process writes it), -EPROTO (not ours, or newer than this program). On failure
 * *out is untouched and `why` says it for people. */
int store_open(struct store **out, const char *path, bool write,
               char why[STORE_WHY_ROOM]);
void store_close(struct store *store);
const char *store_error(const struct store *store);

int store_begin(struct store *store);
int store_commit(struct store *store);
void store_rollback(struct store *store);

/* ---- Events */

struct store_event {
    int64_t row; /* rises in the order of arrival */
    const char *office, *log, *lane, *type;
    const char *subject; /* or NULL */
    const char *time, *recorded, *received;
    int64_t seq, prev;
    const char *body;
    size_t length;
};

/* *fresh is false when the event was there already; then nothing is changed. */
int store_put_event(struct store *store, const struct store_event *event, bool *fresh);
/* Appends the body. -ENOENT. */
int store_get_body(struct store *store, const char *office, const char *log, int64_t seq,
                   struct buffer *out);
/* Calls `each` for the events of a log from `seq` on, in order, at most `most`; stops early when
 * it returns other than 0, and returns that. `received` and `row` are not set. */
int store_each_event(struct store *store, const char *office, const char *log,
                     int64_t seq, int64_t most,
                     int (*each)(void *owner, const struct store_event *event),
                     void *owner);
/* The same for those that arrived after `row`, of one office or (empty) of all; without `prev`. */
int store_each_since(struct store *store, int64_t row, const char *office,
                     int (*each)(void *owner, const struct store_event *event),
                     void *owner);
int store_newest_row(struct store *store, int64_t *row);

/* ---- Lanes: complete up to `mark`, and runs ahead of what is missing */

int store_get_mark(struct store *store, const char *office, const char *log,
                   enum talk_lane lane, int64_t *mark); /* -1 none */
int store_put_mark(struct store *store, const char *office, const char *log,
                   enum talk_lane lane, int64_t mark);
int store_put_run(struct store *store, const char *office, const char *log,
                  enum talk_lane lane, int64_t prev, int64_t last);
int store_count_runs(struct store *store, const char *office, const char *log,
                     enum talk_lane lane, int64_t *count);
/* The end of the longest run that begins at or before `mark` and passes it, or `mark`. */
int store_reach(struct store *store, const char *office, const char *log,
                enum talk_lane lane, int64_t mark, int64_t *reach);
int store_drop_runs(struct store *store, const char *office, const char *log,
                    enum talk_lane lane, int64_t mark);

/* ---- Logs and their verification */

struct store_log {
    char suite[32]; /* empty: nothing verified yet */
    int64_t size;
    struct buffer edge, verified, aim, newest; /* notes; empty: none */
    bool broken;
};

/* -ENOENT. The log is given back with store_log_free() in any case. */
int store_get_log(struct store *store, const char *office, const char *log,
                  struct store_log *out);
void store_log_free(struct store_log *log);
/* Notes that a log has brought something, a new one too; -E2BIG when it is new and the office has
 * STORE_LOGS already. */
int store_admit_log(struct store *store, const char *office, const char *log,
                    const char *now);
int store_aim_log(struct store *store, const char *office, const char *log,
                  const struct buffer *aim, const struct buffer *newest);
/* Stores suite, size, edge, verified and aim of `state`. */
int store_log_verified(struct store *store, const char *office, const char *log,
                       const struct store_log *state);
int store_break_log(struct store *store, const char *office, const char *log,
                    const char *why);
int store_each_log(struct store *store,
                   int (*each)(void *owner, const char *office, const char *log),
                   void *owner);
/* Appends the 32-byte leaves of tile `n`. -ENOENT. */
int store_get_tile(struct store *store, const char *office, const char *log, int64_t n,
                   struct buffer *out);
int store_put_tile(struct store *store, const char *office, const char *log, int64_t n,
                   const struct buffer *leaves);
/* Notes that event `seq` says that bodies of tile `n` are erased. */
int store_put_erased(struct store *store, const char *office, const char *log, int64_t n,
                     int64_t seq);
/* Calls `each` with the events that say so of tile `n`, by their seq, at most STORE_ORDERS. */
int store_each_order(struct store *store, const char *office, const char *log, int64_t n,
                     int (*each)(void *owner, int64_t seq, const char *body,
                                 size_t length),
                     void *owner);
/* How many events of a log say so of any tile; the first and the last of them. */
struct store_orders {
    int64_t count, first, last;
};
int store_sum_orders(struct store *store, const char *office, const char *log,
                     struct store_orders *orders);
int store_put_checkpoint(struct store *store, const char *office, const char *log,
                         int64_t size, const struct buffer *note);
int store_each_checkpoint(struct store *store, const char *office, const char *log,
                          int (*each)(void *owner, int64_t size, const char *note,
                                      size_t length),
                          void *owner);

/* ---- Offices */

struct store_office {
    struct buffer verifier, status, early; /* empty: none */
};

/* -ENOENT. Given back with store_office_free() in any case. */
int store_get_office(struct store *store, const char *office, struct store_office *out);
void store_office_free(struct store_office *office);
int store_pin_office(struct store *store, const char *office, const char *verifier,
                     const char *now);
int store_put_status(struct store *store, const char *office, const void *json,
                     size_t length, const char *now);
int store_put_early(struct store *store, const char *office, const void *note,
                    size_t length);
int store_each_office(struct store *store,
                      int (*each)(void *owner, const char *office, const char *status,
                                  const char *seen, const char *verifier),
                      void *owner);

/* ---- What must not be */

struct store_finding {
    const char *office, *log, *kind, *detail, *now;
    int64_t seq;
    const void *evidence;
    size_t length;
};

/* *fresh is false when it is known already, or the office has STORE_FINDINGS of them. */
int store_put_finding(struct store *store, const struct store_finding *finding,
                      bool *fresh);
int store_count_findings(struct store *store, const char *office, int64_t *count);
/* Calls `each` with every kind of finding that there is and how many. */
int store_each_kind(struct store *store,
                    int (*each)(void *owner, const char *kind, int64_t count),
                    void *owner);
/* Nothing below `size` is missing any more: such findings are taken back. */
int store_drop_missing(struct store *store, const char *office, const char *log,
                       int64_t size);
int store_put_rejected(struct store *store, const char *topic, const char *reason,
                       const void *payload, size_t length, const char *now);
int store_count_rejected(struct store *store, int64_t *count);
/* How many of the newest STORE_REJECTED were uploads. */
int store_count_refused(struct store *store, int64_t *count);

/* ---- Evidence files (evidence.h) */

struct store_evidence {
    const char *office, *log, *sha256, *sm3, *class, *received;
    int64_t seq, size;
};

/* One that is there already becomes this one. */
int store_put_evidence(struct store *store, const struct store_evidence *evidence);

/* What an office has a receipt for, and when it was given the newest; empty: none. */
struct store_kept {
    int64_t count, bytes;
    char newest[NOW_TEXT_ROOM];
};
int store_sum_evidence(struct store *store, const char *office, struct store_kept *kept);

/* Changes whenever another process has committed. */
int store_version(struct store *store, int64_t *version);

#endif
