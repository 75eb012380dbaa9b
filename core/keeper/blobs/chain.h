/* chain - the keeper's own events about one piece of evidence: each names the one before it.
 *
 * So who is shown the newest sees whether one is missing, whatever the program left out that made the
 * export (etc/evidence/check.sh looks). The first names none. */
#ifndef KEEPER_BLOBS_CHAIN_H
#define KEEPER_BLOBS_CHAIN_H

#include "keeper/blobs/catalog.h"
#include "keeper/children/group.h"

/* Appends ,"previous":SEQ to the data of the event that the group takes next, if there is one before it;
 * what is no evidence has no chain. 0, or a negative errno: then the group is undone. */
int chain_add(struct group *group, const struct catalog_blob *blob, struct buffer *data);

/* The file is gone, and its chain with it. */
int chain_forget(struct store *store, const struct digest *digest);

#endif
