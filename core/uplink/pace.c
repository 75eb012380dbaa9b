/* pace - see pace.h. */
#include "uplink/pace.h"

#include <string.h>

#include "base/base.h"

enum { BITS_A_BYTE = 8, US_A_SECOND = 1000 * 1000 };

void pace_begin(struct pace *pace, int64_t bits_a_second)
{
    memset(pace, 0, sizeof(*pace));
    pace->bytes_a_second = bits_a_second / BITS_A_BYTE;
}

void pace_spend(struct pace *pace, size_t bytes, int64_t now_us)
{
    if (pace->bytes_a_second == 0)
        return;
    int64_t cost = (int64_t)(bytes + PACE_OVERHEAD) * US_A_SECOND / pace->bytes_a_second;
    if (pace->free_us < now_us - PACE_AHEAD_US)
        pace->free_us = now_us - PACE_AHEAD_US;
    pace->free_us += cost;
}

bool pace_holds(struct pace *pace, const struct sync_step *fetch, int64_t now_us)
{
    if (pace->bytes_a_second == 0 || now_us >= pace->free_us)
        return false;
    ASSERT(fetch->deed == SYNC_FETCH && fetch->id != 0);
    pace->waiting[fetch->lane] = *fetch;
    return true;
}

/* Records before telemetry, as everywhere. */
static struct sync_step *first(const struct pace *pace)
{
    for (int lane = 0; lane < LANES; lane++)
        if (pace->waiting[lane].id != 0)
            return (struct sync_step *)&pace->waiting[lane];
    return NULL;
}

bool pace_next(struct pace *pace, struct sync_step *fetch, int64_t now_us)
{
    struct sync_step *next = first(pace);
    if (next == NULL || now_us < pace->free_us)
        return false;
    *fetch = *next;
    next->id = 0;
    return true;
}

bool pace_drop(struct pace *pace, uint32_t id)
{
    for (int lane = 0; lane < LANES; lane++)
        if (id != 0 && pace->waiting[lane].id == id) {
            pace->waiting[lane].id = 0;
            return true;
        }
    return false;
}

int64_t pace_wait_ms(const struct pace *pace, int64_t now_us)
{
    if (first(pace) == NULL)
        return -1;
    return now_us >= pace->free_us ? 0 : (pace->free_us - now_us + 999) / 1000;
}

size_t pace_batch(const struct pace *pace, size_t most)
{
    size_t second = (size_t)pace->bytes_a_second;
    if (second == 0 || second > most)
        return most;
    return second > PACE_BATCH_LEAST ? second : PACE_BATCH_LEAST;
}
