/* refusal - see refusal.h. */
#include "keeper/blobs/refusal.h"

bool refusal_note(struct refusal *refusal, int class, int64_t bytes, int64_t now_us)
{
    refusal->last_us = now_us;
    if (bytes > refusal->wished[class])
        refusal->wished[class] = bytes;
    if (refusal->full > class)
        return false;
    refusal->full = class + 1;
    return true;
}

void refusal_taken(struct refusal *refusal, int class, int64_t bytes)
{
    if (bytes >= refusal->wished[class])
        refusal->wished[class] = 0;
}

static bool has_room(const struct refusal *refusal, const struct stock *stock)
{
    for (int class = 0; class <= CLASS_CASE; class ++)
        if (stock_room(stock, class) < refusal->wished[class])
            return false;
    return stock_excess(stock) == 0;
}

bool refusal_is_over(const struct refusal *refusal, const struct stock *stock,
                     int64_t now_us)
{
    int64_t since_us = now_us - refusal->last_us;
    if (refusal->full == 0 || since_us < REFUSAL_HOLD_MS * 1000LL)
        return false;
    return since_us >= REFUSAL_FORGET_MS * 1000LL || has_room(refusal, stock);
}
