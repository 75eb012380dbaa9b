/* mqtt - one MQTT 5 connection on the loop, tried again for ever.
 *
 * mqtt_open() begins to connect at the next turn of the loop; `up` says that the broker has accepted
 * the connection, `down` that it is over or that an attempt has failed (the text says why, for
 * people), and then the next attempt is already planned. Nothing of a connection outlives it: a
 * publish without `acked` before `down` may or may not have reached the broker.
 *
 * The calls come from the loop. They may publish and subscribe; they may not close the connection.
 * One thread. A program calls mqtt_begin() once before the first mqtt_open(). */
#ifndef MQTT_MQTT_H
#define MQTT_MQTT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "mqtt/broker.h"

enum {
    MQTT_FLIGHTS = 128, /* publishes without PUBACK */
    MQTT_USERS = 8,     /* user properties of a message; more are not told */
    MQTT_PACKET_MAX = 2 * 1024 * 1024, /* the broker is told to send no bigger one */
    MQTT_WHY_ROOM = 400                /* for who keeps what `down` is told */
};

/* The broker took the message but nobody subscribes to it; from MQTT_REFUSED on it did not. */
enum { MQTT_NOBODY = 0x10, MQTT_REFUSED = 0x80 };

struct mqtt;

/* Texts are borrowed until mqtt_close(). */
struct mqtt_options {
    const struct broker *broker;
    const char *client;              /* client id */
    const char *ca, *cert, *key;     /* PEM files; without `ca` those of the system */
    const char *username, *password; /* or NULL */
    int keepalive_s;
    int stall_ms;           /* give up when sent bytes are not acknowledged for so long */
    uint32_t session_s;     /* how long the broker keeps the session after a break */
    const char *will_topic; /* or NULL; the will is retained, QoS 1 */
    const char *will;
    uint32_t will_delay_s;
};

struct mqtt_user {
    const char *name;
    const char *value;
};

struct mqtt_message {
    const char *topic;
    const void *payload;
    size_t length;
    bool retain;
    const char *content_type; /* or NULL */
    size_t users;
    struct mqtt_user user[MQTT_USERS];
};

struct mqtt_calls {
    void (*up)(void *owner, struct mqtt *mqtt);
    void (*down)(void *owner, struct mqtt *mqtt, const char *why);
    void (*acked)(void *owner, struct mqtt *mqtt, uint32_t token, int reason);
    void (*came)(void *owner, struct mqtt *mqtt, const struct mqtt_message *message);
};

/* Makes the library ready; a broken pipe is an error code from here on, not a signal. */
void mqtt_begin(void);

void mqtt_open(struct mqtt **out, struct loop *loop, const struct mqtt_options *options,
               const struct mqtt_calls *calls, void *owner);
/* Closes at once; the broker publishes the will unless mqtt_leave() came first. */
void mqtt_close(struct mqtt *mqtt);

/* Says DISCONNECT, so that there is no will, and makes no further attempt. `down` is not called. */
void mqtt_leave(struct mqtt *mqtt);

/* While held no attempt to connect is made; a connection that is up stays. When it is let go an
 * attempt begins at once: whoever holds one connection until another is up has waited already. */
void mqtt_hold(struct mqtt *mqtt, bool held);

/* Ends a connection that is up, as if it had broken; `down` comes from the loop. */
void mqtt_reset(struct mqtt *mqtt, const char *why);

bool mqtt_is_up(const struct mqtt *mqtt);

/* Sends with QoS 1. `acked` will repeat `token`. -ENOTCONN, -ENOBUFS (too many under way), -EIO. */
int mqtt_publish(struct mqtt *mqtt, const struct mqtt_message *message, uint32_t token);

/* Subscribes with QoS 1; a refusal ends the connection. -ENOTCONN, -EIO. */
int mqtt_subscribe(struct mqtt *mqtt, const char *filter);

/* The MQTT 5 reason code in words. */
const char *mqtt_reason(int reason);

#endif
