/* audit - every event of a journal against every hash of it.
 *
 * Reads each event once, in order, hashes it, and compares: with the hash tiles of all levels,
 * full and partial; the bundle files with the digests in the tail; the roots with the checkpoint
 * and the receipts; what an event says of itself with its place. Where a body is erased its leaf is
 * taken from the hash tile, and an event must have ordered it. The first that differs is the
 * finding. */
#ifndef CLI_JOURNAL_AUDIT_H
#define CLI_JOURNAL_AUDIT_H

#include "cli/journal/archive.h"
#include "cli/journal/finding.h"
#include "cli/journal/inventory.h"
#include "cli/journal/ledger.h"
#include "cli/journal/papers.h"

/* 0, -EBADMSG with the finding, or the errno of reading. `ledger`, which the caller frees, then
 * holds what was erased. The archive's view of what is erased may be renewed meanwhile. */
int audit_events(struct archive *archive, const struct papers *papers,
                 const struct inventory *inventory, struct ledger *ledger,
                 struct finding *finding);

#endif
