/* audit - whether the journal on disk is the one that was committed.
 *
 * Checked at every start: each row of the tail against its own leaf hash, sequence and lane; the tree
 * against the newest checkpoint, whose signature must be ours; the city's receipt against the
 * tree. Sealed bundles are checked by `outpost verify`. */
#ifndef KEEPER_AUDIT_H
#define KEEPER_AUDIT_H

#include "base/buffer.h"

struct journal;

/* Reads the tail into journal->tail and ->tree. -EBADMSG with the reason in `why`. */
int audit_journal(struct journal *journal, struct buffer *why);

#endif
