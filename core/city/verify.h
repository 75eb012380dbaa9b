/* verify - does what an office sent add up to what it has signed?
 *
 * For each log the leaves are appended to its Merkle tree in order, and where the tree has the size
 * of a signed checkpoint, the roots are compared. Equal: the checkpoint is verified, and receipts
 * say so. Different: a finding, and nothing of that log is verified any more.
 *
 * Works within the caller's transaction. After a rollback the caller says verify_forget(). */
#ifndef CITY_VERIFY_H
#define CITY_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/word.h"
#include "city/offices.h"
#include "city/store.h"
#include "proof/tree.h"

struct verify;

void verify_open(struct verify **out, struct store *store, struct offices *offices);
void verify_close(struct verify *verify);

/* A checkpoint came from `office`. Of which log it is, it says itself: `log`. 0 when it was taken
 * or is of no use; -ENOKEY when the office's key is not known yet; -EPROTO (no checkpoint of this
 * office); -EBADMSG (not signed by it); -E2BIG (too many
 * logs of one office); or the errno of storing. */
int verify_note(struct verify *verify, const char *office, const void *note,
                size_t length, const char *now, char log[WORD_ID_MAX + 1]);

/* Goes on with a log for at most `budget` events. *moved: a checkpoint was verified; *more: there
 * is more to be done at once, beyond the budget or towards a newer checkpoint. */
int verify_step(struct verify *verify, const char *office, const char *log, int budget,
                const char *now, bool *moved, bool *more);

void verify_forget(struct verify *verify);

/* The tree of a log at its verified size. */
int verify_tree(struct tree *tree, const struct store_log *log);

#endif
