/* reserve - room inside the journal's own files, so that alarms and records can be committed on a
 * full disk: a WAL that keeps its blocks, and a tail.db that is longer than its pages.
 *
 * A ballast file beside them would not do: whoever fills the disk takes what is let go. The room is
 * made step by step while the journal is quiet, and again after it has been used. */
#ifndef KEEPER_SPACE_RESERVE_H
#define KEEPER_SPACE_RESERVE_H

#include <stdbool.h>

#include "keeper/journal/journal.h"

struct reserve {
    struct journal *journal;
    int64_t inside;           /* bytes wanted in tail.db, */
    int64_t ahead;            /* and for the WAL */
    struct store_space space; /* as measured last */
};

/* `bytes`: how much in all. Nothing is written before the first reserve_fill(). */
void reserve_open(struct reserve *reserve, struct journal *journal, int64_t bytes);

int reserve_measure(struct reserve *reserve);
/* What of it is there, at most what is wanted. */
int64_t reserve_bytes(const struct reserve *reserve);
bool reserve_is_whole(const struct reserve *reserve);

/* One step towards the whole, outside of any transaction, on a disk with `left` bytes. True when
 * another is worth taking soon. */
bool reserve_fill(struct reserve *reserve, int64_t left);

/* How long the WAL may become before it is copied. */
int reserve_ahead_pages(const struct reserve *reserve, int most);

#endif
