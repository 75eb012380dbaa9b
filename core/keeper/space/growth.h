/* growth - how many bytes a day the journal gets, measured over the last day: pure.
 *
 * One mark an hour, at most GROWTH_MARKS of them. */
#ifndef KEEPER_SPACE_GROWTH_H
#define KEEPER_SPACE_GROWTH_H

#include <stdint.h>

enum { GROWTH_MARKS = 24 };

struct growth {
    int64_t total; /* bytes since the start */
    int64_t count; /* of marks ever; the oldest is overwritten */
    int64_t at_us[GROWTH_MARKS];
    int64_t totals[GROWTH_MARKS];
};

/* `bytes` more at that monotonic time. */
void growth_add(struct growth *growth, int64_t bytes, int64_t now_us);

/* Bytes a day, or -1 before ten minutes have been seen. */
int64_t growth_per_day(const struct growth *growth, int64_t now_us);

#endif
