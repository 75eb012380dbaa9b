/* cable - see cable.h.
 *
 * Invariant: a pipe has a ticket exactly when its first packet may move: the road is whole and the
 * broker, when it is for it, does not hang. */
#include "cable.h"

#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/mem.h"
#include "chance.h"
#include "clock.h"
#include "story.h"
#include "weather.h"

enum {
    PACKET_BYTES = 64,          /* what a packet weighs beside its letter */
    AGAIN_US = 3 * 1000 * 1000, /* TCP tries again after a cut, at most so much later */
    BULK_WEIGHT = 20            /* an event of the bulk road stands for so many */
};

struct node {
    struct packet packet;
    int64_t at_us;
    struct node *next;
};

struct pipe {
    struct node *first, *last;
    int64_t free_us; /* the sender's line is busy until then */
    int64_t last_us; /* the last arrival that was planned */
    uint64_t ticket;
};

struct cable {
    enum road road;
    enum actor actor;
    struct mqtt *client;
    bool open[CABLE_ENDS], reached;
    struct pipe pipes[CABLE_ENDS]; /* by the end they lead to */
    int64_t stall_us;
    uint64_t stall_ticket;
    struct cable *next;
};

static struct cable *cables;
static bool cut[ROADS], hangs;
static int64_t cut_since_us[ROADS];

static const struct {
    const char *name;
    enum actor actor;
} ROWS[ROADS] = {
    [ROAD_OFFICE_ALARM] = {"office-alarm", ACTOR_UPLINK},
    [ROAD_OFFICE_BULK] = {"office-bulk", ACTOR_UPLINK},
    [ROAD_CITY_ALARM] = {"city-alarm", ACTOR_CITY},
    [ROAD_CITY_BULK] = {"city-bulk", ACTOR_CITY},
};

void cable_begin(void)
{
    cables = NULL;
    hangs = false;
    memset(cut, 0, sizeof(cut));
}

enum road cable_road(const struct cable *cable)
{
    return cable->road;
}

bool cable_is_reached(const struct cable *cable)
{
    return cable->reached;
}

const char *cable_name(enum road road)
{
    return ROWS[road].name;
}

/* ---- Letters */

static void copy_text(char *out, size_t room, const char *text)
{
    int length = snprintf(out, room, "%s", text);
    ASSERT((size_t)length < room);
}

static bool is_bulk(const char *topic)
{
    return strstr(topic, "/up/record") != NULL || strstr(topic, "/up/telemetry") != NULL;
}

const struct letter *letter_new(const struct mqtt_message *message)
{
    struct letter *letter = actor_keep(NULL, sizeof(*letter));
    copy_text(letter->topic, sizeof(letter->topic), message->topic);
    letter->retain = message->retain;
    letter->users = message->users;
    for (size_t i = 0; i < message->users; i++) {
        copy_text(letter->user[i][0], LETTER_TEXT_ROOM, message->user[i].name);
        copy_text(letter->user[i][1], LETTER_TEXT_ROOM, message->user[i].value);
    }
    letter->length = message->length;
    letter->weight = message->length * (is_bulk(message->topic) ? BULK_WEIGHT : 1);
    letter->payload = actor_keep(message->payload, message->length);
    return letter;
}

void letter_open(const struct letter *letter, struct mqtt_message *message)
{
    *message = (struct mqtt_message){.topic = letter->topic,
                                     .payload = letter->payload,
                                     .length = letter->length,
                                     .users = letter->users};
    for (size_t i = 0; i < letter->users; i++)
        message->user[i] = (struct mqtt_user){letter->user[i][0], letter->user[i][1]};
}

/* ---- Packets on their way */

static void to_hub(void *owner);
static void to_client(void *owner);

static void arm(struct cable *cable, enum cable_end to)
{
    struct pipe *pipe = &cable->pipes[to];
    if (pipe->ticket != 0 || pipe->first == NULL || cut[cable->road] ||
        (to == CABLE_HUB && hangs))
        return;
    pipe->ticket = clock_at(pipe->first->at_us, ACTOR_WORLD,
                            to == CABLE_HUB ? to_hub : to_client, cable);
}

static void disarm(struct pipe *pipe)
{
    clock_cancel(pipe->ticket);
    pipe->ticket = 0;
}

static void check_stall(void *owner);

static void watch_stall(struct cable *cable)
{
    if (cable->stall_ticket == 0 && cut[cable->road] && cable->open[CABLE_CLIENT] &&
        cable->pipes[CABLE_HUB].first != NULL)
        cable->stall_ticket =
            clock_after(cable->stall_us, ACTOR_WORLD, check_stall, cable);
}

static void tell_stalled(void *owner)
{
    struct cable *cable = owner;
    mqtt_stalled(cable->client);
}

static void check_stall(void *owner)
{
    struct cable *cable = owner;
    cable->stall_ticket = 0;
    if (!cut[cable->road] || !cable->open[CABLE_CLIENT])
        return;
    if (clock_us() - cut_since_us[cable->road] >= cable->stall_us)
        actor_act(cable->actor, tell_stalled, cable);
    else
        watch_stall(cable);
}

void cable_send(struct cable *cable, enum cable_end to, const struct packet *packet,
                int64_t more_us)
{
    struct pipe *pipe = &cable->pipes[to];
    size_t weight = PACKET_BYTES + (packet->letter != NULL ? packet->letter->weight : 0);
    int64_t now = clock_us();
    if (pipe->free_us < now)
        pipe->free_us = now;
    pipe->free_us += (int64_t)weight * CLOCK_SECOND / weather.rate[cable->road];
    int64_t at = pipe->free_us + weather.latency_us[cable->road] + more_us +
                 chance_below((uint32_t)weather.jitter_us[cable->road] + 1);
    if (at <= pipe->last_us)
        at = pipe->last_us + 1;
    pipe->last_us = at;
    struct node *node = actor_keep(NULL, sizeof(*node));
    *node = (struct node){*packet, at, NULL};
    if (pipe->first == NULL)
        pipe->first = node;
    else
        pipe->last->next = node;
    pipe->last = node;
    arm(cable, to);
    if (to == CABLE_HUB)
        watch_stall(cable);
}

static void take(struct pipe *pipe, struct packet *packet)
{
    struct node *node = pipe->first;
    *packet = node->packet;
    pipe->first = node->next;
    pipe->ticket = 0;
    mem_free(node);
}

static void clear(struct pipe *pipe)
{
    struct packet packet;
    disarm(pipe);
    while (pipe->first != NULL)
        take(pipe, &packet);
}

/* What comes to an end that is not there is answered by the other host's kernel. */
static void bounce(struct cable *cable, enum cable_end from)
{
    static const struct packet END = {.kind = PACKET_END};
    if (cable->open[1 - from])
        cable_send(cable, 1 - from, &END, 0);
}

static void to_hub(void *owner)
{
    struct cable *cable = owner;
    struct packet packet;
    take(&cable->pipes[CABLE_HUB], &packet);
    if (packet.kind == PACKET_CONNECT && hub_accepts())
        cable->open[CABLE_HUB] = cable->reached = true;
    if (!cable->open[CABLE_HUB] || !hub_accepts())
        bounce(cable, CABLE_HUB);
    else if (packet.kind == PACKET_END)
        hub_lost(cable);
    else
        hub_hear(cable, &packet);
    arm(cable, CABLE_HUB);
}

struct delivery {
    struct cable *cable;
    struct packet packet;
};

static void deliver(void *owner)
{
    struct delivery *delivery = owner;
    mqtt_hear(delivery->cable->client, &delivery->packet);
}

static void to_client(void *owner)
{
    struct delivery delivery = {.cable = owner};
    struct cable *cable = owner;
    take(&cable->pipes[CABLE_CLIENT], &delivery.packet);
    if (!cable->open[CABLE_CLIENT]) {
        if (delivery.packet.kind != PACKET_END)
            bounce(cable, CABLE_CLIENT);
    } else {
        actor_act(cable->actor, deliver, &delivery);
    }
    arm(cable, CABLE_CLIENT);
}

/* ---- Connections */

struct cable *cable_open(enum road road, struct mqtt *client,
                         const struct packet *connect, int64_t stall_us)
{
    struct cable *cable = actor_keep(NULL, sizeof(*cable));
    cable->road = road;
    cable->actor = ROWS[road].actor;
    cable->client = client;
    cable->open[CABLE_CLIENT] = true;
    cable->stall_us = stall_us;
    cable->next = cables;
    cables = cable;
    cable_send(cable, CABLE_HUB, connect, 0);
    return cable;
}

void cable_close(struct cable *cable, enum cable_end end, bool silent)
{
    static const struct packet END = {.kind = PACKET_END};
    if (!cable->open[end])
        return;
    cable->open[end] = false;
    if (silent)
        clear(&cable->pipes[1 - end]);
    else
        cable_send(cable, 1 - end, &END, 0);
}

void cable_drop_client(enum road road, bool silent)
{
    for (struct cable *cable = cables; cable != NULL; cable = cable->next)
        if (cable->road == road)
            cable_close(cable, CABLE_CLIENT, silent);
}

void cable_cut(enum road road, bool now_cut)
{
    if (cut[road] == now_cut)
        return;
    cut[road] = now_cut;
    cut_since_us[road] = clock_us();
    story_say("%s is %s", ROWS[road].name, now_cut ? "cut" : "whole again");
    for (struct cable *cable = cables; cable != NULL; cable = cable->next) {
        if (cable->road != road)
            continue;
        for (int end = 0; end < CABLE_ENDS; end++) {
            struct pipe *pipe = &cable->pipes[end];
            disarm(pipe);
            if (!now_cut && pipe->first != NULL)
                pipe->first->at_us = clock_us() + chance_between(1, AGAIN_US);
            arm(cable, (enum cable_end)end);
        }
        watch_stall(cable);
    }
}

bool cable_is_cut(enum road road)
{
    return cut[road];
}

void cable_hang(bool now_hangs)
{
    hangs = now_hangs;
    for (struct cable *cable = cables; cable != NULL; cable = cable->next) {
        disarm(&cable->pipes[CABLE_HUB]);
        arm(cable, CABLE_HUB);
    }
}
