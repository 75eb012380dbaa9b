/* hours - see hours.h. */
#include "courier/hours.h"

#include <stdbool.h>

static bool range_has(const struct hours_range *range, int minute)
{
    if (range->from < range->until)
        return minute >= range->from && minute < range->until;
    return minute >= range->from || minute < range->until;
}

int64_t hours_slowest(const struct hours *hours)
{
    int64_t slowest = 0;
    for (size_t i = 0; i < hours->count; i++) {
        int64_t rate = hours->ranges[i].rate;
        slowest = rate > 0 && (slowest == 0 || rate < slowest) ? rate : slowest;
    }
    return slowest;
}

int64_t hours_rate(const struct hours *hours, int minute)
{
    if (hours->count == 0)
        return 0;
    for (size_t i = 0; i < hours->count; i++)
        if (range_has(&hours->ranges[i], minute))
            return hours->ranges[i].rate;
    return HOURS_CLOSED;
}
