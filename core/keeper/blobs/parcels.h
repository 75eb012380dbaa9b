/* parcels - blobs on their way to the city: what the courier may ask for, and its word that is not
 * taken for the city's.
 *
 * The courier is told which blobs go (PARCELS), is given their bytes by a scribe (DRAW), has its notes
 * kept (NOTE), and brings the city's receipt (HANDOVER). Only a receipt that the city's key has signed,
 * for this log, with the hashes and the size of our own row, marks the row as uploaded; the event
 * evidence.uploaded is in the same transaction. */
#ifndef KEEPER_BLOBS_PARCELS_H
#define KEEPER_BLOBS_PARCELS_H

#include "keeper/blobs/blobs.h"
#include "keeper/children/link.h"

struct parcels {
    struct blobs *blobs;
    const struct link *link; /* whose receipts count */
    const struct config *config;
    struct scribe scribe; /* of the one blob that is read: asked for another, it ends */
    struct errand errand;
};

void parcels_open(struct parcels *parcels, struct blobs *blobs, const struct link *link,
                  const struct config *config);
void parcels_close(struct parcels *parcels);

/* PARCELS, NOTE, DRAW, HANDOVER of the courier; -EPROTO when it is not as agreed. */
int parcels_hear(struct parcels *parcels, struct peer *courier,
                 const struct frame *frame);
/* The courier is gone: what it reads is ended. */
void parcels_forget(struct parcels *parcels);

#endif
