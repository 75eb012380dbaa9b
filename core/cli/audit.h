/* audit - every event of a journal against every hash of it.
 *
 * Reads each event once, in order, hashes it, and compares: with the hash tiles of all levels,
 * full and partial; the bundle files with the digests in the tail; the roots with the checkpoint
 * and the receipts; what an event says of itself with its place. The first that differs is the
 * finding. */
#ifndef CLI_AUDIT_H
#define CLI_AUDIT_H

#include "cli/archive.h"
#include "cli/finding.h"
#include "cli/inventory.h"
#include "cli/papers.h"

/* 0, -EBADMSG with the finding, or the errno of reading. */
int audit_events(const struct archive *archive, const struct papers *papers,
                 const struct inventory *inventory, struct finding *finding);

#endif
