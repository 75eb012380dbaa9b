/* storm - see storm.h. */
#include "storm.h"

#include <string.h>

#include "actor.h"
#include "base/base.h"
#include "cable.h"
#include "chance.h"
#include "city.h"
#include "clock.h"
#include "hub.h"
#include "ledger.h"
#include "office.h"
#include "shelf.h"
#include "story.h"
#include "turn.h"
#include "weather.h"

enum {
    SHORTEST_S = 10,
    SHORT_S = 200,
    LONGEST_S = 1800,
    DOWN_MOST_S = 200,
    THIN_RATE =
        3000, /* bytes a second in fair weather; a batch takes more than a second */
    WIDE_RATE = 64000,
    QUEUE_MOST = 1000, /* mosquitto's default */
    EVENTS_MOST = 110, /* of a storm */
    DOOM_MOST = 60     /* points until a doomed program dies */
};

struct weather weather;

static bool blows, settled;
static int64_t pace_us; /* between two faults, on average */
static int events_left;

/* ---- Deaths */

static bool often_silent(void)
{
    return chance_below(4) == 0;
}

static int64_t down_us(void)
{
    int64_t most = chance_below(4) == 0 ? DOWN_MOST_S * (int64_t)CLOCK_SECOND
                                        : 5 * (int64_t)CLOCK_SECOND;
    return chance_between(1000, most);
}

static void restart_city(void *owner)
{
    (void)owner;
    city_start();
}

static void restart_office(void *owner)
{
    (void)owner;
    office_start();
}

static void restart_hub(void *owner)
{
    (void)owner;
    hub_start();
}

void storm_fell(int actor)
{
    static const char *const NAMES[ACTORS] = {"", "keeper", "uplink", "city"};
    story_say("the %s dies", NAMES[actor]);
    if (actor == ACTOR_CITY) {
        city_fell(often_silent());
        clock_after(down_us(), ACTOR_WORLD, restart_city, NULL);
    } else if (actor == ACTOR_KEEPER) {
        office_fell(often_silent());
        clock_after(down_us(), ACTOR_WORLD, restart_office, NULL);
    } else {
        uplink_fell(often_silent());
    }
}

static void kill_city(void)
{
    if (city_is_running())
        storm_fell(ACTOR_CITY);
}

static void doom_city(void)
{
    actor_doom(ACTOR_CITY, (int)chance_between(1, DOOM_MOST));
}

static void stop_city(void)
{
    city_stop();
    clock_after(down_us(), ACTOR_WORLD, restart_city, NULL);
}

static void restore_city(void)
{
    kill_city();
    shelf_restore();
}

static void kill_keeper(void)
{
    if (office_is_running())
        storm_fell(ACTOR_KEEPER);
}

static void doom_keeper(void)
{
    actor_doom(ACTOR_KEEPER, (int)chance_between(1, DOOM_MOST));
}

static void kill_uplink(void)
{
    if (uplink_is_running())
        storm_fell(ACTOR_UPLINK);
}

static void doom_uplink(void)
{
    actor_doom(ACTOR_UPLINK, (int)chance_between(1, DOOM_MOST));
}

static void renew_log(void)
{
    if (chance_below(3) != 0)
        return;
    office_renew();
    clock_after(down_us(), ACTOR_WORLD, restart_office, NULL);
}

static void crash_hub(void)
{
    struct hub_loss loss = {.queues = chance_below(2) == 0};
    loss.sessions = chance_below(3) == 0;
    loss.retained = chance_below(3) == 0;
    loss.silent = often_silent();
    if (!hub_accepts())
        return;
    hub_crash(&loss);
    clock_after(down_us(), ACTOR_WORLD, restart_hub, NULL);
}

/* ---- The network and the rest */

static void whole_again(void *owner)
{
    cable_cut((enum road)(uintptr_t)owner, false);
}

static void cut_road(void)
{
    uintptr_t road = chance_below(ROADS);
    cable_cut((enum road)road, true);
    clock_after(down_us(), ACTOR_WORLD, whole_again, (void *)road);
}

static void cut_office(void)
{
    int64_t us = down_us();
    for (uintptr_t road = ROAD_OFFICE_ALARM; road <= ROAD_OFFICE_BULK; road++) {
        cable_cut((enum road)road, true);
        clock_after(us, ACTOR_WORLD, whole_again, (void *)road);
    }
}

static void hang_over(void *owner)
{
    (void)owner;
    story_say("the broker goes on");
    cable_hang(false);
}

static void hang_hub(void)
{
    story_say("the broker hangs");
    cable_hang(true);
    clock_after(down_us(), ACTOR_WORLD, hang_over, NULL);
}

static void set_clocks(void)
{
    int64_t day = 86400 * (int64_t)CLOCK_SECOND;
    turn_set_utc(ACTOR_CITY, chance_between(-400 * day, 400 * day));
    turn_set_utc(ACTOR_UPLINK, chance_between(-400 * day, 400 * day));
    turn_set_utc(ACTOR_KEEPER, chance_between(-400 * day, 400 * day));
    story_say("clocks are set anew");
}

static void erase_some(void)
{
    office_erase(1 + chance_below(6));
}

/* What strikes: a seed has each kind in `often` of 1,000 cases. */
static const struct {
    int often;
    void (*strike)(void);
} FAULTS[] = {
    {600, cut_road},    {500, cut_office},         {400, hang_hub},
    {600, crash_hub},   {500, kill_city},          {500, doom_city},
    {300, stop_city},   {400, restore_city},       {500, shelf_back_up},
    {500, kill_keeper}, {500, doom_keeper},        {500, kill_uplink},
    {500, doom_uplink}, {300, office_stop_uplink}, {150, renew_log},
    {200, erase_some},  {200, set_clocks},
};

static bool has_fault[countof(FAULTS)];

static void strike(void *owner)
{
    size_t which = chance_below(countof(FAULTS));
    (void)owner;
    if (!blows)
        return;
    if (has_fault[which])
        FAULTS[which].strike();
    clock_after(chance_between(0, 2 * pace_us), ACTOR_WORLD, strike, NULL);
}

/* ---- The office at work */

static enum talk_lane some_lane(void)
{
    static const enum talk_lane OFTEN[] = {LANE_ALARM,     LANE_RECORD,
                                           LANE_RECORD,    LANE_TELEMETRY,
                                           LANE_TELEMETRY, LANE_TELEMETRY};
    return OFTEN[chance_below(countof(OFTEN))];
}

static void work(void *owner)
{
    int64_t pause_us = *(int64_t *)owner;
    int burst = chance_below(8) == 0 ? 1 + (int)chance_below(25) : 1;
    for (; burst > 0 && events_left > 0 && blows; burst--) {
        enum talk_lane lane = some_lane();
        events_left -= office_emit(lane, chance_below(64));
    }
    if (events_left > 0 && blows)
        clock_after(chance_between(0, 2 * pause_us), ACTOR_WORLD, work, owner);
}

/* ---- Beginning and end */

static int some(int often, int most)
{
    return chance_is(often) ? 1 + (int)chance_below((uint32_t)most) : 0;
}

static void draw_network(void)
{
    static const int64_t LATENCY_MS[] = {1, 5, 40, 400};
    for (int road = 0; road < ROADS; road++) {
        weather.latency_us[road] =
            LATENCY_MS[chance_below(countof(LATENCY_MS))] * CLOCK_MS;
        weather.jitter_us[road] = chance_between(0, 50 * CLOCK_MS);
        weather.rate[road] = chance_between(8, 200) * 1000;
    }
}

static void draw_weather(void)
{
    memset(&weather, 0, sizeof(weather));
    draw_network();
    weather.refuse = some(300, 100);
    weather.lose = some(300, 300);
    weather.duplicate = some(300, 300);
    weather.reorder = some(300, 300);
    weather.replay = some(300, 200);
    weather.turn_away = some(200, 300);
    weather.keeper_disk = some(200, 60);
    weather.city_disk = some(200, 30);
    weather.service_us = some(300, 3000) * (int64_t)CLOCK_MS;
    weather.bandwidth = some(250, 200) * (int64_t)1000;
    if (weather.bandwidth > 0)
        weather.bandwidth += 16000;
    weather.queue_most = chance_below(3) == 0 ? 1 + chance_below(20) : QUEUE_MOST;
}

int64_t storm_begin(void)
{
    static int64_t pause_us;
    int64_t most = chance_below(3) == 0 ? LONGEST_S : SHORT_S;
    int64_t length = chance_between(SHORTEST_S, most) * (int64_t)CLOCK_SECOND;
    blows = true;
    settled = false;
    draw_weather();
    for (size_t i = 0; i < countof(FAULTS); i++)
        has_fault[i] = chance_is(FAULTS[i].often);
    pace_us = length / (1 + chance_below(60));
    events_left = 1 + (int)chance_below(EVENTS_MOST);
    pause_us = length / (1 + events_left);
    for (int actor = 0; actor < ACTORS; actor++)
        turn_set_utc((enum actor)actor, 0);
    office_start();
    city_start();
    clock_after(0, ACTOR_WORLD, strike, NULL);
    clock_after(0, ACTOR_WORLD, work, &pause_us);
    return length;
}

bool storm_is_over(void)
{
    return settled;
}

void storm_settle(bool is_settled)
{
    settled = is_settled;
}

void storm_end(void)
{
    story_say("fair weather");
    blows = false;
    struct weather fair = {.queue_most = QUEUE_MOST, .bandwidth = weather.bandwidth};
    for (int road = 0; road < ROADS; road++) {
        fair.latency_us[road] = weather.latency_us[road] / 4;
        fair.rate[road] = road == ROAD_OFFICE_BULK ? THIN_RATE : WIDE_RATE;
        cable_cut((enum road)road, false);
    }
    weather = fair;
    for (int actor = 0; actor < ACTORS; actor++)
        actor_doom((enum actor)actor, 0);
    cable_hang(false);
    hub_start();
    office_start();
    city_start();
    clock_after(CLOCK_SECOND, ACTOR_WORLD, restart_city,
                NULL); /* one that was just ending */
    clock_after(CLOCK_SECOND, ACTOR_WORLD, restart_office, NULL);
}
