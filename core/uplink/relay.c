/* relay - see relay.h.
 *
 * Invariant: between two calls of the loop the sync engine has nothing left to do (settle()), and
 * `wait` runs exactly when it wants to be asked again.
 *
 * The bulk connection is only attempted while the alarm connection is up: receipts come over that
 * one. Nor is it while many alarms are under way: those that had to wait have the line for
 * themselves first. */
#include "uplink/relay.h"

#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/now.h"
#include "mqtt/mqtt.h"
#include "proof/base64.h"
#include "proof/checkpoint.h"
#include "proof/note.h"
#include "uplink/batch.h"
#include "uplink/keeperline.h"
#include "uplink/pace.h"
#include "uplink/settings.h"
#include "uplink/stall.h"
#include "uplink/status.h"
#include "uplink/sync.h"

enum {
    STATUS_MS = 60 * 1000,
    STATUS_LEAST_MS = 5 * 1000, /* between two for small changes */
    HEALTH_MS = 60 * 1000,
    LEAVE_MS = 1500,
    ALARMS_LOOK_MS = 100,
    ALARMS_FIRST_MS = 10 * 1000,
    SESSION_S = 7 * 24 * 3600,
    WILL_DELAY_S = 10
};

/* Of publishes that are not the sync engine's. */
enum { TOKEN_STATUS = 0x80000001u, TOKEN_CHECKPOINT, TOKEN_FAREWELL };

static const struct {
    int keepalive_s;
    int stall_ms;
} LINKS[SYNC_LINKS] = {
    [SYNC_ALARM] = {20, 5 * 1000},
    [SYNC_BULK] = {60, 15 * 1000},
};

struct relay {
    struct loop *loop;
    struct keeperline *keeper;
    struct mqtt *mqtt[SYNC_LINKS];
    struct sync sync;
    struct pace pace; /* of the bulk connection */
    struct stall stall;
    struct settings settings;
    struct status status;
    struct buffer will;
    struct buffer checkpoint; /* the newest note */
    struct buffer payload;    /* reused by every publish */
    struct buffer packed;     /* the same, made small */
    struct loop_timer wait, look, status_timer, health_timer, leave, alarms_first;
    int64_t alarms_since_ms; /* when the alarm connection came up */
    bool started, stopping, done;
    bool checkpoint_told;   /* the newest note was published on this connection */
    bool checkpoint_flying; /* one is without PUBACK; the newest waits */
    bool began; /* the city has begun anew; acted on when the keeper has the receipt */
    bool outage[SYNC_LINKS]; /* told in the log */
    int refusal[LANES];      /* the reason that was told in the log, 0 none */
    uint64_t sent;           /* events published */
    char root[64];
    char last_error[MQTT_WHY_ROOM + 40];
};

static int64_t mono_ms(void)
{
    return now_mono_us() / 1000;
}

static int link_of(const struct relay *relay, const struct mqtt *mqtt)
{
    return mqtt == relay->mqtt[SYNC_ALARM] ? SYNC_ALARM : SYNC_BULK;
}

/* ---- The sync engine's wishes */

static void fetch(struct relay *relay, const struct sync_step *step)
{
    size_t most = step->link == SYNC_ALARM ? SYNC_BATCH_BYTES
                                           : pace_batch(&relay->pace, SYNC_BATCH_BYTES);
    keeperline_fetch(relay->keeper, step->id, step->lane, step->from, (int64_t)most);
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < 0 || (b >= 0 && b < a) ? b : a;
}

static void settle(struct relay *relay)
{
    struct sync_step step;
    int64_t now_us = now_mono_us(), now = now_us / 1000;
    while (!relay->done && sync_step(&relay->sync, &step, now)) {
        if (step.deed == SYNC_FETCH) {
            if (step.link == SYNC_ALARM || !pace_holds(&relay->pace, &step, now_us))
                fetch(relay, &step);
        } else if (step.deed == SYNC_CANCEL) {
            if (!pace_drop(&relay->pace, step.id))
                keeperline_cancel(relay->keeper, step.id);
        } else {
            stall_silent(&relay->stall, step.link);
            mqtt_reset(relay->mqtt[step.link], "the broker does not acknowledge");
        }
    }
    while (pace_next(&relay->pace, &step, now_us))
        fetch(relay, &step);
    int64_t ms =
        sooner(sync_wait_ms(&relay->sync, now), pace_wait_ms(&relay->pace, now_us));
    if (ms >= 0 && !relay->done)
        loop_timer_start(relay->loop, &relay->wait, ms);
    else
        loop_timer_stop(&relay->wait);
}

static void wait_over(struct loop_timer *timer)
{
    settle(container_of(timer, struct relay, wait));
}

/* ---- Whether it comes to anything */

static void tell_stall(struct relay *relay)
{
    const struct stall *stall = &relay->stall;
    char why[TALK_STALL_MAX + 1];
    stall_why(stall, why);
    log_warn("lane %s is stalled: %s; the journal keeps everything, sending again",
             talk_lane_name(stall->lane), why);
    keeperline_stalled(relay->keeper, stall->lane, why);
}

static void look(struct relay *relay)
{
    enum stall_news news = stall_look(&relay->stall, mono_ms());
    if (news == STALL_BEGINS)
        tell_stall(relay);
    if (news == STALL_ENDS) {
        log_info("the city has what is sent again");
        keeperline_stalled(relay->keeper, relay->stall.lane, NULL);
    }
}

static void look_again(struct loop_timer *timer)
{
    struct relay *relay = container_of(timer, struct relay, look);
    look(relay);
    loop_timer_start(relay->loop, &relay->look, STALL_LOOK_MS);
}

/* ---- What is said about us */

static void take_state(struct relay *relay, bool online)
{
    relay->status.online = online;
    for (int lane = 0; lane < LANES; lane++)
        relay->status.synced[lane] = relay->sync.lanes[lane].mark;
}

static void publish_status(struct relay *relay, bool online, uint32_t token)
{
    struct mqtt_message message = {.topic = relay->settings.topics.status,
                                   .retain = true};
    take_state(relay, online);
    buffer_clear(&relay->payload);
    status_print(&relay->payload, &relay->settings, &relay->status);
    message.payload = relay->payload.bytes;
    message.length = relay->payload.length;
    message.content_type = "application/json";
    mqtt_publish(relay->mqtt[SYNC_ALARM], &message, token);
    loop_timer_start(relay->loop, &relay->status_timer, STATUS_MS);
}

static void status_due(struct loop_timer *timer)
{
    struct relay *relay = container_of(timer, struct relay, status_timer);
    if (mqtt_is_up(relay->mqtt[SYNC_ALARM]))
        publish_status(relay, true, TOKEN_STATUS);
}

/* Marks move many times a second during a drain; the city knows them anyhow. */
static void status_changed(struct relay *relay)
{
    if (mqtt_is_up(relay->mqtt[SYNC_ALARM]))
        loop_timer_start(relay->loop, &relay->status_timer, STATUS_LEAST_MS);
}

static void publish_checkpoint(struct relay *relay)
{
    struct mqtt_message message = {
        .topic = relay->settings.topics.checkpoint,
        .payload = relay->checkpoint.bytes,
        .length = relay->checkpoint.length,
        .retain = true,
        .content_type = "text/plain",
    };
    if (relay->checkpoint.length == 0 || relay->checkpoint_told ||
        relay->checkpoint_flying)
        return;
    if (mqtt_publish(relay->mqtt[SYNC_BULK], &message, TOKEN_CHECKPOINT) != 0)
        return;
    relay->checkpoint_told = relay->checkpoint_flying = true;
    pace_spend(&relay->pace, message.length, now_mono_us());
}

static void report_health(struct relay *relay)
{
    take_state(relay, mqtt_is_up(relay->mqtt[SYNC_ALARM]));
    buffer_clear(&relay->payload);
    status_print_health(&relay->payload, &relay->settings, &relay->status, relay->sent,
                        relay->last_error);
    keeperline_health(relay->keeper, buffer_text(&relay->payload));
    loop_timer_start(relay->loop, &relay->health_timer, HEALTH_MS);
}

static void health_due(struct loop_timer *timer)
{
    report_health(container_of(timer, struct relay, health_timer));
}

/* ---- The end */

static void finish(struct relay *relay)
{
    relay->done = true;
    loop_stop(relay->loop);
}

static void leave_now(struct loop_timer *timer)
{
    struct relay *relay = container_of(timer, struct relay, leave);
    for (int link = 0; link < SYNC_LINKS; link++)
        if (relay->mqtt[link] != NULL)
            mqtt_leave(relay->mqtt[link]);
    finish(relay);
}

/* ---- Alarms first */

static void alarms_looked_at(struct loop_timer *timer)
{
    struct relay *relay = container_of(timer, struct relay, alarms_first);
    bool many = relay->sync.lanes[LANE_ALARM].flying > 1;
    if (many && mono_ms() - relay->alarms_since_ms < ALARMS_FIRST_MS)
        loop_timer_start(relay->loop, &relay->alarms_first, ALARMS_LOOK_MS);
    else
        mqtt_hold(relay->mqtt[SYNC_BULK], false);
}

static void let_alarms_first(struct relay *relay)
{
    relay->alarms_since_ms = mono_ms();
    loop_timer_start(relay->loop, &relay->alarms_first, ALARMS_LOOK_MS);
}

/* ---- What the broker says */

static void link_up(void *owner, struct mqtt *mqtt)
{
    struct relay *relay = owner;
    int link = link_of(relay, mqtt);
    if (relay->outage[link])
        log_info("connected to the city again (%s)",
                 link == SYNC_ALARM ? "alarms" : "bulk");
    relay->outage[link] = false;
    if (link == SYNC_ALARM) {
        mqtt_subscribe(mqtt, relay->settings.topics.receipt);
        publish_status(relay, true, TOKEN_STATUS);
        let_alarms_first(relay);
        relay->last_error[0] = '\0';
    } else {
        relay->checkpoint_told = relay->checkpoint_flying = false;
        publish_checkpoint(relay);
        pace_anew(&relay->pace);
    }
    sync_up(&relay->sync, (enum sync_link)link, mono_ms());
    stall_link(&relay->stall, (enum sync_link)link, true, mono_ms());
    settle(relay);
    report_health(relay);
}

static void link_down(void *owner, struct mqtt *mqtt, const char *why)
{
    struct relay *relay = owner;
    int link = link_of(relay, mqtt);
    char broker[BROKER_TEXT_ROOM];
    broker_print(&relay->settings.broker, broker);
    snprintf(relay->last_error, sizeof(relay->last_error), "%s", why);
    if (!relay->outage[link])
        log_warn(
            "no connection to the city at %s (%s): %s; the journal keeps everything, "
            "trying again",
            broker, link == SYNC_ALARM ? "alarms" : "bulk", why);
    relay->outage[link] = true;
    sync_down(&relay->sync, (enum sync_link)link);
    stall_link(&relay->stall, (enum sync_link)link, false, mono_ms());
    if (link == SYNC_ALARM) {
        loop_timer_stop(&relay->alarms_first);
        mqtt_hold(relay->mqtt[SYNC_BULK], true);
    }
    if (relay->stopping) {
        loop_timer_start(relay->loop, &relay->leave, 0);
        return;
    }
    settle(relay);
    report_health(relay);
}

/* Once when a lane begins to be refused, not for every batch. */
static void tell_refusal(struct relay *relay, int lane, int reason)
{
    bool refused = reason >= MQTT_REFUSED || reason == MQTT_NOBODY;
    if (lane < 0 || relay->refusal[lane] == (refused ? reason : 0))
        return;
    relay->refusal[lane] = refused ? reason : 0;
    if (!refused)
        return;
    snprintf(relay->last_error, sizeof(relay->last_error), "%s: %s (0x%02x)",
             talk_lane_name((enum talk_lane)lane), mqtt_reason(reason), (unsigned)reason);
    log_warn("the broker did not deliver lane %s; it is sent again", relay->last_error);
    report_health(relay);
}

static void link_acked(void *owner, struct mqtt *mqtt, uint32_t token, int reason)
{
    struct relay *relay = owner;
    int link = link_of(relay, mqtt);
    if (token == TOKEN_FAREWELL)
        loop_timer_start(relay->loop, &relay->leave, 0);
    if (token == TOKEN_CHECKPOINT) {
        relay->checkpoint_flying = false;
        publish_checkpoint(relay);
    }
    if (token > SYNC_TOKEN_MOST)
        return;
    int lane = sync_lane_of(&relay->sync, (enum sync_link)link, token);
    tell_refusal(relay, lane, reason);
    if (lane >= 0)
        stall_acked(&relay->stall, (enum talk_lane)lane, reason,
                    relay->sync.lanes[lane].count > 0, mono_ms());
    if (link == SYNC_BULK)
        pace_acked(&relay->pace, token, now_mono_us());
    sync_acked(&relay->sync, (enum sync_link)link, token, reason, mono_ms());
    settle(relay);
    look(relay);
}

static bool says_began(const struct mqtt_message *message)
{
    for (size_t i = 0; i < message->users; i++)
        if (strcmp(message->user[i].name, "begin") == 0)
            return true;
    return false;
}

static void link_came(void *owner, struct mqtt *mqtt, const struct mqtt_message *message)
{
    struct relay *relay = owner;
    (void)mqtt;
    if (strcmp(message->topic, relay->settings.topics.receipt) != 0 ||
        message->length == 0 || message->length > NOTE_MAX)
        return;
    if (says_began(message))
        relay->began = true;
    keeperline_receipt(relay->keeper, message->payload, message->length);
}

static const struct mqtt_calls MQTT_CALLS = {
    .up = link_up, .down = link_down, .acked = link_acked, .came = link_came};

static void open_link(struct relay *relay, enum sync_link link)
{
    const struct settings *settings = &relay->settings;
    struct mqtt_options options = {
        .broker = &settings->broker,
        .client = settings->client[link],
        .ca = settings->ca,
        .cert = settings->cert[link],
        .key = settings->key[link],
        .username = settings->username,
        .password = settings->password,
        .keepalive_s = LINKS[link].keepalive_s,
        .stall_ms = LINKS[link].stall_ms,
        .session_s = SESSION_S,
    };
    if (link == SYNC_ALARM) {
        options.will_topic = settings->topics.status;
        options.will = buffer_text(&relay->will);
        options.will_delay_s = WILL_DELAY_S;
    }
    mqtt_open(&relay->mqtt[link], relay->loop, &options, &MQTT_CALLS, relay);
}

/* ---- What the keeper says */

static void keeper_start(void *owner, const void *config, size_t length)
{
    struct relay *relay = owner;
    char why[SETTINGS_WHY_ROOM];
    if (relay->started)
        return;
    if (settings_read(&relay->settings, config, length, why) != 0) {
        log_error("the configuration for the city cannot be used: %s; ending", why);
        finish(relay);
        return;
    }
    relay->started = true;
    pace_begin(&relay->pace, relay->settings.bandwidth);
    now_lift_floor(relay->settings.floor_us);
    relay->status.size = relay->settings.size;
    relay->status.root = relay->settings.root;
    status_print_will(&relay->will, &relay->settings);
    loop_timer_start(relay->loop, &relay->look, STALL_LOOK_MS);
    open_link(relay, SYNC_ALARM);
    open_link(relay, SYNC_BULK);
    mqtt_hold(relay->mqtt[SYNC_BULK], true);
}

static void keeper_mark(void *owner, enum talk_lane lane, int64_t seq)
{
    struct relay *relay = owner;
    const struct sync_lane *state = &relay->sync.lanes[lane];
    bool rises = state->known && seq > state->mark;
    sync_mark(&relay->sync, lane, seq, mono_ms());
    if (rises)
        stall_marked(&relay->stall, lane, state->count > state->waiting, mono_ms());
    look(relay);
    status_changed(relay);
    settle(relay);
}

static void keeper_checkpoint(void *owner, const void *note, size_t length)
{
    struct relay *relay = owner;
    struct checkpoint checkpoint;
    struct buffer root = {0};
    if (length > NOTE_MAX || checkpoint_read(&checkpoint, note, length, NULL) != 0) {
        log_error("the keeper sent a checkpoint that is none; the last one stays");
        return;
    }
    buffer_clear(&relay->checkpoint);
    buffer_append(&relay->checkpoint, note, length);
    base64_encode(&root, checkpoint.root.bytes, sizeof(checkpoint.root.bytes));
    snprintf(relay->root, sizeof(relay->root), "%s", buffer_text(&root));
    buffer_free(&root);
    relay->status.size = (int64_t)checkpoint.size;
    relay->status.root = relay->root;
    relay->checkpoint_told = false;
    publish_checkpoint(relay);
    status_changed(relay);
}

static void publish_batch(struct relay *relay, const struct sync_batch *batch,
                          const struct keeperline_entry *entries)
{
    char prev[24], last[24];
    snprintf(prev, sizeof(prev), "%lld", (long long)batch->prev);
    snprintf(last, sizeof(last), "%lld", (long long)batch->last);
    batch_begin(&relay->payload);
    for (unsigned i = 0; i < batch->count; i++)
        batch_add(&relay->payload, entries[i].body, entries[i].length);
    batch_end(&relay->payload);
    bool small = batch_pack(&relay->packed, &relay->payload, pace_is_wide(&relay->pace));
    struct mqtt_message message = {
        .topic = relay->settings.topics.lane[batch->lane],
        .payload = small ? relay->packed.bytes : relay->payload.bytes,
        .length = small ? relay->packed.length : relay->payload.length,
        .content_type = BATCH_CONTENT_TYPE,
        .users = small ? 5 : 4,
        .user = {{"log", relay->settings.log},
                 {"lane", talk_lane_name(batch->lane)},
                 {"prev", prev},
                 {"last", last},
                 {"content-encoding", "zstd"}},
    };
    /* When the library does not take it, the connection ends and the lane goes back to its mark. */
    if (mqtt_publish(relay->mqtt[batch->link], &message, batch->token) != 0)
        return;
    relay->sent += batch->count;
    if (batch->link == SYNC_BULK)
        pace_sent(&relay->pace, batch->token, message.length, now_mono_us());
}

static void keeper_events(void *owner, uint32_t id,
                          const struct keeperline_entry *entries, size_t count,
                          int64_t next)
{
    struct relay *relay = owner;
    struct sync_entry sizes[KEEPERLINE_ENTRIES];
    struct sync_batch batch;
    for (size_t i = 0; i < count; i++)
        sizes[i] = (struct sync_entry){entries[i].seq, entries[i].length};
    int publish = sync_take(&relay->sync, id, sizes, count, next, &batch, mono_ms());
    if (publish < 0) {
        log_error("the keeper sent events that were not asked for; ending");
        finish(relay);
    } else if (publish > 0) {
        if (pace_is_wide(&relay->pace))
            settle(relay); /* the keeper reads on while this is packed */
        publish_batch(relay, &batch, entries);
    }
    settle(relay);
}

static void keeper_receipted(void *owner)
{
    struct relay *relay = owner;
    if (!relay->began)
        return;
    relay->began = false;
    sync_began(&relay->sync, mono_ms());
    settle(relay);
}

static void keeper_stop(void *owner)
{
    struct relay *relay = owner;
    relay->stopping = true;
    bool up = relay->started && mqtt_is_up(relay->mqtt[SYNC_ALARM]);
    if (up)
        publish_status(relay, false, TOKEN_FAREWELL);
    loop_timer_start(relay->loop, &relay->leave, up ? LEAVE_MS : 0);
}

static void keeper_closed(void *owner)
{
    finish(owner);
}

static const struct keeperline_calls KEEPER_CALLS = {
    .start = keeper_start,
    .mark = keeper_mark,
    .checkpoint = keeper_checkpoint,
    .events = keeper_events,
    .receipted = keeper_receipted,
    .stop = keeper_stop,
    .closed = keeper_closed,
};

/* ---- Open and close */

int relay_open(struct relay **out, struct loop *loop, int fd)
{
    struct relay *relay = mem_new(struct relay);
    relay->loop = loop;
    relay->wait.fire = wait_over;
    relay->look.fire = look_again;
    relay->status_timer.fire = status_due;
    relay->health_timer.fire = health_due;
    relay->leave.fire = leave_now;
    relay->alarms_first.fire = alarms_looked_at;
    sync_begin(&relay->sync);
    stall_begin(&relay->stall, mono_ms());
    int err = keeperline_open(&relay->keeper, loop, fd, &KEEPER_CALLS, relay);
    if (err) {
        relay_close(relay);
        return err;
    }
    *out = relay;
    return 0;
}

void relay_close(struct relay *relay)
{
    if (relay == NULL)
        return;
    struct loop_timer *const timers[] = {&relay->wait,         &relay->look,
                                         &relay->status_timer, &relay->health_timer,
                                         &relay->leave,        &relay->alarms_first};
    for (size_t i = 0; i < countof(timers); i++)
        loop_timer_stop(timers[i]);
    for (int link = 0; link < SYNC_LINKS; link++)
        mqtt_close(relay->mqtt[link]);
    keeperline_close(relay->keeper);
    settings_free(&relay->settings);
    buffer_free(&relay->will);
    buffer_free(&relay->checkpoint);
    buffer_free(&relay->payload);
    buffer_free(&relay->packed);
    mem_free(relay);
}

int relay_verdict(const struct relay *relay)
{
    return relay->stopping ? 0 : 1;
}
