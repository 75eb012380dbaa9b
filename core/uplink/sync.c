/* sync - see sync.h.
 *
 * Invariant: sync_is_sane(). In words: mark <= every batch's last <= sent < next, rising; a road
 * never has more flights than room, counting the fetches that may still turn into one.
 *
 * Rule of this file: only go_back() forgets batches, and whatever is in doubt goes back. */
#include "uplink/sync.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"

enum { REFUSED = 0x80, NOBODY = 0x10 };

static const int64_t SILENCE_MS[SYNC_LINKS] = {
    [SYNC_ALARM] = SYNC_SILENCE_ALARM_MS,
    [SYNC_BULK] = SYNC_SILENCE_BULK_MS,
};

enum sync_link sync_link_of(enum talk_lane lane)
{
    return lane == LANE_ALARM ? SYNC_ALARM : SYNC_BULK;
}

static struct sync_road *road_of(struct sync *sync, int lane)
{
    return &sync->roads[sync_link_of((enum talk_lane)lane)];
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* ---- Invariants */

static bool batches_rise(const struct sync_lane *lane)
{
    int64_t before = lane->mark;
    for (unsigned i = 0; i < lane->count; i++) {
        int64_t last = lane->batches[(lane->first + i) % SYNC_BATCHES];
        if (last <= before)
            return false;
        before = last;
    }
    return before <= lane->sent;
}

static bool lane_is_sane(const struct sync_lane *lane)
{
    return lane->count <= SYNC_BATCHES && lane->first < SYNC_BATCHES &&
           lane->mark >= -1 && lane->mark <= lane->sent && lane->sent < lane->next &&
           lane->waiting <= lane->flying && batches_rise(lane) &&
           (!lane->owed || lane->count > 0) && (lane->fetch == 0 || lane->known);
}

static unsigned fetches_of(const struct sync *sync, int link)
{
    unsigned fetches = 0;
    for (int i = 0; i < LANES; i++)
        if ((int)sync_link_of((enum talk_lane)i) == link && sync->lanes[i].fetch != 0)
            fetches++;
    return fetches;
}

static bool road_is_sane(const struct sync *sync, int link)
{
    const struct sync_road *road = &sync->roads[link];
    unsigned fetches = fetches_of(sync, link);
    size_t bytes = 0;
    for (unsigned i = 0; i < road->flying && i < SYNC_FLIGHTS; i++)
        bytes += road->flights[i].bytes;
    return road->flying + fetches <= SYNC_FLIGHTS && bytes == road->bytes &&
           (road->up || (road->flying == 0 && fetches == 0));
}

bool sync_is_sane(const struct sync *sync)
{
    unsigned flying[LANES] = {0};
    for (int link = 0; link < SYNC_LINKS; link++) {
        if (!road_is_sane(sync, link))
            return false;
        for (unsigned i = 0; i < sync->roads[link].flying; i++)
            flying[sync->roads[link].flights[i].lane]++;
    }
    for (int i = 0; i < LANES; i++)
        if (!lane_is_sane(&sync->lanes[i]) || flying[i] != sync->lanes[i].flying)
            return false;
    return true;
}

/* ---- Lanes */

void sync_begin(struct sync *sync)
{
    memset(sync, 0, sizeof(*sync));
    for (int i = 0; i < LANES; i++) {
        struct sync_lane *lane = &sync->lanes[i];
        lane->mark = lane->sent = -1;
        lane->patience_ms = SYNC_PATIENCE_MS;
    }
}

static void drop_fetch(struct sync_lane *lane)
{
    if (lane->fetch != 0)
        lane->cancel = lane->fetch;
    lane->fetch = 0;
}

static void go_back(struct sync_lane *lane)
{
    if (lane->next != lane->mark + 1)
        drop_fetch(lane);
    if (lane->count > 0)
        lane->went_back++;
    lane->sent = lane->mark;
    lane->next = lane->mark + 1;
    lane->first = lane->count = lane->waiting = 0;
    lane->generation++;
    lane->owed = false;
}

static void pass_batches(struct sync_lane *lane)
{
    while (lane->count > 0 && lane->batches[lane->first] <= lane->mark) {
        lane->first = (lane->first + 1) % SYNC_BATCHES;
        lane->count--;
    }
}

static void mark_up(struct sync_lane *lane, int64_t seq, int64_t now_ms)
{
    lane->mark = seq;
    lane->patience_ms = SYNC_PATIENCE_MS;
    lane->probing = false;
    pass_batches(lane);
    lane->owed = lane->count > lane->waiting;
    lane->owed_ms = now_ms;
    if (lane->sent < seq)
        lane->sent = seq;
    if (lane->next <=
        seq) { /* the city has more than was sent since this program began */
        drop_fetch(lane);
        lane->next = seq + 1;
    }
}

void sync_mark(struct sync *sync, enum talk_lane which, int64_t seq, int64_t now_ms)
{
    struct sync_lane *lane = &sync->lanes[which];
    if (seq < -1)
        return;
    lane->known = true;
    if (seq > lane->mark)
        mark_up(lane, seq, now_ms);
    else if (seq < lane->mark) {
        lane->mark = seq;
        lane->probing = false;
        go_back(lane);
    }
    ASSERT(sync_is_sane(sync));
}

void sync_began(struct sync *sync, int64_t now_ms)
{
    bool again = sync->ever_began && now_ms - sync->began_ms < SYNC_BEGAN_MS;
    for (int i = 0; i < LANES; i++) {
        struct sync_lane *lane = &sync->lanes[i];
        lane->pause_until_ms = 0; /* it is there: whoever was refused need not wait */
        lane->probing = false;
        if (!again && lane->count > 0)
            go_back(lane);
    }
    if (again)
        return;
    sync->ever_began = true;
    sync->began_ms = now_ms;
    ASSERT(sync_is_sane(sync));
}

/* ---- Links */

static void end_flights(struct sync *sync, enum sync_link link)
{
    struct sync_road *road = &sync->roads[link];
    for (unsigned i = 0; i < road->flying; i++)
        sync->lanes[road->flights[i].lane].flying--;
    road->flying = 0;
    road->bytes = 0;
}

static void set_link(struct sync *sync, enum sync_link link, bool up, int64_t now_ms)
{
    end_flights(sync, link);
    sync->roads[link].up = up;
    sync->roads[link].moved_ms = now_ms;
    for (int i = 0; i < LANES; i++) {
        if (sync_link_of((enum talk_lane)i) != link)
            continue;
        drop_fetch(&sync->lanes[i]);
        go_back(&sync->lanes[i]);
        sync->lanes[i].probing = false;
        sync->lanes[i].pause_ms = 0;
        sync->lanes[i].pause_until_ms = 0;
    }
    ASSERT(sync_is_sane(sync));
}

void sync_up(struct sync *sync, enum sync_link link, int64_t now_ms)
{
    set_link(sync, link, true, now_ms);
}

void sync_down(struct sync *sync, enum sync_link link)
{
    set_link(sync, link, false, sync->roads[link].moved_ms);
}

/* ---- Events in, a batch out */

static struct sync_lane *lane_of_fetch(struct sync *sync, uint32_t id)
{
    for (int i = 0; i < LANES && id != 0; i++)
        if (sync->lanes[i].fetch == id)
            return &sync->lanes[i];
    return NULL;
}

static bool answer_is_true(const struct sync_lane *lane, const struct sync_entry *entries,
                           size_t count, int64_t next)
{
    int64_t from = lane->next;
    for (size_t i = 0; i < count; i++) {
        if (entries[i].seq < from)
            return false;
        from = entries[i].seq + 1;
    }
    return next >= from;
}

static size_t bytes_of(const struct sync_entry *entries, size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += entries[i].bytes;
    return bytes;
}

static void add_flight(struct sync *sync, int which, uint32_t token, size_t bytes,
                       int64_t now_ms)
{
    struct sync_lane *lane = &sync->lanes[which];
    struct sync_road *road = road_of(sync, which);
    ASSERT(road->flying < SYNC_FLIGHTS);
    if (road->flying == 0)
        road->moved_ms = now_ms;
    road->flights[road->flying++] =
        (struct sync_flight){token, lane->generation, which, bytes};
    road->bytes += bytes;
    lane->flying++;
    lane->waiting++;
}

static void remember(struct sync_lane *lane, int64_t last)
{
    ASSERT(lane->count < SYNC_BATCHES);
    lane->batches[(lane->first + lane->count++) % SYNC_BATCHES] = last;
    lane->sent = last;
}

int sync_take(struct sync *sync, uint32_t id, const struct sync_entry *entries,
              size_t count, int64_t next, struct sync_batch *batch, int64_t now_ms)
{
    struct sync_lane *lane = lane_of_fetch(sync, id);
    if (lane == NULL)
        return 0; /* an answer that crossed its CANCEL */
    if (!answer_is_true(lane, entries, count, next))
        return -EPROTO;
    lane->fetch = 0;
    if (count == 0) {
        lane->next = next;
        return 0;
    }
    int which = (int)(lane - sync->lanes);
    bool all = count <= SYNC_BATCH_EVENTS;
    batch->count = all ? (unsigned)count : SYNC_BATCH_EVENTS;
    batch->lane = (enum talk_lane)which;
    batch->link = sync_link_of(batch->lane);
    batch->prev = lane->sent;
    batch->last = entries[batch->count - 1].seq;
    batch->token = sync->last_token = (sync->last_token + 1) & SYNC_TOKEN_MOST;
    lane->next = all ? next : batch->last + 1;
    remember(lane, batch->last);
    add_flight(sync, which, batch->token, bytes_of(entries, batch->count), now_ms);
    ASSERT(sync_is_sane(sync));
    return 1;
}

/* ---- PUBACKs */

static void refuse(struct sync_lane *lane, int64_t now_ms)
{
    lane->pause_ms = lane->pause_ms == 0 ? SYNC_PAUSE_MS
                                         : least(lane->pause_ms * 2, SYNC_PAUSE_MOST_MS);
    lane->pause_until_ms = now_ms + lane->pause_ms;
    drop_fetch(lane);
    go_back(lane);
}

static void land(struct sync *sync, const struct sync_flight *flight, int reason,
                 int64_t now_ms)
{
    struct sync_lane *lane = &sync->lanes[flight->lane];
    lane->flying--;
    if (flight->generation != lane->generation)
        return;
    lane->waiting--;
    if (reason >= REFUSED || reason == NOBODY) {
        refuse(lane, now_ms);
        return;
    }
    lane->pause_ms = 0;
    if (!lane->owed)
        lane->owed_ms = now_ms;
    lane->owed = lane->count > 0;
}

void sync_acked(struct sync *sync, enum sync_link link, uint32_t token, int reason,
                int64_t now_ms)
{
    struct sync_road *road = &sync->roads[link];
    for (unsigned i = 0; i < road->flying; i++) {
        if (road->flights[i].token != token)
            continue;
        struct sync_flight flight = road->flights[i];
        road->flights[i] = road->flights[--road->flying];
        road->bytes -= flight.bytes;
        road->moved_ms = now_ms;
        land(sync, &flight, reason, now_ms);
        break;
    }
    ASSERT(sync_is_sane(sync));
}

int sync_lane_of(const struct sync *sync, enum sync_link link, uint32_t token)
{
    const struct sync_road *road = &sync->roads[link];
    for (unsigned i = 0; i < road->flying; i++)
        if (road->flights[i].token == token)
            return road->flights[i].lane;
    return -1;
}

/* ---- What next */

static bool has_room(const struct sync *sync, int which)
{
    const struct sync_lane *lane = &sync->lanes[which];
    enum sync_link link = sync_link_of((enum talk_lane)which);
    const struct sync_road *road = &sync->roads[link];
    if (road->flying + fetches_of(sync, link) >= SYNC_FLIGHTS)
        return false;
    if (which == LANE_TELEMETRY && lane->flying >= SYNC_FLIGHTS / 2)
        return false; /* the rest is for records */
    if (lane->probing && link == SYNC_BULK && lane->count > 0)
        return false;
    return lane->count < SYNC_BATCHES &&
           (lane->flying == 0 || road->bytes < SYNC_FLIGHT_BYTES);
}

static bool may_fetch(const struct sync *sync, int which, int64_t now_ms)
{
    const struct sync_lane *lane = &sync->lanes[which];
    bool up = sync->roads[sync_link_of((enum talk_lane)which)].up;
    return up && lane->known && lane->fetch == 0 && now_ms >= lane->pause_until_ms &&
           has_room(sync, which);
}

static void lose_patience(struct sync *sync, int64_t now_ms)
{
    for (int i = 0; i < LANES; i++) {
        struct sync_lane *lane = &sync->lanes[i];
        if (!lane->owed || now_ms - lane->owed_ms < lane->patience_ms)
            continue;
        lane->patience_ms = least(lane->patience_ms * 2, SYNC_PATIENCE_MOST_MS);
        lane->probing = true;
        go_back(lane);
    }
}

static bool step_cancel(struct sync *sync, struct sync_step *step)
{
    for (int i = 0; i < LANES; i++) {
        struct sync_lane *lane = &sync->lanes[i];
        if (lane->cancel == 0)
            continue;
        *step = (struct sync_step){
            .deed = SYNC_CANCEL, .lane = (enum talk_lane)i, .id = lane->cancel};
        lane->cancel = 0;
        return true;
    }
    return false;
}

static bool step_reset(struct sync *sync, struct sync_step *step, int64_t now_ms)
{
    for (int link = 0; link < SYNC_LINKS; link++) {
        struct sync_road *road = &sync->roads[link];
        if (road->flying == 0 || now_ms - road->moved_ms < SILENCE_MS[link])
            continue;
        road->moved_ms = now_ms;
        *step = (struct sync_step){.deed = SYNC_RESET, .link = (enum sync_link)link};
        return true;
    }
    return false;
}

static bool step_fetch(struct sync *sync, struct sync_step *step, int64_t now_ms)
{
    for (int i = 0; i < LANES; i++) {
        struct sync_lane *lane = &sync->lanes[i];
        if (!may_fetch(sync, i, now_ms))
            continue;
        if (++sync->last_id == 0)
            sync->last_id = 1;
        lane->fetch = sync->last_id;
        *step = (struct sync_step){.deed = SYNC_FETCH,
                                   .lane = (enum talk_lane)i,
                                   .link = sync_link_of((enum talk_lane)i),
                                   .id = lane->fetch,
                                   .from = lane->next};
        return true;
    }
    return false;
}

bool sync_step(struct sync *sync, struct sync_step *step, int64_t now_ms)
{
    lose_patience(sync, now_ms);
    bool more = step_cancel(sync, step) || step_reset(sync, step, now_ms) ||
                step_fetch(sync, step, now_ms);
    ASSERT(sync_is_sane(sync));
    return more;
}

static int64_t sooner(int64_t wait, int64_t until_ms, int64_t now_ms)
{
    int64_t ms = until_ms > now_ms ? until_ms - now_ms : 0;
    return wait < 0 || ms < wait ? ms : wait;
}

int64_t sync_wait_ms(const struct sync *sync, int64_t now_ms)
{
    int64_t wait = -1;
    for (int i = 0; i < LANES; i++) {
        const struct sync_lane *lane = &sync->lanes[i];
        if (lane->owed)
            wait = sooner(wait, lane->owed_ms + lane->patience_ms, now_ms);
        if (lane->pause_until_ms > now_ms)
            wait = sooner(wait, lane->pause_until_ms, now_ms);
    }
    for (int link = 0; link < SYNC_LINKS; link++)
        if (sync->roads[link].flying > 0)
            wait = sooner(wait, sync->roads[link].moved_ms + SILENCE_MS[link], now_ms);
    return wait;
}
