/* upkeep - what the journal needs beside the commits: checkpoints, sealing, a short WAL.
 *
 * A checkpoint is signed after each alarm, every 1,000 events, and a minute after news. Full tiles
 * are sealed a second after they are full, or as soon as UPKEEP_TILES wait. What the storage wants
 * counted or thinned is. All of it runs as errands, one at a time and in turns; what fails is tried
 * again every UPKEEP_RETRY_MS, and said once. */
#ifndef KEEPER_JOURNAL_UPKEEP_H
#define KEEPER_JOURNAL_UPKEEP_H

#include <stdbool.h>

#include "keeper/blobs/blobs.h"
#include "keeper/children/group.h"
#include "keeper/journal/errand.h"
#include "keeper/journal/notary.h"
#include "keeper/journal/seal.h"
#include "keeper/repair/scrub.h"
#include "keeper/space/storage.h"
#include "keeper/space/thin.h"

enum {
    UPKEEP_TILES = SEAL_TILES_MAX,
    UPKEEP_EVENTS = 1000,
    UPKEEP_NEWS_MS = 60 * 1000,
    UPKEEP_SEAL_MS = 1000,
    UPKEEP_RETRY_MS = 5000,
    UPKEEP_WAIT_MS = 500,    /* for an errand, when more comes than it can take away */
    UPKEEP_WAL_PAGES = 3000, /* of 4 KiB: copied at once */
    UPKEEP_REST_PAGES = 64,  /* copied when nothing has been committed for a while */
    UPKEEP_QUIET_MS = 300
};

enum upkeep_duty {
    UPKEEP_SIGN,
    UPKEEP_SEAL,
    UPKEEP_THIN,
    UPKEEP_COUNT,
    UPKEEP_SCRUB,
    UPKEEP_ERASE,
    UPKEEP_DUTIES
};

struct upkeep {
    struct loop *loop;
    struct journal *journal;
    struct group *group;
    struct errand errand;
    struct seal seal;
    struct thin thin;
    struct notary notary;
    struct storage *storage; /* NULL: nothing is counted or thinned */
    struct scrub *scrub;     /* NULL: nothing is read again */
    struct blobs *blobs;     /* NULL: none is erased */
    struct loop_timer news;
    struct loop_timer quiet;
    struct loop_timer retry;
    bool is_ending; /* between an errand's files and its rows: no other may begin */
    enum upkeep_duty last;
    int failed[UPKEEP_DUTIES]; /* the errno that was said last; 0: it went well */
    int copy_failed;           /* the same of the copying of the WAL */
    int64_t committed_us;      /* monotonic, of the last group */
    bool wants_checkpoint;
    bool wants_seal;
    uint64_t size;      /* of the newest checkpoint */
    struct buffer note; /* the newest checkpoint */
    void (*signed_note)(void *owner, const struct buffer *note);
    void (*damaged)(void *owner, int err); /* the store is not what was committed */
    void *owner;
};

void upkeep_open(struct upkeep *upkeep, struct loop *loop, struct journal *journal,
                 struct group *group);
void upkeep_close(struct upkeep *upkeep);

/* Begins what is wanted, unless an errand runs. */
void upkeep_wake(struct upkeep *upkeep);

/* Events have been committed. */
void upkeep_committed(struct upkeep *upkeep, bool had_alarm);

/* Ends the errand that runs and signs the last checkpoint here and now. */
int upkeep_finish(struct upkeep *upkeep);

#endif
