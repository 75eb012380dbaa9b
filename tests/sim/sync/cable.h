/* cable - the network: one TCP connection each between a client and the broker.
 *
 * What is sent comes in order, after the road's latency and at its rate. A road that is cut holds
 * everything back; when it is whole again what was under way still comes, unless somebody has given
 * up meanwhile. An end that is closed is told to the other one, or (silently: power cut, pulled
 * plug) is noticed when the other one next sends. */
#ifndef SIM_CABLE_H
#define SIM_CABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "actor.h"
#include "mqtt/mqtt.h"

enum road { ROAD_OFFICE_ALARM, ROAD_OFFICE_BULK, ROAD_CITY_ALARM, ROAD_CITY_BULK, ROADS };

enum cable_end { CABLE_HUB, CABLE_CLIENT, CABLE_ENDS };

enum packet_kind {
    PACKET_CONNECT,
    PACKET_CONNACK,
    PACKET_SUBSCRIBE,
    PACKET_PUBLISH,
    PACKET_PUBACK,
    PACKET_PING,
    PACKET_PONG,
    PACKET_DISCONNECT,
    PACKET_END /* the other end is closed */
};

enum { LETTER_TOPIC_ROOM = 96, LETTER_TEXT_ROOM = 32 };

/* A message as it travels; belongs to the world and never changes. */
struct letter {
    char topic[LETTER_TOPIC_ROOM];
    bool retain;
    size_t users;
    char user[MQTT_USERS][2][LETTER_TEXT_ROOM];
    size_t length;
    size_t weight; /* bytes, as far as the network is concerned */
    const char *payload;
};

struct packet {
    enum packet_kind kind;
    int id;
    int reason;
    int64_t keepalive_us;        /* of CONNECT */
    int64_t will_us;             /* delay of the will */
    bool retained;               /* a PUBLISH because of a subscription */
    const struct letter *letter; /* PUBLISH; the will of CONNECT, or NULL */
    const char *filter;          /* of SUBSCRIBE */
};

struct cable;

void cable_begin(void);

/* The client's new connection; CONNECT is on its way. */
struct cable *cable_open(enum road road, struct mqtt *client,
                         const struct packet *connect, int64_t stall_us);
/* The broker's machine has taken the connection. */
bool cable_is_reached(const struct cable *cable);
enum road cable_road(const struct cable *cable);
const char *cable_name(enum road road);

/* Towards that end, after `more_us` in addition. Into a closed end is fine. */
void cable_send(struct cable *cable, enum cable_end to, const struct packet *packet,
                int64_t more_us);
/* This end is no more. */
void cable_close(struct cable *cable, enum cable_end end, bool silent);
/* The same for every connection of that road, when its client has died. */
void cable_drop_client(enum road road, bool silent);

void cable_cut(enum road road, bool cut);
bool cable_is_cut(enum road road);
/* The broker takes nothing for a while: it hangs. */
void cable_hang(bool hang);

/* What the two ends make of it. */
void mqtt_hear(struct mqtt *mqtt, const struct packet *packet);
void mqtt_stalled(struct mqtt *mqtt);
bool hub_accepts(void);
void hub_hear(struct cable *cable, const struct packet *packet);
void hub_lost(struct cable *cable);

const struct letter *letter_new(const struct mqtt_message *message);
/* As the product gets it; borrows from the letter. */
void letter_open(const struct letter *letter, struct mqtt_message *message);

#endif
