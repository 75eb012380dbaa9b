/* office - see office.h. Stands in for keeper/keeper.c and keeper/children/children.c: one child, one line.
 *
 * Invariant: while `keeper` is not NULL the keeper runs; `peer.line` is NULL while there is no
 * uplink. */
#include "office.h"

#include <errno.h>

#include "actor.h"
#include "base/base.h"
#include "base/mem.h"
#include "chance.h"
#include "checker.h"
#include "clock.h"
#include "disk.h"
#include "keeper/children/group.h"
#include "keeper/children/link.h"
#include "keeper/children/router.h"
#include "proof/base64.h"
#include "proof/checkpoint.h"
#include "storm.h"
#include "story.h"
#include "thread.h"
#include "turn.h"
#include "weather.h"
#include "wire/line.h"

#define CITY_KEY_PATH "/keys/outpost-city/city"

enum {
    SIGN_EVENTS = 10, /* as the upkeep does it: after so many, or after an alarm */
    UPLINK_AGAIN_MS = 1000
};

struct keeper {
    struct loop *loop;
    struct journal journal;
    struct group group;
    struct router router;
    struct link link;
    struct peer peer;
    struct key *key;
    struct buffer note; /* the newest checkpoint */
    struct loop_timer again;
};

static struct keeper *keeper;
static int boots;
static int64_t signed_size;

void office_begin(void)
{
    keeper = NULL;
    boots = 0;
    signed_size = 0;
    disk_begin();
    uplink_begin();
}

bool office_is_running(void)
{
    return keeper != NULL;
}

int64_t office_mark(enum talk_lane lane)
{
    return disk_mark(lane);
}

bool office_is_stalled(void)
{
    return keeper != NULL && keeper->link.stall[0] != '\0';
}

int64_t office_signed(void)
{
    return signed_size;
}

/* ---- Checkpoints */

static void sign(void)
{
    const struct ledger_log *log = ledger_newest();
    struct checkpoint checkpoint = {.suite = keeper->journal.suite,
                                    .size = (uint64_t)log->size};
    if (log->size == 0)
        return;
    checkpoint.root = log->events[log->size - 1].root;
    checkpoint_origin(checkpoint.origin, LEDGER_OFFICE, log->name);
    buffer_clear(&keeper->note);
    checkpoint_sign(&keeper->note, &checkpoint, keeper->key);
    signed_size = log->size;
}

static void tell_note(void)
{
    struct buffer frame = {0};
    if (keeper->peer.line == NULL || !keeper->peer.is_ready || keeper->note.length == 0)
        return;
    frame_begin(&frame, TALK_CHECKPOINT, 0);
    frame_put(&frame, TAG_TEXT, keeper->note.bytes, keeper->note.length);
    peer_send(&keeper->peer, &frame);
    buffer_free(&frame);
}

/* ---- The uplink's line */

static void print_start(struct buffer *out)
{
    buffer_printf(out,
                  "{\"office\":\"%s\",\"log\":\"%s\",\"version\":\"sim\",\"boot\":"
                  "\"boot-%d\",\"verifier_office\":\"%s+sim\",\"size\":%lld,"
                  "\"city\":{\"url\":\"mqtt://hub\"",
                  LEDGER_OFFICE, keeper->journal.log.log, boots, OFFICE_KEY,
                  (long long)signed_size);
    if (weather.bandwidth > 0)
        buffer_printf(out, ",\"bandwidth\":%lld", (long long)weather.bandwidth);
    buffer_append_text(out, "}}");
}

static int hear_hello(const struct frame *frame)
{
    struct buffer config = {0}, start = {0};
    keeper->peer.is_ready = true;
    print_start(&config);
    frame_begin(&start, TALK_START, frame->id);
    frame_put(&start, TAG_CONFIG, config.bytes, config.length);
    peer_send(&keeper->peer, &start);
    buffer_free(&config);
    buffer_free(&start);
    link_greet(&keeper->link, &keeper->peer);
    tell_note();
    return 0;
}

static int hear_fetch(const struct frame *frame)
{
    return router_fetch(&keeper->router, &keeper->peer, frame);
}

static int hear_cancel(const struct frame *frame)
{
    router_cancel(&keeper->router, &keeper->peer, frame->id);
    return 0;
}

static int hear_receipt(const struct frame *frame)
{
    return link_receipt(&keeper->link, &keeper->peer, frame);
}

static int hear_health(const struct frame *frame)
{
    (void)frame;
    return 0;
}

static int hear_stalled(const struct frame *frame)
{
    return link_stalled(&keeper->link, frame);
}

static int (*const HEAR[TALK_TYPES])(const struct frame *frame) = {
    [TALK_HELLO] = hear_hello,   [TALK_FETCH] = hear_fetch,
    [TALK_CANCEL] = hear_cancel, [TALK_RECEIPT] = hear_receipt,
    [TALK_HEALTH] = hear_health, [TALK_STALLED] = hear_stalled,
};

static void came(void *owner, struct line *line, const struct frame *frame)
{
    (void)owner;
    (void)line;
    int err = frame->type < TALK_TYPES && HEAR[frame->type] != NULL
                  ? HEAR[frame->type](frame)
                  : -EPROTO;
    if (err == -EPROTO || err == -ENOBUFS)
        checker_violated("the uplink says a frame of type %d that is not as agreed (%d)",
                         frame->type, err);
    else if (err)
        peer_end(&keeper->peer);
}

static void line_over(void *owner, struct line *line, int why)
{
    (void)owner;
    (void)why;
    router_forget(&keeper->router, &keeper->peer);
    group_forget(&keeper->group, &keeper->peer);
    link_forget(&keeper->link, &keeper->peer);
    line_close(line);
    keeper->peer.line = NULL;
    keeper->peer.is_ready = keeper->peer.is_ended = false;
    loop_timer_start(keeper->loop, &keeper->again, chance_between(1, UPLINK_AGAIN_MS));
}

static const struct line_calls CALLS = {came, line_over};

/* The child is the world's business: forking is no act of the keeper's memory. */
static void start_uplink(void *owner)
{
    (void)owner;
    uplink_start();
}

static void spawn(struct loop_timer *timer)
{
    (void)timer;
    thread_begin();
    int err = line_open(&keeper->peer.line, keeper->loop, THREAD_KEEPER_FD, &CALLS, NULL);
    ASSERT(err == 0);
    clock_after(0, ACTOR_WORLD, start_uplink, NULL);
}

/* ---- Life and death */

static void committed(void *owner, int err, bool had_alarm)
{
    (void)owner;
    link_committed(&keeper->link, err);
    if (err == 0) {
        router_wake(&keeper->router);
        if (had_alarm || keeper->journal.size - signed_size >= SIGN_EVENTS) {
            sign();
            tell_note();
        }
    } else if (err != -ENOSPC && err != -EBUSY) {
        loop_stop(keeper->loop);
    }
}

static void stopped(void *owner)
{
    (void)owner;
    if (keeper == NULL)
        return;
    story_say("the keeper does not know what is on its disk, and starts anew");
    storm_fell(ACTOR_KEEPER);
}

static void live(void *owner)
{
    (void)owner;
    keeper = mem_new(struct keeper);
    loop_open(&keeper->loop);
    disk_load(&keeper->journal);
    key_make(&keeper->key, keeper->journal.suite, OFFICE_KEY);
    group_open(&keeper->group, keeper->loop, &keeper->journal, committed, NULL);
    router_open(&keeper->router, &keeper->journal);
    link_open(&keeper->link, &keeper->journal, &keeper->group, CITY_KEY_PATH);
    keeper->peer = (struct peer){.role = PEER_UPLINK, .name = "uplink"};
    keeper->again.fire = spawn;
    sign();
    spawn(NULL);
}

void office_start(void)
{
    if (keeper != NULL)
        return;
    boots++;
    story_say("the keeper starts");
    turn_on_stop(ACTOR_KEEPER, stopped);
    actor_act(ACTOR_KEEPER, live, NULL);
}

void office_fell(bool silent)
{
    keeper = NULL;
    thread_begin();
    uplink_fell(silent);
    actor_wipe(ACTOR_KEEPER);
}

/* ---- What happens in the office */

struct wish {
    enum talk_lane lane;
    unsigned bytes;
    bool taken;
};

static void emit(void *owner)
{
    struct wish *wish = owner;
    if (group_enter(&keeper->group) != 0)
        return;
    wish->taken = disk_add(&keeper->journal, wish->lane, wish->bytes);
    keeper->group.has_alarm |= wish->taken && wish->lane == LANE_ALARM;
    group_ask(&keeper->group, 2, wish->lane == LANE_ALARM);
}

bool office_emit(enum talk_lane lane, unsigned bytes)
{
    struct wish wish = {lane, bytes, false};
    if (keeper != NULL)
        actor_act(ACTOR_KEEPER, emit, &wish);
    return wish.taken;
}

static void erase(void *owner)
{
    const unsigned *count = owner;
    disk_seal(&keeper->journal);
    disk_erase(*count);
}

void office_erase(unsigned count)
{
    if (keeper != NULL)
        actor_act(ACTOR_KEEPER, erase, &count);
}

static void tell_stop(void *owner)
{
    struct buffer frame = {0};
    (void)owner;
    if (keeper->peer.line == NULL || !keeper->peer.is_ready)
        return;
    frame_begin(&frame, TALK_STOP, 0);
    peer_send(&keeper->peer, &frame);
    buffer_free(&frame);
}

void office_stop_uplink(void)
{
    if (keeper != NULL)
        actor_act(ACTOR_KEEPER, tell_stop, NULL);
}

bool office_renew(void)
{
    office_fell(false);
    signed_size = 0;
    return disk_renew();
}
