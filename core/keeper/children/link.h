/* link - what the city has: its signed receipts, and the marks they move; and whether what is sent
 * comes to anything.
 *
 * Only a receipt that the city's key has signed, for this log, and that does not claim more or
 * other than there is, moves a mark; back as well as forth, for the city may have been restored. */
#ifndef KEEPER_CHILDREN_LINK_H
#define KEEPER_CHILDREN_LINK_H

#include <stdbool.h>

#include "keeper/children/group.h"
#include "keeper/children/peer.h"
#include "proof/receipt.h"

enum { LINK_STALL_MS = 60 * 1000 };

struct link {
    struct journal *journal;
    struct group *group;
    struct key *verifier; /* NULL: no city, or its key cannot be read */
    struct peer *uplink;  /* NULL while it is not there */
    bool is_pending;      /* a receipt is in the open group */
    struct receipt receipt;
    struct buffer note;
    uint64_t met_size; /* the last root of a receipt that is ours */
    struct digest met;
    bool is_contradicted; /* a good receipt claims what is not ours; an alarm says so */
    int64_t refused;      /* receipts that were not good */
    char
        stall[TALK_STALL_MAX + 1]; /* why nothing comes of what is sent; empty: it does */
    int64_t stalled_us;            /* monotonic, when that was last recorded; 0 never */
    int stalled_lane;
    bool
        is_stall_old; /* the uplink that said so is gone: its end is seen here, by a mark */
};

/* `verifier_path` NULL: there is no city. */
void link_open(struct link *link, struct journal *journal, struct group *group,
               const char *verifier_path);
void link_close(struct link *link);

/* A RECEIPT came from the uplink; it is answered once it is on disk, or refused. */
int link_receipt(struct link *link, struct peer *peer, const struct frame *frame);

/* STALLED came from the uplink: recorded as sync.stalled or sync.resumed. A new one within
 * LINK_STALL_MS is not, whatever the uplink says. */
int link_stalled(struct link *link, const struct frame *frame);

/* The uplink is there: it is told all marks. */
void link_greet(struct link *link, struct peer *uplink);
void link_forget(struct link *link, const struct peer *peer);

/* The open group has been committed, or (err) undone. */
void link_committed(struct link *link, int err);

#endif
