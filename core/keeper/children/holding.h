/* holding - how much each instance keeps in its store, keys and places in the journal, and that it is not
 * more than the bound (talk.h).
 *
 * Counted by reading its keys once, when it first commits; from then on by what each commit puts and
 * removes, so that no commit costs more for what is there already. What a group that fails has changed
 * is taken back with it. */
#ifndef KEEPER_CHILDREN_HOLDING_H
#define KEEPER_CHILDREN_HOLDING_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/word.h"
#include "keeper/journal/store.h"
#include "wire/frame.h"
#include "wire/talk.h"

#ifdef SMALL_BOUNDS
enum { HOLDINGS_MAX = 2 };
#else
enum { HOLDINGS_MAX = 256 }; /* instances, also such as are gone */
#endif

struct holding_sum {
    int64_t keys, bytes;
};

struct holding {
    struct holding *next;
    char instance[WORD_ID_MAX + 1];
    struct holding_sum now;
    struct holding_sum durable; /* when no group is open the same */
};

struct holdings {
    struct holding *first;
    int count;
};

/* The instance's, counted when it is not known yet. 0 or a negative errno. */
int holding_find(struct holdings *holdings, struct store *store, const char *instance,
                 struct holding **out);

/* Whether it may hold what a commit's fields would make of it. Who has more than the bound already
 * may still change it for less. -EDQUOT with the reason in `why`, or another negative errno. */
int holding_check(const struct holding *holding, struct store *store,
                  const struct fields *fields, struct buffer *why);

/* Before the fields are applied, one after the other. */
int holding_change(struct holding *holding, struct store *store,
                   const struct field *field);

/* The group is on disk, or undone. */
void holdings_settle(struct holdings *holdings, bool done);
void holdings_free(struct holdings *holdings);

#endif
