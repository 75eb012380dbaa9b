/* restart - see restart.h. */
#include "keeper/children/restart.h"

static bool dies_too_often(const struct restart *restart, int64_t now_us)
{
    if (restart->count < RESTART_DEATHS)
        return false;
    int64_t oldest = restart->deaths_us[restart->count % RESTART_DEATHS];
    return now_us - oldest <= (int64_t)RESTART_WITHIN_MS * 1000;
}

/* `at_once`: the first time it need not wait. */
static int64_t next_delay(struct restart *restart, bool short_life, bool at_once)
{
    if (!short_life)
        restart->delay_ms = 0;
    else if (restart->delay_ms == 0)
        restart->delay_ms = at_once ? 0 : RESTART_FIRST_MS;
    else
        restart->delay_ms *= 2;
    if (restart->delay_ms > RESTART_MOST_MS)
        restart->delay_ms = RESTART_MOST_MS;
    return restart->delay_ms;
}

static bool is_short(int64_t life_us)
{
    return life_us < (int64_t)RESTART_GOOD_LIFE_MS * 1000;
}

int64_t restart_after_death(struct restart *restart, int64_t now_us, int64_t life_us)
{
    restart->deaths_us[restart->count % RESTART_DEATHS] = now_us;
    restart->count++;
    restart->in_quarantine =
        dies_too_often(restart, now_us) || (restart->in_quarantine && is_short(life_us));
    if (restart->in_quarantine)
        return RESTART_QUARANTINE_MS;
    return next_delay(restart, is_short(life_us), restart->count == 1);
}

int64_t restart_after_refusal(struct restart *restart, int64_t life_us)
{
    restart->in_quarantine = false;
    return next_delay(restart, is_short(life_us), false);
}

int64_t restart_needed(struct restart *restart, int64_t life_us)
{
    restart->count++;
    restart->in_quarantine = false;
    return next_delay(restart, is_short(life_us), restart->count == 1);
}

int64_t restart_after_kill(struct restart *restart)
{
    restart->in_quarantine = false;
    return RESTART_FIRST_MS;
}
