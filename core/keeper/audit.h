/* audit - whether the journal on disk is the one that was committed.
 *
 * Checked at every start: each row of the tail against its own leaf hash, sequence and lane; the tree
 * against the newest checkpoint, whose signature must be ours; the city's receipt against the
 * tree. Sealed bundles are checked by `outpost verify`. */
#ifndef KEEPER_AUDIT_H
#define KEEPER_AUDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "proof/key.h"

struct journal;

/* Reads the tail into journal->tail and ->tree. -EBADMSG with the reason in `why`. */
int audit_journal(struct journal *journal, struct buffer *why);

/* What the last keeper signed when it stopped in good order (journal/closed). */
struct audit_end {
    bool is_there;
    bool is_true; /* signed by us, and tail.db has those bytes */
    int64_t size;
};

/* Whether anything is left in the write-ahead log; nothing is when a journal was closed. */
bool audit_has_wal(const char *folder);

/* To be read before tail.db is opened. */
void audit_read_end(struct audit_end *end, const char *folder, const struct key *key);

/* Whether a journal that says it was closed is the one that was. -EBADMSG as above. */
int audit_check_end(const struct journal *journal, const struct audit_end *end,
                    struct buffer *why);

#endif
