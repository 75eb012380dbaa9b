/* refusal - that there is no room for some blobs: from the first that is refused until none would be.
 * Pure; all zero: nobody is refused.
 *
 * A dock asks again and again for the same clip, so room for less is no end of it. What comes in after
 * all is not wished any more, and what nobody asks for is forgotten. */
#ifndef KEEPER_BLOBS_REFUSAL_H
#define KEEPER_BLOBS_REFUSAL_H

#include <stdbool.h>
#include <stdint.h>

#include "keeper/blobs/stock.h"

enum {
    REFUSAL_HOLD_MS = 10000, /* at least so long it lasts after the last one, */
    REFUSAL_FORGET_MS = 2 * 3600 * 1000 /* and so long when nobody asks any more */
};

struct refusal {
    int full;                       /* 1 + the strongest class; 0: none is refused */
    int64_t last_us;                /* on the monotonic clock */
    int64_t wished[CLASS_CASE + 1]; /* the most bytes of each */
};

/* So many bytes of that class are refused: whether that is news, of this class or a stronger one. */
bool refusal_note(struct refusal *refusal, int class, int64_t bytes, int64_t now_us);
/* So many are taken. */
void refusal_taken(struct refusal *refusal, int class, int64_t bytes);
bool refusal_is_over(const struct refusal *refusal, const struct stock *stock,
                     int64_t now_us);

#endif
