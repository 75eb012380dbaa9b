/* mqtt - see mqtt.h and README.md. The door to libmosquitto.
 *
 * Invariant: `mosq` is NULL between attempts; each attempt makes a new one, so that nothing the
 * library kept from an old connection is sent on a new one.
 *
 * Rule of this file: the library's callbacks only note and call the owner. A connection ends in
 * end_attempt(), which runs from the loop alone, never below a library call; whoever else finds
 * out that it is over says so with give_up(). */
#include "mqtt/mqtt.h"

#include <errno.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/mem.h"
#include "base/now.h"
#include "mqtt/flights.h"
#include "mqtt/lookup.h"
#include "mqtt/retry.h"
#include "mqtt/tcp.h"
#include "mqtt/tls.h"

enum {
    REACH_MAX_MS = 5000,    /* from the attempt to the TCP connection */
    CONNECT_MAX_MS = 15000, /* from there to the CONNACK */
    HANDSHAKE_TICK_MS = 50,
    TICK_MS = 5000,
    READS_PER_TURN = 8
};

struct mqtt {
    struct loop *loop;
    struct mqtt_options options;
    const struct mqtt_calls *calls;
    void *owner;
    struct mosquitto *mosq;
    struct tls *tls; /* of this attempt, or NULL */
    struct loop_watch watch;
    int watched_fd; /* -1: none */
    bool watched_write;
    struct loop_timer retry;    /* until the next attempt */
    struct loop_timer tick;     /* the library's own keep-alive */
    struct lookup lookup;       /* before the library is let at the name */
    struct loop_timer deadline; /* of the attempt */
    struct loop_timer end;      /* fires at once after give_up() */
    struct loop_timer more;     /* fires at once when TLS may hold unread packets */
    bool reached;               /* the TCP connection is there */
    bool up;
    bool over;
    bool held;
    bool inside;    /* a library call is running */
    unsigned heard; /* packets that the library has told of */
    int64_t up_since_ms;
    enum retry_end ending; /* what it will have been when it ends */
    struct retry patience;
    struct flights flights;
    char why[TLS_WHY_ROOM];
};

void mqtt_begin(void)
{
    signal(SIGPIPE, SIG_IGN); /* libmosquitto 2.0.11 leaves that to us */
    int rc = mosquitto_lib_init();
    ASSERT(rc == MOSQ_ERR_SUCCESS);
}

/* The first reason is the true one: what follows is the library tidying up. */
static void give_up(struct mqtt *mqtt, const char *why)
{
    if (mqtt->over)
        return;
    mqtt->over = true;
    if (mqtt->why[0] == '\0')
        snprintf(mqtt->why, sizeof(mqtt->why), "%s", why);
    loop_timer_start(mqtt->loop, &mqtt->end, 0);
}

static void give_up_on(struct mqtt *mqtt, int rc)
{
    char why[MQTT_WHY_ROOM];
    if (rc == MOSQ_ERR_EAI)
        snprintf(why, sizeof(why), "the name %.100s cannot be resolved",
                 mqtt->options.broker->host);
    else if (rc == MOSQ_ERR_ERRNO && errno == EPROTO) /* so it calls TLS that broke off */
        snprintf(why, sizeof(why), "the broker broke off without a word");
    else
        snprintf(why, sizeof(why), "%s",
                 rc == MOSQ_ERR_ERRNO ? strerror(errno) : mosquitto_strerror(rc));
    give_up(mqtt, why);
}

/* ---- What the library tells */

static void told_log(struct mosquitto *mosq, void *owner, int level, const char *text)
{
    struct mqtt *mqtt = owner;
    (void)mosq;
    if (level == MOSQ_LOG_ERR && mqtt->why[0] == '\0')
        snprintf(mqtt->why, sizeof(mqtt->why), "%s", text);
}

static void told_connect(struct mosquitto *mosq, void *owner, int reason, int flags,
                         const mosquitto_property *properties)
{
    struct mqtt *mqtt = owner;
    (void)mosq;
    (void)flags;
    (void)properties;
    mqtt->heard++;
    if (reason != 0) {
        give_up(mqtt, mosquitto_reason_string(reason));
        return;
    }
    loop_timer_stop(&mqtt->deadline);
    mqtt->up = true;
    mqtt->up_since_ms = now_mono_us() / 1000;
    mqtt->calls->up(mqtt->owner, mqtt);
}

static void told_disconnect(struct mosquitto *mosq, void *owner, int reason,
                            const mosquitto_property *properties)
{
    struct mqtt *mqtt = owner;
    (void)mosq;
    (void)properties;
    if (reason >= MQTT_REFUSED && reason != MQTT_RC_SERVER_SHUTTING_DOWN)
        mqtt->ending = RETRY_TURNED_AWAY;
    give_up(mqtt, reason < MQTT_REFUSED ? "the broker closed the connection"
                                        : mosquitto_reason_string(reason));
}

static void told_publish(struct mosquitto *mosq, void *owner, int mid, int reason,
                         const mosquitto_property *properties)
{
    struct mqtt *mqtt = owner;
    uint32_t token;
    (void)mosq;
    (void)properties;
    mqtt->heard++;
    if (reason < MQTT_REFUSED && !mqtt->over)
        mqtt->ending = RETRY_BROKE;
    if (flights_take(&mqtt->flights, mid, &token) && !mqtt->over)
        mqtt->calls->acked(mqtt->owner, mqtt, token, reason);
}

static void told_subscribe(struct mosquitto *mosq, void *owner, int mid, int count,
                           const int *granted, const mosquitto_property *properties)
{
    struct mqtt *mqtt = owner;
    (void)mosq;
    (void)mid;
    (void)properties;
    mqtt->heard++;
    if (!mqtt->over)
        mqtt->ending = RETRY_BROKE;
    for (int i = 0; i < count; i++) {
        if (granted[i] < MQTT_REFUSED)
            continue;
        mqtt->ending = RETRY_TURNED_AWAY;
        give_up(mqtt, "the broker refused a subscription; check its access list");
    }
}

static void take_users(struct mqtt_message *message, const mosquitto_property *properties)
{
    char *name = NULL, *value = NULL;
    const mosquitto_property *at = mosquitto_property_read_string_pair(
        properties, MQTT_PROP_USER_PROPERTY, &name, &value, false);
    while (at != NULL && message->users < MQTT_USERS) {
        message->user[message->users++] = (struct mqtt_user){name, value};
        name = value = NULL;
        at = mosquitto_property_read_string_pair(at, MQTT_PROP_USER_PROPERTY, &name,
                                                 &value, true);
    }
    free(name);
    free(value);
}

static void told_message(struct mosquitto *mosq, void *owner,
                         const struct mosquitto_message *came,
                         const mosquitto_property *properties)
{
    struct mqtt *mqtt = owner;
    (void)mosq;
    mqtt->heard++;
    if (mqtt->over)
        return;
    struct mqtt_message message = {
        .topic = came->topic,
        .payload = came->payload,
        .length = (size_t)came->payloadlen,
        .retain = came->retain,
    };
    char *type = NULL;
    mosquitto_property_read_string(properties, MQTT_PROP_CONTENT_TYPE, &type, false);
    message.content_type = type;
    take_users(&message, properties);
    mqtt->calls->came(mqtt->owner, mqtt, &message);
    free(type);
    for (size_t i = 0; i < message.users; i++) {
        free((char *)message.user[i].name);
        free((char *)message.user[i].value);
    }
}

/* ---- The socket, watched as the library wants it */

static void enter(struct mqtt *mqtt)
{
    mqtt->inside = true;
    tls_forget_errors();
}

/* During a TLS handshake the library wants to write all the time: it is driven by what comes and
 * by a short tick instead, or the loop would spin. */
static bool wants_write(const struct mqtt *mqtt)
{
    if (!mqtt->reached)
        return true;
    if (mqtt->options.broker->tls && !mqtt->up)
        return false;
    return mosquitto_want_write(mqtt->mosq);
}

static void watch_again(struct mqtt *mqtt)
{
    int fd = mosquitto_socket(mqtt->mosq);
    bool write = fd >= 0 && wants_write(mqtt);
    if (fd == mqtt->watched_fd && write == mqtt->watched_write)
        return;
    mqtt->watched_fd = fd;
    mqtt->watched_write = write;
    if (fd >= 0)
        loop_watch_start(mqtt->loop, &mqtt->watch, fd, true, write);
    else
        loop_watch_stop(&mqtt->watch);
}

/* After every library call: send what it has queued, watch what it waits for now. */
static void settle(struct mqtt *mqtt, int rc)
{
    if (rc == MOSQ_ERR_SUCCESS && mqtt->reached && mosquitto_want_write(mqtt->mosq))
        rc = mosquitto_loop_write(mqtt->mosq, 1);
    mqtt->inside = false;
    if (rc != MOSQ_ERR_SUCCESS)
        give_up_on(mqtt, rc);
    if (mosquitto_socket(mqtt->mosq) < 0)
        give_up(mqtt, "the connection is gone");
    watch_again(mqtt);
}

/* libmosquitto takes one packet a call when nothing is under way. Under TLS a whole packet may
 * wait inside the TLS library where the loop cannot see it: read until two calls brought nothing,
 * and when the turn ends before that, go on in the next. */
static int read_some(struct mqtt *mqtt)
{
    int silent = 0;
    int rc = MOSQ_ERR_SUCCESS;
    bool tls = mqtt->options.broker->tls;
    int enough = tls ? 2 : 1;
    for (int i = 0; i < READS_PER_TURN && silent < enough && rc == MOSQ_ERR_SUCCESS;
         i++) {
        unsigned heard = mqtt->heard;
        rc = mosquitto_loop_read(mqtt->mosq, READS_PER_TURN);
        if (mqtt->heard == heard)
            silent++;
    }
    if (tls && silent < enough)
        loop_timer_start(mqtt->loop, &mqtt->more, 0);
    return rc;
}

static void note_reached(struct mqtt *mqtt)
{
    if (mqtt->reached || !tcp_is_connected(mqtt->watched_fd))
        return;
    mqtt->reached = true;
    mqtt->ending = RETRY_TURNED_AWAY; /* until it has taken something */
    loop_timer_start(mqtt->loop, &mqtt->deadline, CONNECT_MAX_MS);
}

static void ready(struct loop_watch *watch, bool readable, bool writable)
{
    struct mqtt *mqtt = container_of(watch, struct mqtt, watch);
    int rc = MOSQ_ERR_SUCCESS;
    if (mqtt->over)
        return;
    enter(mqtt);
    if (writable) {
        note_reached(mqtt);
        rc = mosquitto_loop_write(mqtt->mosq, 1);
    }
    if (readable && rc == MOSQ_ERR_SUCCESS)
        rc = read_some(mqtt);
    settle(mqtt, rc);
    if (readable)
        tcp_acknowledge_now(mqtt->watched_fd);
}

static void read_more(struct loop_timer *timer)
{
    ready(&container_of(timer, struct mqtt, more)->watch, true, false);
}

static void tick(struct loop_timer *timer)
{
    struct mqtt *mqtt = container_of(timer, struct mqtt, tick);
    bool handshake = mqtt->options.broker->tls && !mqtt->up;
    enter(mqtt);
    settle(mqtt, mosquitto_loop_misc(mqtt->mosq));
    loop_timer_start(mqtt->loop, &mqtt->tick, handshake ? HANDSHAKE_TICK_MS : TICK_MS);
}

/* ---- Attempts */

static void too_late(struct loop_timer *timer)
{
    give_up(container_of(timer, struct mqtt, deadline), "no answer from the broker");
}

static void stop_all(struct mqtt *mqtt)
{
    loop_watch_stop(&mqtt->watch);
    loop_timer_stop(&mqtt->retry);
    loop_timer_stop(&mqtt->tick);
    loop_timer_stop(&mqtt->deadline);
    loop_timer_stop(&mqtt->end);
    loop_timer_stop(&mqtt->more);
    lookup_stop(&mqtt->lookup);
    mosquitto_destroy(mqtt->mosq);
    mqtt->mosq = NULL;
    tls_close(mqtt->tls);
    mqtt->tls = NULL;
    mqtt->watched_fd = -1;
    mqtt->flights.count = 0;
}

static void end_attempt(struct loop_timer *timer)
{
    struct mqtt *mqtt = container_of(timer, struct mqtt, end);
    char why[TLS_WHY_ROOM];
    int64_t life_ms = mqtt->up ? now_mono_us() / 1000 - mqtt->up_since_ms : 0;
    uint32_t bound_ms = retry_bound_ms(&mqtt->patience, mqtt->ending, life_ms);
    const char *complaint = tls_complaint(mqtt->tls);
    snprintf(why, sizeof(why), "%s", complaint[0] != '\0' ? complaint : mqtt->why);
    stop_all(mqtt);
    mqtt->up = false;
    if (!mqtt->held)
        loop_timer_start(mqtt->loop, &mqtt->retry, retry_wait_ms(bound_ms));
    mqtt->calls->down(mqtt->owner, mqtt, why);
}

static int set_will(struct mqtt *mqtt)
{
    const struct mqtt_options *o = &mqtt->options;
    mosquitto_property *properties = NULL;
    if (o->will_topic == NULL)
        return MOSQ_ERR_SUCCESS;
    int rc = mosquitto_property_add_int32(&properties, MQTT_PROP_WILL_DELAY_INTERVAL,
                                          o->will_delay_s);
    if (rc == MOSQ_ERR_SUCCESS)
        rc = mosquitto_will_set_v5(mqtt->mosq, o->will_topic, (int)strlen(o->will),
                                   o->will, 1, true, properties);
    if (rc != MOSQ_ERR_SUCCESS)
        mosquitto_property_free_all(&properties);
    return rc;
}

static int set_tls(struct mqtt *mqtt)
{
    const struct mqtt_options *o = &mqtt->options;
    struct tls_wish wish = {o->broker->host, o->ca,           o->cert,
                            o->key,          now_latest_us(), now_quality() == NOW_UNSET};
    if (!o->broker->tls)
        return MOSQ_ERR_SUCCESS;
    if (tls_open(&mqtt->tls, &wish, mqtt->why) != 0 ||
        mosquitto_void_option(mqtt->mosq, MOSQ_OPT_SSL_CTX, tls_context(mqtt->tls)) != 0)
        return MOSQ_ERR_TLS;
    return mosquitto_int_option(mqtt->mosq, MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0);
}

static int set_options(struct mqtt *mqtt)
{
    int rc =
        mosquitto_int_option(mqtt->mosq, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
    if (rc == MOSQ_ERR_SUCCESS)
        rc = mosquitto_int_option(mqtt->mosq, MOSQ_OPT_TCP_NODELAY, 1);
    if (rc == MOSQ_ERR_SUCCESS)
        rc = mosquitto_int_option(mqtt->mosq, MOSQ_OPT_SEND_MAXIMUM, MQTT_FLIGHTS);
    if (rc == MOSQ_ERR_SUCCESS)
        rc = mosquitto_username_pw_set(mqtt->mosq, mqtt->options.username,
                                       mqtt->options.password);
    if (rc == MOSQ_ERR_SUCCESS)
        rc = set_will(mqtt);
    if (rc == MOSQ_ERR_SUCCESS)
        rc = set_tls(mqtt);
    return rc;
}

static void set_callbacks(struct mosquitto *mosq)
{
    mosquitto_connect_v5_callback_set(mosq, told_connect);
    mosquitto_disconnect_v5_callback_set(mosq, told_disconnect);
    mosquitto_publish_v5_callback_set(mosq, told_publish);
    mosquitto_subscribe_v5_callback_set(mosq, told_subscribe);
    mosquitto_message_v5_callback_set(mosq, told_message);
    mosquitto_log_callback_set(mosq, told_log);
}

/* Only the call that waits for the TCP connection takes properties, and only the other one does
 * not wait. The properties stay with the object, so the first call gets no host, keeps them, and
 * refuses; the second connects with them. */
static int connect_without_waiting(struct mqtt *mqtt)
{
    const struct mqtt_options *o = &mqtt->options;
    mosquitto_property *properties = NULL;
    int rc = mosquitto_property_add_int32(&properties, MQTT_PROP_SESSION_EXPIRY_INTERVAL,
                                          o->session_s);
    if (rc == MOSQ_ERR_SUCCESS)
        rc = mosquitto_property_add_int32(&properties, MQTT_PROP_MAXIMUM_PACKET_SIZE,
                                          MQTT_PACKET_MAX);
    if (rc == MOSQ_ERR_SUCCESS) {
        mosquitto_connect_bind_v5(mqtt->mosq, NULL, o->broker->port, o->keepalive_s, NULL,
                                  properties);
        rc = mosquitto_connect_async(mqtt->mosq, o->broker->host, o->broker->port,
                                     o->keepalive_s);
    }
    mosquitto_property_free_all(&properties);
    return rc;
}

static void connect_now(struct mqtt *mqtt)
{
    mqtt->mosq = mosquitto_new(mqtt->options.client, false, mqtt);
    if (mqtt->mosq == NULL) {
        give_up(mqtt, "the client id is not valid");
        return;
    }
    set_callbacks(mqtt->mosq);
    enter(mqtt);
    int rc = set_options(mqtt);
    if (rc == MOSQ_ERR_SUCCESS)
        rc = connect_without_waiting(mqtt);
    tcp_tune(mosquitto_socket(mqtt->mosq), mqtt->options.stall_ms);
    loop_timer_start(mqtt->loop, &mqtt->deadline, REACH_MAX_MS);
    loop_timer_start(mqtt->loop, &mqtt->tick,
                     mqtt->options.broker->tls ? HANDSHAKE_TICK_MS : TICK_MS);
    settle(mqtt, rc);
}

static void looked_up(struct lookup *lookup, bool found)
{
    struct mqtt *mqtt = container_of(lookup, struct mqtt, lookup);
    if (found)
        connect_now(mqtt);
    else
        give_up_on(mqtt, MOSQ_ERR_EAI);
}

static void begin_attempt(struct loop_timer *timer)
{
    struct mqtt *mqtt = container_of(timer, struct mqtt, retry);
    const char *host = mqtt->options.broker->host;
    mqtt->reached = mqtt->up = mqtt->over = false;
    mqtt->ending = RETRY_ABSENT;
    mqtt->why[0] = '\0';
    mqtt->watched_fd = -1;
    if (!broker_is_address(host)) /* an address is no name: nobody has to be asked */
        lookup_start(mqtt->loop, &mqtt->lookup, host);
    else
        connect_now(mqtt);
}

/* ---- For the owner */

void mqtt_open(struct mqtt **out, struct loop *loop, const struct mqtt_options *options,
               const struct mqtt_calls *calls, void *owner)
{
    struct mqtt *mqtt = mem_new(struct mqtt);
    mqtt->loop = loop;
    mqtt->options = *options;
    mqtt->calls = calls;
    mqtt->owner = owner;
    mqtt->watched_fd = -1;
    mqtt->watch.ready = ready;
    mqtt->retry.fire = begin_attempt;
    mqtt->tick.fire = tick;
    mqtt->deadline.fire = too_late;
    mqtt->end.fire = end_attempt;
    mqtt->more.fire = read_more;
    mqtt->lookup.done = looked_up;
    loop_timer_start(loop, &mqtt->retry, 0);
    *out = mqtt;
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
    if (mqtt->mosq != NULL && mqtt->up && !mqtt->over) {
        mosquitto_disconnect_v5(mqtt->mosq, 0, NULL);
        if (mosquitto_socket(mqtt->mosq) >= 0 && mosquitto_want_write(mqtt->mosq))
            mosquitto_loop_write(mqtt->mosq, 1);
    }
    stop_all(mqtt);
    mqtt->up = false;
    mqtt->held = true;
}

void mqtt_hold(struct mqtt *mqtt, bool held)
{
    mqtt->held = held;
    if (mqtt->mosq != NULL)
        return;
    if (held) {
        lookup_stop(&mqtt->lookup);
        loop_timer_stop(&mqtt->retry);
    } else if (mqtt->lookup.pid == 0 && !loop_timer_is_running(&mqtt->retry))
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

static int add_properties(mosquitto_property **out, const struct mqtt_message *message)
{
    int rc = MOSQ_ERR_SUCCESS;
    if (message->content_type != NULL)
        rc = mosquitto_property_add_string(out, MQTT_PROP_CONTENT_TYPE,
                                           message->content_type);
    for (size_t i = 0; i < message->users && rc == MOSQ_ERR_SUCCESS; i++)
        rc = mosquitto_property_add_string_pair(
            out, MQTT_PROP_USER_PROPERTY, message->user[i].name, message->user[i].value);
    return rc;
}

/* What the library queued outside of its own callbacks has been written as far as the socket took
 * it; inside, ready() does that when the callback has returned. */
static int sent(struct mqtt *mqtt, int rc)
{
    if (rc != MOSQ_ERR_SUCCESS)
        give_up_on(mqtt, rc);
    else if (!mqtt->inside)
        watch_again(mqtt);
    return rc == MOSQ_ERR_SUCCESS ? 0 : -EIO;
}

int mqtt_publish(struct mqtt *mqtt, const struct mqtt_message *message, uint32_t token)
{
    if (!mqtt_is_up(mqtt))
        return -ENOTCONN;
    if (flights_are_full(&mqtt->flights))
        return -ENOBUFS;
    mosquitto_property *properties = NULL;
    int mid = 0;
    tls_forget_errors();
    int rc = add_properties(&properties, message);
    if (rc == MOSQ_ERR_SUCCESS)
        rc = mosquitto_publish_v5(mqtt->mosq, &mid, message->topic, (int)message->length,
                                  message->payload, 1, message->retain, properties);
    mosquitto_property_free_all(&properties);
    if (rc == MOSQ_ERR_SUCCESS)
        flights_put(&mqtt->flights, mid, token);
    return sent(mqtt, rc);
}

int mqtt_subscribe(struct mqtt *mqtt, const char *filter)
{
    if (!mqtt_is_up(mqtt))
        return -ENOTCONN;
    tls_forget_errors();
    return sent(mqtt, mosquitto_subscribe_v5(mqtt->mosq, NULL, filter, 1, 0, NULL));
}

const char *mqtt_reason(int reason)
{
    return mosquitto_reason_string(reason);
}
