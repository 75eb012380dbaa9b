/* notary - signed checkpoints of the log, and the tiles that a reader needs to check them.
 *
 * notary_begin() takes down what the log is now; notary_work() runs as an errand (or, at the end,
 * in place): it writes the hash tiles up to that size, then the signed checkpoint, then removes
 * the partial tiles of the one before. */
#ifndef KEEPER_JOURNAL_NOTARY_H
#define KEEPER_JOURNAL_NOTARY_H

#include "keeper/journal/journal.h"

struct notary {
    struct journal *journal;
    struct checkpoint checkpoint;
    uint64_t size_before; /* of the last checkpoint; 0 none */
};

void notary_begin(struct notary *notary, struct journal *journal, uint64_t size_before);
/* An errand_work: the result is the signed note. */
int notary_work(void *notary, struct buffer *result);

/* The city's newest receipt lies beside the tail as well, for who has only the folder. */
int notary_put_receipt(const struct journal *journal);

/* Writes journal/closed, the signed statement that tail.db ended in good order. The store must be
 * closed; `folder`, `origin` and `key` are the journal's. */
int notary_close(const char *folder, const char *origin, int64_t size,
                 const struct key *key);

#endif
