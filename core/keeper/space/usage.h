/* usage - what the journal's files take on disk, in allocated bytes, without tail.db and its WAL.
 *
 * Counted once, as an errand, because an old journal has a hundred thousand files; after that the
 * owner adds what is written and subtracts what is removed. */
#ifndef KEEPER_SPACE_USAGE_H
#define KEEPER_SPACE_USAGE_H

#include <stdint.h>

#include "keeper/journal/journal.h"

/* An errand_work whose owner is the journal: the result is one int64_t. Removes new bundles that
 * a cut kept from their place, so only after thin_finish() and while nothing is thinned. */
int usage_count(void *journal, struct buffer *result);

/* Of the bundles and hash tiles [from, until). */
int64_t usage_of_tiles(const struct journal *journal, int64_t from, int64_t until);

#endif
