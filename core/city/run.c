/* run - see run.h.
 *
 * Invariant: everything a turn of the loop brought is in one transaction, and a receipt is only
 * published for what is committed.
 *
 * The loop's rest may starve while messages keep coming, so a full transaction is committed at once,
 * an older one after COMMIT_MS, and any when an alarm has come. Alarms, statuses and receipts have
 * a connection of their own, so that no alarm stands behind a backlog. */
#include "city/run.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/file.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/now.h"
#include "city/collect.h"
#include "city/offices.h"
#include "city/options.h"
#include "city/outbox.h"
#include "city/store.h"
#include "city/topic.h"
#include "city/uploads.h"
#include "mqtt/mqtt.h"
#include "proof/key.h"

enum {
    COMMIT_MS = 100,
    TROUBLE_MS = 1000, /* before the next attempt when the database refuses */
    FLIGHTS = 64,
    KEEPALIVE_S = 30,
    STALL_MS = 15 * 1000,
    SESSION_S = 24 * 3600,
    CLIENT_ROOM = 128
};

enum { ALARM, BULK, LINKS };

/* What each connection hears; "%s" is the group. Shared subscriptions bring nothing retained, so
 * checkpoints and statuses are heard by every collector. */
static const struct {
    const char *name;
    const char *shared[2];
    const char *other;
} HEARD[LINKS] = {
    [ALARM] = {"alarm", {"up/alarm", NULL}, "outpost/v1/+/status"},
    [BULK] = {"bulk", {"up/record", "up/telemetry"}, "outpost/v1/+/up/checkpoint"},
};

static const char USAGE[] =
    "usage: outpost-city run --broker URL --database sqlite:FILE --key FILE [OPTION "
    "...]\n"
    "\n"
    "Takes what the offices send, stores it, verifies it, and gives receipts.\n"
    "\n"
    "  --broker URL          mqtt://host[:port] or mqtts://host[:port]\n"
    "  --database sqlite:FILE  where everything is stored; made when it is not there\n"
    "  --key FILE            the city's private key (outpost-city keygen); signs the "
    "receipts\n"
    "  --offices FILE        public key lines of the offices that are believed; without "
    "it the\n"
    "                        first key an office shows is pinned\n"
    "  --group NAME          collectors of one group share the work; default "
    "outpost-city\n"
    "  --client ID           the MQTT client ids are ID-alarm and ID-bulk; default "
    "outpost-city\n"
    "  --ca FILE             whom to trust for mqtts; default the system's certificates\n"
    "  --cert FILE --tls-key FILE   our certificate and its key\n"
    "  --bulk-cert FILE --bulk-tls-key FILE   others for the client id ID-bulk, where "
    "the "
    "broker\n"
    "                        wants a certificate for each client id\n"
    "  --username NAME --password-file FILE\n"
    "  --uploads DIR         the folder of a tus server that takes evidence files: each "
    "is "
    "compared\n"
    "                        with its event, kept in DIR/evidence, and has a receipt in "
    "DIR/receipts\n"
    "\n"
    "Ends on SIGINT and SIGTERM with exit status 0; 1 when something cannot be opened, 2 "
    "on\n"
    "wrong use.\n";

struct run {
    const struct run_wish *wish;
    struct loop *loop;
    struct store *store;
    struct offices *offices;
    struct key *key;
    struct collect *collect;
    struct evidence evidence;
    struct uploads *uploads; /* NULL: none are taken */
    struct mqtt *mqtt[LINKS];
    char client[LINKS][CLIENT_ROOM];
    struct outbox outbox;
    struct loop_rest rest;
    struct loop_timer again; /* after trouble with the database */
    struct loop_signal interrupt, terminate;
    unsigned flying;   /* receipts without PUBACK */
    int64_t oldest_ms; /* when the open transaction began, 0 none */
    bool outage[LINKS];
    bool trouble;
    bool backlog; /* bulk came since the last commit */
};

/* ---- The command line */

static bool read_broker(struct run_wish *wish, const struct options *options)
{
    if (broker_read(&wish->where, wish->broker) == 0)
        return true;
    options_refuse(
        options,
        "--broker: expected mqtt://host[:port] or mqtts://host[:port], got \"%s\"",
        wish->broker);
    return false;
}

static bool read_password(struct run_wish *wish, const struct options *options)
{
    struct buffer text = {0};
    if (wish->password_file == NULL)
        return true;
    int err = file_read(&text, wish->password_file, RUN_PASSWORD_MAX);
    if (err)
        options_refuse(options, "--password-file: %s: %s", wish->password_file,
                       strerror(-err));
    else
        snprintf(wish->password, sizeof(wish->password), "%.*s",
                 (int)strcspn(buffer_text(&text), "\r\n"), buffer_text(&text));
    buffer_free(&text);
    return err == 0;
}

static bool check_pairs(const struct run_wish *wish, const struct options *options)
{
    if (!wish->cert == !wish->tls_key && !wish->bulk_cert == !wish->bulk_tls_key)
        return true;
    options_refuse(options, "--cert and --tls-key, --bulk-cert and --bulk-tls-key: "
                            "expected both or none of each pair");
    return false;
}

bool run_read(struct run_wish *wish, const char *command, const char *usage, int argc,
              char **argv, int *status)
{
    const struct options_row rows[] = {
        {"broker", &wish->broker, NULL, true},
        {"database", &wish->database, NULL, true},
        {"key", &wish->key, NULL, true},
        {"offices", &wish->offices, NULL, false},
        {"group", &wish->group, NULL, false},
        {"client", &wish->client, NULL, false},
        {"ca", &wish->ca, NULL, false},
        {"cert", &wish->cert, NULL, false},
        {"tls-key", &wish->tls_key, NULL, false},
        {"bulk-cert", &wish->bulk_cert, NULL, false},
        {"bulk-tls-key", &wish->bulk_tls_key, NULL, false},
        {"username", &wish->username, NULL, false},
        {"password-file", &wish->password_file, NULL, false},
        {"uploads", &wish->uploads, NULL, false},
    };
    struct options options = {
        .command = command, .usage = usage, .rows = rows, .count = countof(rows)};
    if (!options_read(&options, argc, argv, status))
        return false;
    *status = 2;
    if (!read_broker(wish, &options) || !read_password(wish, &options) ||
        !check_pairs(wish, &options))
        return false;
    if (store_path(wish->database) == NULL) {
        options_refuse(&options, "--database: expected sqlite:FILE, got \"%s\"",
                       wish->database);
        return false;
    }
    *status = 0;
    return true;
}

/* ---- Receipts out */

static void send_receipts(struct run *run)
{
    const struct outbox_letter *letter;
    char topic[TOPIC_ROOM];
    while (run->flying < FLIGHTS && (letter = outbox_first(&run->outbox)) != NULL) {
        topic_receipt(topic, letter->office);
        struct mqtt_message message = {
            .topic = topic,
            .payload = letter->note.bytes,
            .length = letter->note.length,
            .retain = true,
            .content_type = "text/plain",
            .users = letter->began ? 1 : 0,
            .user = {{"begin", "1"}},
        };
        if (mqtt_publish(run->mqtt[ALARM], &message, 0) != 0)
            return; /* the connection is over; all of them are told again on the next */
        run->flying++;
        outbox_drop(&run->outbox);
    }
}

static void told_receipt(void *owner, const char *office, const void *note, size_t length,
                         bool began)
{
    struct run *run = owner;
    outbox_put(&run->outbox, office, note, length, began);
}

static const struct collect_calls COLLECT_CALLS = {.receipt = told_receipt};

/* ---- Messages in */

static void told_trouble(struct run *run, int err)
{
    if (!run->trouble)
        log_error(
            "the database refuses: %s (%s); the offices keep what has no receipt, trying "
            "again",
            strerror(-err), store_error(run->store));
    run->trouble = true;
    loop_timer_start(run->loop, &run->again, TROUBLE_MS);
}

static void commit(struct run *run)
{
    int err = collect_commit(run->collect);
    run->oldest_ms = 0;
    run->backlog = false;
    if (err) {
        told_trouble(run, err);
        return;
    }
    if (run->trouble)
        log_info("the database works again");
    run->trouble = false;
    send_receipts(run);
    if (collect_has_work(run->collect))
        loop_rest_start(run->loop, &run->rest);
}

static void rested(struct loop_rest *rest)
{
    commit(container_of(rest, struct run, rest));
}

static void try_again(struct loop_timer *timer)
{
    struct run *run = container_of(timer, struct run, again);
    int err = collect_begin(run->collect);
    if (err)
        told_trouble(run, err);
    else
        commit(run);
}

static void came(void *owner, struct mqtt *mqtt, const struct mqtt_message *message)
{
    struct run *run = owner;
    int64_t now_ms = now_mono_us() / 1000;
    int err = collect_message(run->collect, message);
    if (err) {
        told_trouble(run, err);
        return;
    }
    if (run->oldest_ms == 0)
        run->oldest_ms = now_ms;
    if (mqtt == run->mqtt[BULK])
        run->backlog = true;
    if (collect_is_full(run->collect) || now_ms - run->oldest_ms >= COMMIT_MS ||
        (mqtt == run->mqtt[ALARM] && run->backlog))
        commit(run);
    else
        loop_rest_start(run->loop, &run->rest);
}

static int link_of(const struct run *run, const struct mqtt *mqtt)
{
    return mqtt == run->mqtt[ALARM] ? ALARM : BULK;
}

static void subscribe(struct run *run, int link)
{
    char filter[TOPIC_ROOM + 128];
    const char *group = run->wish->group != NULL ? run->wish->group : "outpost-city";
    for (int i = 0; i < 2 && HEARD[link].shared[i] != NULL; i++) {
        snprintf(filter, sizeof(filter), "$share/%.64s/outpost/v1/+/%s", group,
                 HEARD[link].shared[i]);
        mqtt_subscribe(run->mqtt[link], filter);
    }
    mqtt_subscribe(run->mqtt[link], HEARD[link].other);
}

/* A broker that was away may have lost what it had taken, and the retained receipts too. */
static void begin(struct run *run)
{
    int err = collect_begin(run->collect);
    if (err)
        told_trouble(run, err);
    send_receipts(run);
    if (collect_has_work(run->collect))
        loop_rest_start(run->loop, &run->rest);
}

static void up(void *owner, struct mqtt *mqtt)
{
    struct run *run = owner;
    int link = link_of(run, mqtt);
    log_info("connected to the broker%s (%s)", run->outage[link] ? " again" : "",
             HEARD[link].name);
    run->outage[link] = false;
    if (link == ALARM)
        run->flying = 0;
    subscribe(run, link);
    if (mqtt_is_up(run->mqtt[ALARM]) && mqtt_is_up(run->mqtt[BULK]))
        begin(run);
}

static void down(void *owner, struct mqtt *mqtt, const char *why)
{
    struct run *run = owner;
    int link = link_of(run, mqtt);
    char broker[BROKER_TEXT_ROOM];
    broker_print(&run->wish->where, broker);
    if (!run->outage[link])
        log_warn(
            "no connection to the broker at %s (%s): %s; the offices wait, trying again",
            broker, HEARD[link].name, why);
    run->outage[link] = true;
    if (link == ALARM)
        run->flying = 0;
}

static void acked(void *owner, struct mqtt *mqtt, uint32_t token, int reason)
{
    struct run *run = owner;
    (void)mqtt;
    (void)token;
    if (run->flying > 0)
        run->flying--;
    if (reason >= MQTT_REFUSED)
        log_warn("the broker refuses a receipt: %s; check its access list",
                 mqtt_reason(reason));
    send_receipts(run);
}

static const struct mqtt_calls MQTT_CALLS = {
    .up = up, .down = down, .acked = acked, .came = came};

/* ---- Uploads */

static int settle(void *owner)
{
    struct run *run = owner;
    if (collect_has_work(run->collect))
        commit(run);
    return run->trouble ? -EBUSY : 0;
}

static const struct uploads_calls UPLOADS_CALLS = {.settle = settle};

static int open_uploads(struct run *run)
{
    run->evidence = (struct evidence){
        .folder = run->wish->uploads, .store = run->store, .key = run->key};
    if (run->wish->uploads == NULL)
        return 0;
    int err = uploads_open(&run->uploads, run->loop, &run->evidence, &UPLOADS_CALLS, run);
    if (err)
        log_error("--uploads: %s: %s", run->wish->uploads, strerror(-err));
    return err;
}

/* ---- Open and close */

static void end(struct run *run)
{
    if (collect_has_work(run->collect))
        commit(run);
    for (int link = 0; link < LINKS; link++)
        mqtt_leave(run->mqtt[link]);
    loop_stop(run->loop);
}

static void interrupted(struct loop_signal *sign)
{
    end(container_of(sign, struct run, interrupt));
}

static void terminated(struct loop_signal *sign)
{
    end(container_of(sign, struct run, terminate));
}

static int open_store(struct run *run)
{
    char why[STORE_WHY_ROOM];
    int err = store_open(&run->store, store_path(run->wish->database), true, why);
    if (err)
        log_error("--database: %s", why);
    return err;
}

static int open_keys(struct run *run)
{
    char why[OFFICES_WHY_ROOM];
    int err = offices_open(&run->offices, run->store, run->wish->offices, why);
    if (err) {
        log_error("--offices: %s", why);
        return err;
    }
    err = key_load(&run->key, run->wish->key);
    if (err)
        log_error("--key: %s: %s", run->wish->key,
                  err == -EPROTO
                      ? "expected a private key, as outpost-city keygen makes it"
                      : strerror(-err));
    return err;
}

static void open_mqtt(struct run *run, int link)
{
    const struct run_wish *wish = run->wish;
    bool has_own = link == BULK && wish->bulk_cert != NULL;
    snprintf(run->client[link], CLIENT_ROOM, "%.100s-%s",
             wish->client != NULL ? wish->client : "outpost-city", HEARD[link].name);
    struct mqtt_options options = {
        .broker = &wish->where,
        .client = run->client[link],
        .ca = wish->ca,
        .cert = has_own ? wish->bulk_cert : wish->cert,
        .key = has_own ? wish->bulk_tls_key : wish->tls_key,
        .username = wish->username,
        .password = wish->password[0] != '\0' ? wish->password : NULL,
        .keepalive_s = KEEPALIVE_S,
        .stall_ms = STALL_MS,
        .session_s = SESSION_S,
    };
    mqtt_open(&run->mqtt[link], run->loop, &options, &MQTT_CALLS, run);
}

static int open_parts(struct run *run)
{
    int err = open_store(run);
    if (!err)
        err = open_keys(run);
    if (!err)
        err = loop_open(&run->loop);
    if (err)
        return err;
    collect_open(&run->collect, run->store, run->offices, run->key, &COLLECT_CALLS, run);
    err = open_uploads(run);
    if (err)
        return err;
    mqtt_begin();
    for (int link = 0; link < LINKS; link++)
        open_mqtt(run, link);
    run->rest.fire = rested;
    run->again.fire = try_again;
    run->interrupt.fire = interrupted;
    run->terminate.fire = terminated;
    loop_signal_start(run->loop, &run->interrupt, SIGINT);
    loop_signal_start(run->loop, &run->terminate, SIGTERM);
    return 0;
}

static void close_parts(struct run *run)
{
    loop_signal_stop(&run->terminate);
    loop_signal_stop(&run->interrupt);
    loop_timer_stop(&run->again);
    loop_rest_stop(&run->rest);
    for (int link = 0; link < LINKS; link++)
        mqtt_close(run->mqtt[link]);
    uploads_close(run->uploads);
    collect_close(run->collect);
    outbox_free(&run->outbox);
    loop_close(run->loop);
    key_free(run->key);
    offices_close(run->offices);
    store_close(run->store);
}

int run_run(int argc, char **argv)
{
    struct run_wish wish = {0};
    struct run run = {.wish = &wish};
    int status;
    if (!run_read(&wish, "run", USAGE, argc, argv, &status))
        return status;
    int err = open_parts(&run);
    if (!err)
        loop_run(run.loop);
    close_parts(&run);
    return err ? 1 : 0;
}
