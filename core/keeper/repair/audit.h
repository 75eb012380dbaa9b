/* audit - whether the journal on disk is the one that was committed.
 *
 * Checked at every start: each row of the tail against its own leaf hash, sequence and lane; the hash
 * tiles against the tree's edge; the tree against the newest checkpoint, whose signature must be
 * ours; the city's receipt against the tree. Sealed bundles are read by the scrub.
 *
 * What only accompanies the log (a checkpoint that can be signed anew, a receipt that the city
 * gives again) does not end it when it is damaged: the log goes on without, and says so. */
#ifndef KEEPER_REPAIR_AUDIT_H
#define KEEPER_REPAIR_AUDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "proof/key.h"

struct journal;

/* What was found damaged and is gone without: bits of journal->damage. */
enum audit_damage {
    AUDIT_CHECKPOINT = 1, /* none that our key has signed; a new one is signed */
    AUDIT_RECEIPT = 2,    /* none that the city's key has signed */
    AUDIT_MARKS = 4, /* what was said to be at the city is not what its receipt says */
    AUDIT_TILES = 8  /* hash tiles, made anew */
};

/* Reads the tail into journal->tail and ->tree. `city` (NULL: not known) is whose receipts count.
 * -EBADMSG with the reason in `why`. */
int audit_journal(struct journal *journal, const struct key *city, struct buffer *why);

/* Whether the checkpoint in the folder is signed by the key for a log of that office. */
bool audit_is_ours(const char *folder, const struct key *key, const char *office);

/* Whether anything in the folder was left by a log. */
bool audit_has_history(const char *folder);

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
