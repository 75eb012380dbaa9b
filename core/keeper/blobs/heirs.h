/* heirs - files that the log before this one has left behind, and that go to the city.
 *
 * The city takes a file for evidence when an event names it. The events that named these are in a log
 * that was set aside: so each is named anew, as `evidence.adopted`, and is of this log from then on.
 * A few at a time, as blobs are looked at. */
#ifndef KEEPER_BLOBS_HEIRS_H
#define KEEPER_BLOBS_HEIRS_H

#include "keeper/blobs/blobs.h"

enum { HEIRS_MAX = 64 }; /* at one look */

/* Says so of the next ones. `has_heirs` is false when there was none. */
void heirs_look(struct blobs *blobs);

/* The file has been read, and this is its SM3, which no row had told: without it none can go. */
void heirs_learn(struct blobs *blobs, const struct digest *sha256,
                 const struct digest *sm3);

#endif
