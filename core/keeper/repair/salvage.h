/* salvage - what of a journal that was set aside verifies is committed into the log that follows it.
 *
 * Event journal.salvaged, in the lane of the original and with its time and subject:
 *
 *   {"log":"<its log>","seq":N,"lane":"alarm","leaf":"<64 hex digits>","proven":true,
 *    "event":{the original, byte for byte}}
 *
 * `proven`: a checkpoint signed by the office covers the leaf. An original that is too large to be
 * wrapped (SALVAGE_EVENT_MAX), or no JSON that may be nested, has `folder` in place of `event`: there
 * it lies. The identity of the original is (office, data.log, data.seq), as if it had come itself.
 *
 * A forked child reads a portion (wreck.h), the keeper commits it together with how far that is
 * (job.h): so nothing is committed twice, and neither many events nor a slow disk holds up the
 * others. Each journal that was set aside is salvaged once, the oldest first. */
#ifndef KEEPER_REPAIR_SALVAGE_H
#define KEEPER_REPAIR_SALVAGE_H

#include "keeper/children/group.h"
#include "keeper/journal/errand.h"
#include "keeper/repair/job.h"

enum {
    SALVAGE_EVENT_MAX = TALK_DATA_MAX - 512,
    SALVAGE_PAUSE_MS = 10,
    SALVAGE_WAIT_MS = 250,       /* while others need the journal */
    SALVAGE_RETRY_MS = 5000,     /* after an error */
    SALVAGE_TRIES = 5,           /* then what cannot be read is left */
    SALVAGE_BACKLOG = 16 * 1024, /* events not sealed yet: more would grow the store */
    SALVAGE_FOLDERS_MAX = 256    /* of one start */
};

struct salvage {
    struct loop *loop;
    struct journal *journal;
    struct group *group;
    const char *state;
    const struct key *city; /* NULL: no receipt counts */
    struct errand errand;
    struct loop_timer next;
    struct job job; /* the one under way; no folder: none is */
    int failures;   /* in a row */
    int folders;    /* that were set aside and are still there */
};

void salvage_open(struct salvage *salvage, struct loop *loop, struct group *group,
                  const char *state, const struct key *city);
void salvage_close(struct salvage *salvage);

/* In the open group: an alarm and a job for each folder that has none. `aside` is the one of just
 * now (or empty), `why` its reason. 0 or a negative errno. */
int salvage_admit(struct salvage *salvage, const char *aside, const char *why);

/* Begins, or goes on. */
void salvage_start(struct salvage *salvage);

/* Appends a JSON object for `outpost status`. */
void salvage_print(const struct salvage *salvage, struct buffer *out);

#endif
