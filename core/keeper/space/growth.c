/* growth - see growth.h.
 *
 * Invariant: marks lie in a ring by time; mark i is at i % GROWTH_MARKS, and the oldest that is
 * left is count - GROWTH_MARKS, or the first. */
#include "keeper/space/growth.h"

static const int64_t HOUR_US = 3600LL * 1000000, LEAST_US = 600LL * 1000000,
                     DAY_US = 24 * 3600LL * 1000000;

void growth_add(struct growth *growth, int64_t bytes, int64_t now_us)
{
    int64_t newest = (growth->count + GROWTH_MARKS - 1) % GROWTH_MARKS;
    if (growth->count == 0 || now_us - growth->at_us[newest] >= HOUR_US) {
        int64_t at = growth->count % GROWTH_MARKS;
        growth->at_us[at] = now_us;
        growth->totals[at] = growth->total;
        growth->count++;
    }
    growth->total += bytes;
}

int64_t growth_per_day(const struct growth *growth, int64_t now_us)
{
    int64_t oldest = growth->count > GROWTH_MARKS ? growth->count % GROWTH_MARKS : 0;
    int64_t seen_us = growth->count > 0 ? now_us - growth->at_us[oldest] : 0;
    if (seen_us < LEAST_US)
        return -1;
    return (int64_t)((double)(growth->total - growth->totals[oldest]) * (double)DAY_US /
                     (double)seen_us);
}
