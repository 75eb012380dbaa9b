/* stall - see stall.h.
 *
 * Invariant: owed_ms only grows while the lane's link is up and it owes. */
#include "uplink/stall.h"

#include <stdio.h>
#include <string.h>

#include "mqtt/mqtt.h"

enum { REFUSED = 0x80 };

void stall_begin(struct stall *stall, int64_t now_ms)
{
    memset(stall, 0, sizeof(*stall));
    stall->looked_ms = now_ms;
}

static void pass_time(struct stall *stall, int64_t now_ms)
{
    for (int lane = 0; lane < LANES; lane++)
        if (stall->owes[lane] && stall->up[sync_link_of((enum talk_lane)lane)])
            stall->owed_ms[lane] += now_ms - stall->looked_ms;
    stall->looked_ms = now_ms;
}

void stall_link(struct stall *stall, enum sync_link link, bool up, int64_t now_ms)
{
    pass_time(stall, now_ms);
    stall->up[link] = up;
}

void stall_acked(struct stall *stall, enum talk_lane lane, int reason, bool owes,
                 int64_t now_ms)
{
    pass_time(stall, now_ms);
    stall->silent[sync_link_of(lane)] = false;
    stall->refusal[lane] = reason >= REFUSED ? reason : 0;
    if (!stall->owes[lane])
        stall->owed_ms[lane] = 0;
    stall->owes[lane] |= owes && reason < REFUSED;
}

void stall_marked(struct stall *stall, enum talk_lane lane, bool owes, int64_t now_ms)
{
    pass_time(stall, now_ms);
    stall->owes[lane] = owes;
    stall->owed_ms[lane] = 0;
}

void stall_silent(struct stall *stall, enum sync_link link)
{
    stall->silent[link] = true;
}

static enum stall_cause cause_of(const struct stall *stall, enum talk_lane lane)
{
    if (stall->refusal[lane] != 0)
        return STALL_REFUSED;
    if (stall->silent[sync_link_of(lane)])
        return STALL_SILENT;
    if (stall->owes[lane] && stall->owed_ms[lane] >= STALL_PATIENCE_MS)
        return STALL_RECEIPT;
    return STALL_NONE;
}

enum stall_news stall_look(struct stall *stall, int64_t now_ms)
{
    enum talk_lane lane = LANE_ALARM;
    pass_time(stall, now_ms);
    while (lane < LANES && cause_of(stall, lane) == STALL_NONE)
        lane++;
    bool stalled = lane < LANES;
    if (stalled == stall->told)
        return STALL_QUIET;
    if (stalled && stall->ever_told && now_ms - stall->told_ms < STALL_LEAST_MS)
        return STALL_QUIET;
    stall->told = stalled;
    if (!stalled)
        return STALL_ENDS;
    stall->ever_told = true;
    stall->told_ms = now_ms;
    stall->cause = cause_of(stall, lane);
    stall->lane = lane;
    stall->reason = stall->refusal[lane];
    return STALL_BEGINS;
}

void stall_why(const struct stall *stall, char why[TALK_STALL_MAX + 1])
{
    if (stall->cause == STALL_REFUSED)
        snprintf(why, TALK_STALL_MAX + 1, "the broker refuses it: %s (0x%02x)",
                 mqtt_reason(stall->reason), (unsigned)stall->reason);
    else
        snprintf(why, TALK_STALL_MAX + 1, "%s",
                 stall->cause == STALL_SILENT
                     ? "the broker does not acknowledge"
                     : "the broker acknowledges, but no receipt comes from the city");
}
