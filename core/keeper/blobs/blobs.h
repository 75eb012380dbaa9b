/* blobs - the pictures, clips and captures of the office: which stay, how long, and who goes when room
 * is scarce. Their bytes are the scribes' (scribe.h), never the keeper's own.
 *
 * A blob stays once a commit has named it: its row is in that transaction, and after the fsync its
 * file goes to its place. It is released when its time is over, at once or when room is wanted: the
 * event blob.released and the row's state are one transaction, then its file is erased, then the row
 * goes. Cut anywhere, the next start goes on (adoption.h). Blobs of a case are not released by time.
 *
 * The first refusal raises storage.full, the end is storage.back; storage.low is told at 70, 85 and 95
 * percent. */
#ifndef KEEPER_BLOBS_BLOBS_H
#define KEEPER_BLOBS_BLOBS_H

#include "keeper/blobs/catalog.h"
#include "keeper/blobs/refusal.h"
#include "keeper/blobs/spools.h"
#include "keeper/children/commit.h"
#include "keeper/children/group.h"
#include "keeper/space/growth.h"

enum {
    BLOBS_TICK_MS = 5000,
    BLOBS_RELEASE_MAX = 64, /* in one transaction */
    BLOBS_ERASE_MAX = 64,   /* in one errand */
    BLOBS_LEFT_MS = 600000  /* until what could not be erased is tried again */
};

struct blobs {
    struct loop *loop;
    struct journal *journal;
    struct group *group;
    struct depot depot;
    struct spools spools;
    struct catalog_sum sum;
    struct stock stock;
    struct growth growth;
    int64_t added; /* bytes of the open group */
    bool is_shut;  /* the folder or its key cannot be opened */
    struct loop_timer tick;
    int sends;        /* classes that go to the city first: 1 << enum talk_class */
    bool has_undated; /* stored while the clock was not set */
    bool has_heirs;   /* of the log before, and not named in this one (heirs.h) */
    bool has_old;     /* something waits in blobs/old/ */
    int64_t left;     /* files there that could not be erased, */
    int64_t left_us;  /* and when that was */
    int told;         /* level that was told, in percent */
    struct refusal refusal;
    struct digest leaving[BLOBS_ERASE_MAX]; /* whose files are being erased */
    int leaving_count;
    void (*wanted)(void *owner); /* there is something to erase */
    void *owner;
};

/* Opens the folder and its key; the table is read by blobs_count(), once it is of today. 0 or a
 * negative errno: then every spool is refused, and nothing is looked at, until the next start. */
int blobs_open(struct blobs *blobs, struct loop *loop, struct group *group,
               const struct config *config, const char *state);
void blobs_close(struct blobs *blobs);
int blobs_count(struct blobs *blobs);
void blobs_start(struct blobs *blobs);
/* Says nothing more. */
void blobs_stop(struct blobs *blobs);

/* Whether the blobs that a commit names are there: sealed by this host, or stored. 0, -EINVAL with
 * the reason, or what the store says. */
int blobs_check(struct blobs *blobs, const struct peer *host, const struct fields *fields,
                struct buffer *why);
/* They stay, by the open transaction whose first event is `first`. */
int blobs_apply(struct blobs *blobs, const struct peer *host, const struct fields *fields,
                int64_t first);
/* A group is on disk, or (negative) undone. */
void blobs_committed(struct blobs *blobs, int err);

/* One look at clock and room, as every BLOBS_TICK_MS. */
void blobs_look(struct blobs *blobs);

/* Whether it is evidence: a clip, or what is kept like one. */
bool blobs_is_evidence(const struct catalog_blob *blob);
/* The row of one that stays; -ENOENT also when it is on its way out. */
int blobs_find(const struct blobs *blobs, const struct digest *digest,
               struct catalog_blob *row);
/* When such a time is over that begins now; -1: never, or it begins when the clock is set. */
int64_t blobs_until(struct blobs *blobs, int64_t keep_ms);
/* Raises what `row` says; never less than it was: not the class, not the time. */
void blobs_raise(struct blobs *blobs, struct catalog_blob *row, int class,
                 int64_t keep_ms, bool is_prompt);
/* One transaction: the row becomes `to`, and the event says so, with `more` members of JSON. */
int blobs_change(struct blobs *blobs, const struct catalog_blob *from,
                 const struct catalog_blob *to, const char *type, const char *more);

/* It is not what was stored: said once, and marked. */
void blobs_damaged(struct blobs *blobs, const struct digest *digest, const char *reason);

/* Adds a row to the sums, or (-1) takes it out. */
void blobs_add_up(struct blobs *blobs, const struct catalog_blob *blob, int sign);
/* Appends "sha256":"...","size":N,"class":"..." */
void blobs_print_name(struct buffer *out, const struct catalog_blob *blob);
/* Other classes go to the city now: 1 << enum talk_class. */
void blobs_send(struct blobs *blobs, int sends);
/* Appends a JSON object for `outpost status`. */
void blobs_print(struct blobs *blobs, struct buffer *out);

#endif
