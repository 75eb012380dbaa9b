/* adoption - what lies in blobs/ when the keeper starts, put in order.
 *
 * Cut at any point, a blob that a commit has named has its row, and its file is in its place or sealed
 * in new/; one that none has named has no row, and goes. But when the journal has been set aside
 * (depot_mark()) the table is gone with it: then its rows are copied as far as they can be read, those
 * of the newest first, and nothing is thrown away that was sealed. What no row tells of is adopted: class
 * unknown, for ever. */
#ifndef KEEPER_BLOBS_ADOPTION_H
#define KEEPER_BLOBS_ADOPTION_H

#include "keeper/blobs/blobs.h"

/* In the open group. 0 or a negative errno, of the store: a folder that cannot be read keeps no keeper
 * from starting, and is an alarm. */
int adoption_run(struct blobs *blobs, const char *state);
/* That group is on disk. */
void adoption_end(struct blobs *blobs);

/* While the keeper runs: files that a commit has kept, and that could not go to their place then. */
void adoption_settle(struct blobs *blobs);

#endif
