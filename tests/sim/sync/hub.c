/* hub - see hub.h.
 *
 * Invariant: a session whose `cable` is not NULL has everything under way on it that is in
 * `flights`; there is one session for each road, because each client has one id. */
#include "hub.h"

#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "chance.h"
#include "clock.h"
#include "story.h"
#include "weather.h"

enum {
    FILTERS = 4,
    FILTER_ROOM = 128,
    QUEUE = 4096,
    FLIGHTS = 20, /* mosquitto's default */
    RETAINED = 8,
    RECEIPTS = 16, /* old ones that may be told again */
    TURNED_AWAY = 0x88
};

struct session {
    enum road road;
    struct cable *cable; /* NULL while its client is not there */
    unsigned filters;
    char filter[FILTERS][FILTER_ROOM]; /* without $share/GROUP/ */
    unsigned first, count;
    const struct letter *queue[QUEUE]; /* a ring */
    unsigned flying;
    struct {
        int id;
        const struct letter *letter;
    } flights[FLIGHTS];
    int last_id;
    int64_t keepalive_us, heard_us;
    uint64_t lapse; /* closes a connection that says nothing */
    const struct letter *will;
    int64_t will_us;
    uint64_t will_ticket;
};

static struct session sessions[ROADS];
static const struct letter *retained[RETAINED];
static const struct letter *receipts[RECEIPTS];
static unsigned receipt_count;
static bool running;

void hub_begin(void)
{
    for (int road = 0; road < ROADS; road++) {
        sessions[road] = (struct session){.road = (enum road)road};
        sessions[road].cable = NULL;
    }
    memset(retained, 0, sizeof(retained));
    receipt_count = 0;
    running = true;
}

bool hub_accepts(void)
{
    return running;
}

unsigned hub_waiting(enum road road)
{
    return sessions[road].count + sessions[road].flying;
}

/* ---- Topics */

static bool matches(const char *filter, const char *topic)
{
    while (*filter != '\0' && *topic != '\0') {
        if (*filter == '+') {
            filter++;
            topic += strcspn(topic, "/");
        } else if (*filter++ != *topic++) {
            return false;
        }
    }
    return *filter == '\0' && *topic == '\0';
}

static bool wants(const struct session *session, const struct letter *letter)
{
    for (unsigned i = 0; i < session->filters; i++)
        if (matches(session->filter[i], letter->topic))
            return true;
    return false;
}

static bool is_receipt(const struct letter *letter)
{
    return strstr(letter->topic, "/down/receipt") != NULL;
}

static void retain(const struct letter *letter)
{
    for (int i = 0; i < RETAINED; i++)
        if (retained[i] == NULL || strcmp(retained[i]->topic, letter->topic) == 0) {
            retained[i] = letter;
            return;
        }
    ASSERT(!"more topics are retained than there are");
}

/* ---- Out to a client */

static void send_letter(struct session *session, int id, const struct letter *letter)
{
    struct packet packet = {.kind = PACKET_PUBLISH, .id = id, .letter = letter};
    int64_t service =
        weather.service_us > 0 ? chance_below((uint32_t)weather.service_us) : 0;
    cable_send(session->cable, CABLE_CLIENT, &packet, service);
}

static void pump(struct session *session)
{
    while (session->cable != NULL && session->flying < FLIGHTS && session->count > 0) {
        const struct letter *letter = session->queue[session->first];
        session->first = (session->first + 1) % QUEUE;
        session->count--;
        int id = ++session->last_id;
        session->flights[session->flying].id = id;
        session->flights[session->flying++].letter = letter;
        send_letter(session, id, letter);
    }
}

static void enqueue(struct session *session, const struct letter *letter)
{
    if (session->count >= weather.queue_most || session->count == QUEUE) {
        story_say("the broker drops %s: the queue of %s is full", letter->topic,
                  cable_name(session->road));
        return;
    }
    unsigned last = (session->first + session->count++) % QUEUE;
    session->queue[last] = letter;
    if (session->count > 1 && chance_is(weather.reorder)) {
        unsigned before = (last + QUEUE - 1) % QUEUE;
        session->queue[last] = session->queue[before];
        session->queue[before] = letter;
    }
}

static unsigned route(const struct letter *letter)
{
    unsigned count = 0;
    for (int road = 0; road < ROADS; road++) {
        struct session *session = &sessions[road];
        if (!wants(session, letter))
            continue;
        count++;
        enqueue(session, letter);
        if (chance_is(weather.duplicate))
            enqueue(session, letter);
        if (is_receipt(letter) && receipt_count > 0 && chance_is(weather.replay))
            enqueue(session, receipts[chance_below(
                                 receipt_count < RECEIPTS ? receipt_count : RECEIPTS)]);
        pump(session);
    }
    return count;
}

/* ---- Connections */

static void publish_will(void *owner)
{
    struct session *session = owner;
    const struct letter *will = session->will;
    session->will_ticket = 0;
    session->will = NULL;
    if (!running || will == NULL)
        return;
    retain(will);
    route(will);
}

static void part(struct session *session)
{
    session->cable = NULL;
    clock_cancel(session->lapse);
    if (session->will != NULL)
        session->will_ticket =
            clock_after(session->will_us, ACTOR_WORLD, publish_will, session);
}

static void check_lapse(void *owner)
{
    struct session *session = owner;
    int64_t most = session->keepalive_us * 3 / 2;
    int64_t silent = clock_us() - session->heard_us;
    if (silent < most) {
        session->lapse = clock_after(most - silent, ACTOR_WORLD, check_lapse, session);
        return;
    }
    story_say("the broker has not heard %s for too long", cable_name(session->road));
    struct cable *cable = session->cable;
    part(session);
    cable_close(cable, CABLE_HUB, false);
}

static void send_again(struct session *session)
{
    for (unsigned i = 0; i < session->flying; i++)
        send_letter(session, session->flights[i].id, session->flights[i].letter);
}

static void hear_connect(struct session *session, struct cable *cable,
                         const struct packet *packet)
{
    struct packet connack = {.kind = PACKET_CONNACK};
    if (chance_is(weather.turn_away)) {
        connack.reason = TURNED_AWAY;
        cable_send(cable, CABLE_CLIENT, &connack, 0);
        return;
    }
    if (session->cable != NULL) {
        struct cable *old = session->cable;
        part(session);
        cable_close(old, CABLE_HUB, false);
    }
    clock_cancel(session->will_ticket);
    session->will_ticket = 0;
    session->cable = cable;
    session->will = packet->letter;
    session->will_us = packet->will_us;
    session->keepalive_us = packet->keepalive_us;
    session->heard_us = clock_us();
    session->lapse =
        clock_after(session->keepalive_us * 3 / 2, ACTOR_WORLD, check_lapse, session);
    cable_send(cable, CABLE_CLIENT, &connack, 0);
    send_again(session);
    pump(session);
}

static void hear_subscribe(struct session *session, const char *filter)
{
    bool shared = strncmp(filter, "$share/", 7) == 0;
    const char *plain = shared ? strchr(filter + 7, '/') + 1 : filter;
    bool known = false;
    for (unsigned i = 0; i < session->filters; i++)
        known |= strcmp(session->filter[i], plain) == 0;
    if (!known) {
        ASSERT(session->filters < FILTERS);
        snprintf(session->filter[session->filters++], FILTER_ROOM, "%s", plain);
    }
    for (int i = 0; i < RETAINED && !shared; i++)
        if (retained[i] != NULL && matches(plain, retained[i]->topic))
            enqueue(session, retained[i]);
    pump(session);
}

static int refusal(void)
{
    static const int REASONS[] = {0x80, 0x83, 0x87, 0x90, 0x97, 0x99};
    return REASONS[chance_below(countof(REASONS))];
}

static int take_publish(enum road from, const struct letter *letter)
{
    bool is_office = from <= ROAD_OFFICE_BULK;
    if (chance_is(weather.refuse) || (is_office && chance_is(weather.refuse_office)))
        return refusal();
    if (chance_is(weather.lose)) {
        story_say("the broker acknowledges %s and loses it", letter->topic);
        return 0;
    }
    if (letter->retain)
        retain(letter);
    unsigned reached = route(letter);
    if (is_receipt(letter))
        receipts[receipt_count++ % RECEIPTS] = letter;
    return reached == 0 ? MQTT_NOBODY : 0;
}

static void hear_publish(struct session *session, const struct packet *packet)
{
    struct packet puback = {.kind = PACKET_PUBACK, .id = packet->id};
    int64_t service =
        weather.service_us > 0 ? chance_below((uint32_t)weather.service_us) : 0;
    puback.reason = take_publish(session->road, packet->letter);
    cable_send(session->cable, CABLE_CLIENT, &puback, service);
}

static void hear_puback(struct session *session, int id)
{
    for (unsigned i = 0; i < session->flying; i++) {
        if (session->flights[i].id != id)
            continue;
        session->flying--;
        memmove(&session->flights[i], &session->flights[i + 1],
                (session->flying - i) * sizeof(session->flights[0]));
        break;
    }
    pump(session);
}

void hub_hear(struct cable *cable, const struct packet *packet)
{
    static const struct packet PONG = {.kind = PACKET_PONG};
    struct session *session = &sessions[cable_road(cable)];
    session->heard_us = clock_us();
    if (packet->kind == PACKET_CONNECT) {
        hear_connect(session, cable, packet);
        return;
    }
    if (session->cable != cable)
        return; /* of a connection that was turned away */
    switch (packet->kind) {
    case PACKET_SUBSCRIBE:
        hear_subscribe(session, packet->filter);
        break;
    case PACKET_PUBLISH:
        hear_publish(session, packet);
        break;
    case PACKET_PUBACK:
        hear_puback(session, packet->id);
        break;
    case PACKET_PING:
        cable_send(cable, CABLE_CLIENT, &PONG, 0);
        break;
    case PACKET_DISCONNECT:
        session->will = NULL;
        break;
    default:
        ASSERT(!"a packet for a client");
    }
}

void hub_lost(struct cable *cable)
{
    struct session *session = &sessions[cable_road(cable)];
    cable_close(cable, CABLE_HUB, true);
    if (session->cable == cable)
        part(session);
}

/* ---- Death and life */

void hub_crash(const struct hub_loss *loss)
{
    story_say("the broker crashes%s%s%s%s", loss->queues ? ", loses queues" : "",
              loss->sessions ? ", loses sessions" : "",
              loss->retained ? ", loses what it retained" : "",
              loss->silent ? ", and does not say so" : "");
    running = false;
    for (int road = 0; road < ROADS; road++) {
        struct session *session = &sessions[road];
        clock_cancel(session->will_ticket);
        session->will_ticket = 0;
        session->will = NULL;
        if (session->cable != NULL)
            cable_close(session->cable, CABLE_HUB, loss->silent);
        clock_cancel(session->lapse);
        session->cable = NULL;
        if (loss->queues || loss->sessions)
            session->count = session->flying = 0;
        if (loss->sessions)
            session->filters = 0;
    }
    if (loss->retained)
        memset(retained, 0, sizeof(retained));
}

void hub_start(void)
{
    if (!running)
        story_say("the broker is back");
    running = true;
}
