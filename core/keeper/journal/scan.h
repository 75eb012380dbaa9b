/* scan - reading the journal back: sealed bundles first, then the tail. */
#ifndef KEEPER_JOURNAL_SCAN_H
#define KEEPER_JOURNAL_SCAN_H

#include "keeper/journal/journal.h"

/* Which events a reader wants: those of a lane, or those whose type matches the pattern. */
struct scan_filter {
    int lane;            /* -1: any */
    const char *pattern; /* NULL: any */
};

/* Calls `each` in order for the committed events from *seq on that the filter wants, until it
 * returns nonzero (it has enough), a few bundles have been opened, or the journal ends. *seq
 * becomes the first event not looked at, or the one that `each` refused. 0 or a negative errno. */
int scan_events(struct journal *journal, const struct scan_filter *filter, int64_t *seq,
                int (*each)(void *owner, const struct store_event *event), void *owner);

#endif
