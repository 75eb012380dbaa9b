/* seal - full tiles leave the store for files: an entry bundle and a hash tile for 256 events.
 *
 * Three steps: seal_begin() copies the events out of the store; seal_work() runs as an errand and
 * writes the files; seal_end() records them and lets the rows go. Cut anywhere, it begins again
 * and writes the same files. */
#ifndef KEEPER_JOURNAL_SEAL_H
#define KEEPER_JOURNAL_SEAL_H

#include "keeper/journal/journal.h"

/* What is sealed at once: so many tiles, and no further one behind so many bytes of them. */
enum {
    SEAL_TILES_MAX = 16,
    SEAL_BYTES_MAX = 8 * 1024 * 1024,
    SEAL_KEPT_MAX = 512 * 1024 /* of a tile's memory, for the next one */
};

struct seal {
    struct journal *journal;
    uint64_t first; /* the first tile */
    int count;
    int64_t next;                        /* the sequence of the next row to be copied */
    struct buffer plain[SEAL_TILES_MAX]; /* uncompressed bundles */
};

/* How many full tiles wait in the tail. */
int64_t seal_waiting(const struct journal *journal);

/* `seal` is zeroed, or was begun before, and keeps some memory for the next one while more tiles wait.
 * -ENOENT when no tile is full; -EBADMSG when a row is missing. */
int seal_begin(struct seal *seal, struct journal *journal);
/* An errand_work: the result is for seal_end(). -EBADMSG when a row is not what was committed. */
int seal_work(void *seal, struct buffer *result);
/* In a transaction of its own. */
int seal_end(struct seal *seal, const struct buffer *result);
void seal_free(struct seal *seal);

#endif
