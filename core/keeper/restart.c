/* restart - see restart.h. */
#include "keeper/restart.h"

static bool dies_too_often(const struct restart *restart, int64_t now_us)
{
    if (restart->count < RESTART_DEATHS)
        return false;
    int64_t oldest = restart->deaths_us[restart->count % RESTART_DEATHS];
    return now_us - oldest <= (int64_t)RESTART_WITHIN_MS * 1000;
}

int64_t restart_after_death(struct restart *restart, int64_t now_us, int64_t life_us)
{
    restart->deaths_us[restart->count % RESTART_DEATHS] = now_us;
    restart->count++;
    bool short_life = life_us < (int64_t)RESTART_GOOD_LIFE_MS * 1000;
    restart->in_quarantine =
        dies_too_often(restart, now_us) || (restart->in_quarantine && short_life);
    if (restart->in_quarantine)
        return RESTART_QUARANTINE_MS;
    if (!short_life)
        restart->delay_ms = 0;
    else if (restart->delay_ms == 0)
        restart->delay_ms = restart->count == 1 ? 0 : RESTART_FIRST_MS;
    else
        restart->delay_ms *= 2;
    if (restart->delay_ms > RESTART_MOST_MS)
        restart->delay_ms = RESTART_MOST_MS;
    return restart->delay_ms;
}
