/* hours - when files may go to the city, and how fast: ranges of a day. Pure. */
#ifndef COURIER_HOURS_H
#define COURIER_HOURS_H

#include <stddef.h>
#include <stdint.h>

enum { HOURS_MAX = 16, HOURS_DAY = 24 * 60, HOURS_CLOSED = -1 };

/* Minutes of the day: from `from` to before `until`, over midnight when that is not later. */
struct hours_range {
    int from;     /* 0 to 1439 */
    int until;    /* 1 to 1440 */
    int64_t rate; /* bytes a second; 0: as fast as it goes */
};

struct hours {
    struct hours_range ranges[HOURS_MAX];
    size_t count;
};

/* Bytes a second at that minute, 0 for as fast as it goes, or HOURS_CLOSED. Of ranges that overlap
 * the first counts; without any it is always open. */
int64_t hours_rate(const struct hours *hours, int minute);
/* When nobody knows what time of day it is: the slowest of all. */
int64_t hours_slowest(const struct hours *hours);

#endif
