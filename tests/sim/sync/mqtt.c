/* mqtt - stands in for mqtt/mqtt.c: the same promises, over a simulated network (cable.h).
 *
 * As libmosquitto does, a message that came is acknowledged before the owner has seen it. */
#include "mqtt/mqtt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/mem.h"
#include "cable.h"
#include "chance.h"
#include "checker.h"
#include "clock.h"
#include "mqtt/retry.h"
#include "story.h"

enum { REACH_MAX_MS = 5000, CONNECT_MAX_MS = 15000 };

struct flight {
    int id;
    uint32_t token;
};

struct mqtt {
    struct loop *loop;
    struct mqtt_options options;
    const struct mqtt_calls *calls;
    void *owner;
    enum road road;
    struct cable *cable; /* NULL between attempts */
    bool up, over, held, pinged, waited, worked, turned_away;
    struct loop_timer retry, deadline, end, tick;
    int64_t up_since_us;
    struct retry patience;
    int last_id;
    size_t flight_count;
    struct flight flights[MQTT_FLIGHTS];
    char why[MQTT_WHY_ROOM];
};

void mqtt_begin(void)
{
}

static void give_up(struct mqtt *mqtt, const char *why)
{
    if (mqtt->over)
        return;
    mqtt->over = true;
    snprintf(mqtt->why, sizeof(mqtt->why), "%s", why);
    loop_timer_start(mqtt->loop, &mqtt->end, 0);
}

static void stop_all(struct mqtt *mqtt)
{
    loop_timer_stop(&mqtt->retry);
    loop_timer_stop(&mqtt->deadline);
    loop_timer_stop(&mqtt->end);
    loop_timer_stop(&mqtt->tick);
    if (mqtt->cable != NULL)
        cable_close(mqtt->cable, CABLE_CLIENT, false);
    mqtt->cable = NULL;
    mqtt->flight_count = 0;
}

static uint32_t retry_ms(struct mqtt *mqtt)
{
    enum retry_end end = RETRY_TURNED_AWAY;
    if (!cable_is_reached(mqtt->cable))
        end = RETRY_ABSENT;
    else if (mqtt->worked && !mqtt->turned_away)
        end = RETRY_BROKE;
    int64_t life_ms = mqtt->up ? (clock_us() - mqtt->up_since_us) / CLOCK_MS : 0;
    return retry_wait_ms(retry_bound_ms(&mqtt->patience, end, life_ms));
}

static void end_attempt(struct loop_timer *timer)
{
    struct mqtt *mqtt = container_of(timer, struct mqtt, end);
    uint32_t wait_ms = retry_ms(mqtt);
    stop_all(mqtt);
    mqtt->up = false;
    if (!mqtt->held)
        loop_timer_start(mqtt->loop, &mqtt->retry, wait_ms);
    story_say("%s is down: %s", cable_name(mqtt->road), mqtt->why);
    mqtt->calls->down(mqtt->owner, mqtt, mqtt->why);
}

static void too_late(struct loop_timer *timer)
{
    struct mqtt *mqtt = container_of(timer, struct mqtt, deadline);
    if (cable_is_reached(mqtt->cable) && !mqtt->waited) {
        mqtt->waited = true;
        loop_timer_start(mqtt->loop, &mqtt->deadline, CONNECT_MAX_MS);
        return;
    }
    give_up(mqtt, "no answer from the broker");
}

static void keep_alive(struct loop_timer *timer)
{
    static const struct packet PING = {.kind = PACKET_PING};
    struct mqtt *mqtt = container_of(timer, struct mqtt, tick);
    if (mqtt->pinged) {
        give_up(mqtt, "no answer to a ping");
        return;
    }
    mqtt->pinged = true;
    cable_send(mqtt->cable, CABLE_HUB, &PING, 0);
    loop_timer_start(mqtt->loop, &mqtt->tick, mqtt->options.keepalive_s * 1000);
}

static const struct letter *will_of(const struct mqtt_options *options)
{
    struct mqtt_message will = {.topic = options->will_topic, .retain = true};
    if (options->will_topic == NULL)
        return NULL;
    will.payload = options->will;
    will.length = strlen(options->will);
    return letter_new(&will);
}

static void begin_attempt(struct loop_timer *timer)
{
    struct mqtt *mqtt = container_of(timer, struct mqtt, retry);
    struct packet connect = {
        .kind = PACKET_CONNECT,
        .letter = will_of(&mqtt->options),
        .keepalive_us = (int64_t)mqtt->options.keepalive_s * CLOCK_SECOND,
        .will_us = (int64_t)mqtt->options.will_delay_s * CLOCK_SECOND};
    mqtt->up = mqtt->over = mqtt->pinged = false;
    mqtt->waited = mqtt->worked = mqtt->turned_away = false;
    mqtt->cable = cable_open(mqtt->road, mqtt, &connect,
                             (int64_t)mqtt->options.stall_ms * CLOCK_MS);
    loop_timer_start(mqtt->loop, &mqtt->deadline, REACH_MAX_MS);
}

/* ---- What comes */

static void came_connack(struct mqtt *mqtt, const struct packet *packet)
{
    if (packet->reason != 0) {
        mqtt->turned_away = true;
        give_up(mqtt, "the broker turns us away");
        return;
    }
    loop_timer_stop(&mqtt->deadline);
    loop_timer_start(mqtt->loop, &mqtt->tick, mqtt->options.keepalive_s * 1000);
    mqtt->up = true;
    mqtt->up_since_us = clock_us();
    story_say("%s is up", cable_name(mqtt->road));
    mqtt->calls->up(mqtt->owner, mqtt);
}

static void came_puback(struct mqtt *mqtt, const struct packet *packet)
{
    mqtt->worked |= packet->reason < MQTT_REFUSED;
    for (size_t i = 0; i < mqtt->flight_count; i++) {
        if (mqtt->flights[i].id != packet->id)
            continue;
        uint32_t token = mqtt->flights[i].token;
        mqtt->flights[i] = mqtt->flights[--mqtt->flight_count];
        mqtt->calls->acked(mqtt->owner, mqtt, token, packet->reason);
        return;
    }
}

static void came_publish(struct mqtt *mqtt, const struct packet *packet)
{
    struct packet puback = {.kind = PACKET_PUBACK, .id = packet->id};
    struct mqtt_message message;
    cable_send(mqtt->cable, CABLE_HUB, &puback, 0);
    letter_open(packet->letter, &message);
    message.retain = packet->retained;
    actor_risk();
    mqtt->calls->came(mqtt->owner, mqtt, &message);
}

void mqtt_hear(struct mqtt *mqtt, const struct packet *packet)
{
    if (mqtt->over)
        return;
    switch (packet->kind) {
    case PACKET_CONNACK:
        came_connack(mqtt, packet);
        break;
    case PACKET_PUBACK:
        came_puback(mqtt, packet);
        break;
    case PACKET_PUBLISH:
        came_publish(mqtt, packet);
        break;
    case PACKET_PONG:
        mqtt->pinged = false;
        break;
    case PACKET_END:
        give_up(mqtt, "the broker closed the connection");
        break;
    default:
        ASSERT(!"a packet for the broker");
    }
}

void mqtt_stalled(struct mqtt *mqtt)
{
    give_up(mqtt, "sent bytes stay unacknowledged");
}

/* ---- For the owner */

static enum road road_of(const char *client)
{
    for (int road = 0; road < ROADS; road++) {
        const char *name = strrchr(cable_name((enum road)road), '-');
        const char *end = strrchr(client, '-');
        bool city = strncmp(client, "outpost-city", 12) == 0;
        if (strcmp(name, end) == 0 && city == (road >= ROAD_CITY_ALARM))
            return (enum road)road;
    }
    ASSERT(!"a client id that is known");
    return ROADS;
}

void mqtt_open(struct mqtt **out, struct loop *loop, const struct mqtt_options *options,
               const struct mqtt_calls *calls, void *owner)
{
    struct mqtt *mqtt = mem_new(struct mqtt);
    mqtt->loop = loop;
    mqtt->options = *options;
    mqtt->calls = calls;
    mqtt->owner = owner;
    mqtt->road = road_of(options->client);
    mqtt->retry.fire = begin_attempt;
    mqtt->deadline.fire = too_late;
    mqtt->end.fire = end_attempt;
    mqtt->tick.fire = keep_alive;
    *out = mqtt;
    loop_timer_start(loop, &mqtt->retry, 0);
}

void mqtt_close(struct mqtt *mqtt)
{
    if (mqtt == NULL)
        return;
    stop_all(mqtt);
    mem_free(mqtt);
}

void mqtt_leave(struct mqtt *mqtt)
{
    static const struct packet DISCONNECT = {.kind = PACKET_DISCONNECT};
    if (mqtt_is_up(mqtt))
        cable_send(mqtt->cable, CABLE_HUB, &DISCONNECT, 0);
    stop_all(mqtt);
    mqtt->up = false;
    mqtt->held = true;
}

void mqtt_hold(struct mqtt *mqtt, bool held)
{
    mqtt->held = held;
    if (mqtt->cable != NULL)
        return;
    if (held)
        loop_timer_stop(&mqtt->retry);
    else if (!loop_timer_is_running(&mqtt->retry))
        loop_timer_start(mqtt->loop, &mqtt->retry, 0);
}

void mqtt_reset(struct mqtt *mqtt, const char *why)
{
    if (mqtt_is_up(mqtt))
        give_up(mqtt, why);
}

bool mqtt_is_up(const struct mqtt *mqtt)
{
    return mqtt != NULL && mqtt->up && !mqtt->over;
}

int mqtt_publish(struct mqtt *mqtt, const struct mqtt_message *message, uint32_t token)
{
    actor_risk();
    if (!mqtt_is_up(mqtt))
        return -ENOTCONN;
    if (mqtt->flight_count == MQTT_FLIGHTS)
        return -ENOBUFS;
    struct packet packet = {.kind = PACKET_PUBLISH, .id = ++mqtt->last_id};
    packet.letter = letter_new(message);
    mqtt->flights[mqtt->flight_count++] = (struct flight){packet.id, token};
    checker_published(mqtt->road, packet.letter, (unsigned)mqtt->flight_count);
    cable_send(mqtt->cable, CABLE_HUB, &packet, 0);
    return 0;
}

int mqtt_subscribe(struct mqtt *mqtt, const char *filter)
{
    if (!mqtt_is_up(mqtt))
        return -ENOTCONN;
    struct packet packet = {.kind = PACKET_SUBSCRIBE};
    packet.filter = actor_keep(filter, strlen(filter));
    cable_send(mqtt->cable, CABLE_HUB, &packet, 0);
    return 0;
}

const char *mqtt_reason(int reason)
{
    (void)reason;
    return "a reason";
}
