/* spools - blobs on their way in: what each host writes, has sealed, and not named in a commit yet.
 *
 * A spool is a pipe and a scribe at its end (scribe.h). When the scribe has told its hashes and the
 * host has asked for them (SEAL), the blob lies sealed in blobs/new/, and is the host's to name in a
 * commit, which makes it stay (blobs.h). What is not named goes when its host does; of more than
 * SPOOLS_SEALED_MAX the oldest goes. Who has written the same bytes as another host that has sealed them
 * is answered when that one has named them or has gone, so that exactly one is the first. */
#ifndef KEEPER_BLOBS_SPOOLS_H
#define KEEPER_BLOBS_SPOOLS_H

#include "keeper/blobs/depot.h"
#include "keeper/blobs/scribe.h"
#include "keeper/children/peer.h"
#include "keeper/journal/errand.h"

enum {
    SPOOLS_MAX = 16,        /* that are written at once, of all hosts */
    SPOOLS_SEALED_MAX = 64, /* of one host */
    SPOOLS_FREE = 2,        /* of the SPOOLS_MAX, for those that have none */
    SPOOLS_AWAIT_MS = 20000 /* that a host may take to name what it has sealed */
};

#define SPOOLS_BYTES_MAX (64LL << 30) /* of one blob */

struct spool;

struct spools {
    struct loop *loop;
    const struct depot *depot;
    struct spool *first; /* the oldest first */
    int64_t number;      /* of the newest */
    int silence_ms;
    int await_ms;
    struct loop_timer patience; /* with who has not named yet what others have too */
    bool is_stuck; /* a file of a stored blob could not go from new/ to its place */
    /* Whether there is room for a blob of that class: 0, -ENOSPC or -EIO, with a reason for people. */
    int (*admit)(void *owner, int class, int64_t bytes, struct buffer *why);
    /* Whether a commit of this log has named such a blob. */
    bool (*is_named)(void *owner, const struct digest *digest);
    /* Something went to blobs/old/. */
    void (*dropped)(void *owner);
    void *owner;
};

void spools_open(struct spools *spools, struct loop *loop, const struct depot *depot);
/* Stops every scribe and throws away what no commit has named. */
void spools_close(struct spools *spools);

/* SPOOL, SEAL, ABANDON of a host; -EPROTO when it is not as agreed. */
int spools_hear(struct spools *spools, struct peer *host, const struct frame *frame);
/* The host is gone. */
void spools_forget(struct spools *spools, const struct peer *host);

/* What they may take on disk in the end. */
int64_t spools_promised(const struct spools *spools);
/* And of that, what the disk has already. */
int64_t spools_arrived(const struct spools *spools);
/* How many are written just now. */
int spools_count(const struct spools *spools);

/* What the host has sealed: NULL when it has not. */
const struct scribe_told *spools_find(const struct spools *spools,
                                      const struct peer *host,
                                      const struct digest *digest);
/* It is named in the open group. */
void spools_take(struct spools *spools, const struct peer *host,
                 const struct digest *digest);
/* The group is on disk (0) or undone: what it named goes to its place, or is the host's again. */
void spools_committed(struct spools *spools, int err);
/* Whether the file of that number in new/ is one of theirs still. */
bool spools_owns(const struct spools *spools, int64_t number);

#endif
