/* world - see world.h.
 *
 *   storm -> fair weather: an alarm arrives, then everything -> a rush with alarms in it -> everything
 *   arrives and is verified -> somebody is away for a moment -> for some, the city for hours */
#include "world.h"

#include <stdbool.h>

#include "actor.h"
#include "base/base.h"
#include "cable.h"
#include "chance.h"
#include "checker.h"
#include "city.h"
#include "clock.h"
#include "hub.h"
#include "ledger.h"
#include "office.h"
#include "shelf.h"
#include "storm.h"
#include "story.h"
#include "weather.h"

enum {
    STEPS_MOST = 400 * 1000,
    PROGRESS_S = 300, /* in fair weather everything is there by then */
    SETTLE_S = 200,   /* until the last half-open connection has been found out */
    FIRST_ALARM_MS = 125 * 1000, /* after a storm */
    ALARM_MS = 2000,             /* whatever the backlog */
    RUSH_EVENTS = 30,
    RUSH_ALARMS = 3,
    RUSH_S = 45, /* at the pace of the line */
    HICCUP_EVENTS = 5,
    ALWAYS = 1000,
    HICCUP_S = 10,
    STILL_S = 90,     /* nobody calls a stall when everything is said */
    AWAY_ONE_IN = 20, /* seeds have a city that is away */
    AWAY_S = 2 * 3600,
    AWAY_LETTERS = 400 /* may wait for it then, most of them statuses */
};

static bool goes_on(void)
{
    if (clock_steps() > STEPS_MOST)
        checker_violated("no end after %d steps", STEPS_MOST);
    return checker_verdict() == NULL && clock_step();
}

static void pass(int64_t us)
{
    int64_t until = clock_us() + us;
    while (clock_us() < until && goes_on())
        ;
}

static void arrive(int most_s)
{
    int64_t until = clock_us() + most_s * (int64_t)CLOCK_SECOND;
    while (!checker_is_synced() && goes_on())
        if (clock_us() > until) {
            checker_violated("%d s of fair weather, and %lld events are missing; marks "
                             "of the office %lld %lld %lld",
                             most_s, (long long)checker_missing(),
                             (long long)office_mark(LANE_ALARM),
                             (long long)office_mark(LANE_RECORD),
                             (long long)office_mark(LANE_TELEMETRY));
            return;
        }
}

/* The alarm is committed in a moment; from then on it has so long. */
static void expect_alarm(int64_t most_ms)
{
    const struct ledger_log *log = ledger_newest();
    int64_t seq = log->size;
    bool taken = office_emit(LANE_ALARM, chance_below(64));
    while (taken && log->size <= seq && goes_on())
        ;
    if (!taken || checker_verdict() != NULL)
        return;
    while (seq < log->size && log->events[seq].lane != LANE_ALARM)
        seq++;
    int64_t until = clock_us() + most_ms * CLOCK_MS;
    while ((shelf_row(log->name, seq) == NULL || office_mark(LANE_ALARM) < seq) &&
           goes_on())
        if (clock_us() > until) {
            checker_violated("alarm %lld is not at the city, or the office does not know "
                             "it, after %lld ms of fair weather",
                             (long long)seq, (long long)most_ms);
            return;
        }
}

/* Whoever was away or refused everything is back: what was lost on the way is sent again soon. */
static void hiccup(void)
{
    static const struct hub_loss ALL = {true, true, true, false};
    unsigned which = chance_below(4);
    storm_settle(which != 3); /* to be refused is to be stalled */
    for (int i = 0; i < HICCUP_EVENTS; i++)
        office_emit(i % 2 == 0 ? LANE_ALARM : LANE_RECORD, chance_below(64));
    pass(chance_between(0, CLOCK_SECOND));
    if (which == 0)
        hub_crash(&ALL);
    else if (which == 1)
        city_fell(false);
    else if (which == 2)
        uplink_fell(false);
    else
        weather.refuse_office = ALWAYS;
    pass(chance_between(0, 5 * CLOCK_SECOND));
    weather.refuse_office = 0;
    hub_start();
    city_start();
    arrive(HICCUP_S);
}

static void rush(void)
{
    for (int i = 0; i < RUSH_EVENTS; i++) {
        enum talk_lane lane = chance_below(2) == 0 ? LANE_RECORD : LANE_TELEMETRY;
        office_emit(lane, chance_below(64));
    }
    for (int i = 0; i < RUSH_ALARMS && checker_verdict() == NULL; i++) {
        pass(chance_between(0, 3 * CLOCK_SECOND));
        expect_alarm(ALARM_MS);
    }
}

static void arrive_verified(void)
{
    int64_t until = clock_us() + PROGRESS_S * (int64_t)CLOCK_SECOND;
    arrive(RUSH_S);
    while (!checker_is_verified() && goes_on())
        if (clock_us() > until) {
            checker_violated("%d s of fair weather, and the city has not verified %lld "
                             "events",
                             PROGRESS_S, (long long)office_signed());
            return;
        }
}

/* The broker is there and takes everything, but nobody fetches it: what the office sends again and
 * again must not fill it up. */
static void miss_city(void)
{
    storm_settle(false);
    city_fell(false);
    for (int i = 0; i < RUSH_EVENTS; i++)
        office_emit(i < RUSH_ALARMS ? LANE_ALARM : LANE_RECORD, chance_below(64));
    pass(AWAY_S * (int64_t)CLOCK_SECOND);
    unsigned waiting = hub_waiting(ROAD_CITY_ALARM) + hub_waiting(ROAD_CITY_BULK);
    if (waiting > AWAY_LETTERS)
        checker_violated("%u messages wait for a city that was away for %d s", waiting,
                         AWAY_S);
    city_start();
    arrive(PROGRESS_S);
}

static void died(enum actor actor)
{
    storm_fell(actor);
}

static void begin(uint64_t seed)
{
    chance_begin(seed);
    clock_begin();
    actor_begin(died);
    cable_begin();
    hub_begin();
    shelf_begin();
    ledger_begin();
    checker_begin();
    office_begin();
    city_begin();
}

const char *world_run(uint64_t seed)
{
    begin(seed);
    pass(storm_begin());
    storm_end();
    pass(chance_between(0, SETTLE_S) * CLOCK_SECOND);
    expect_alarm(FIRST_ALARM_MS);
    arrive(PROGRESS_S);
    pass(SETTLE_S * (int64_t)CLOCK_SECOND);
    arrive(PROGRESS_S);
    storm_settle(true);
    rush();
    arrive_verified();
    if (checker_verdict() == NULL)
        hiccup();
    if (checker_verdict() == NULL && chance_below(AWAY_ONE_IN) == 0)
        miss_city();
    pass(STILL_S * (int64_t)CLOCK_SECOND);
    if (office_is_stalled())
        checker_violated("a stall that is over has no end");
    if (checker_verdict() == NULL)
        checker_count();
    return checker_verdict();
}
