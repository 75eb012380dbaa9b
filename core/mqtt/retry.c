/* retry - see retry.h.
 *
 * Invariant: a bound is 0 or lies between RETRY_FIRST_MS and what its kind of end allows. */
#include "mqtt/retry.h"

#include "base/base.h"
#include "base/random.h"

static uint32_t doubled(uint32_t bound_ms, uint32_t most_ms)
{
    if (bound_ms == 0)
        return RETRY_FIRST_MS;
    return bound_ms > most_ms / 2 ? most_ms : bound_ms * 2;
}

uint32_t retry_bound_ms(struct retry *retry, enum retry_end end, int64_t life_ms)
{
    if (life_ms >= RETRY_GOOD_LIFE_MS)
        *retry = (struct retry){0};
    if (end == RETRY_TURNED_AWAY)
        return retry->late_ms = doubled(retry->late_ms, RETRY_LATE_MOST_MS);
    return retry->soon_ms = doubled(retry->soon_ms, RETRY_SOON_MOST_MS);
}

uint32_t retry_wait_ms(uint32_t bound_ms)
{
    ASSERT(bound_ms > RETRY_LEAST_MS);
    return RETRY_LEAST_MS + random_below(bound_ms - RETRY_LEAST_MS + 1);
}
