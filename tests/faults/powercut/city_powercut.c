/* city_powercut - the power fails under the city's collector: what a receipt has said is held must be
 * there. See sweep.h and disk.h.
 *
 * Two offices send batches as they come: in order, again, and ahead of what is missing. Bodies are made
 * from office and sequence alone, so nothing needs to be remembered to compare them. */
#include <inttypes.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "chance.h"
#include "city/collect.h"
#include "city/offices.h"
#include "city/store.h"
#include "proof/checkpoint.h"
#include "proof/receipt.h"
#include "proof/tree.h"
#include "sweep.h"

enum {
    OFFICES = 2,
    LIVES = 3,
    STEPS = 60,
    MOMENTS = 20000,
    AHEAD = 30, /* how far a batch may begin behind what the city has */
    BATCH = 40,
    SEQ_MAX = 1 << 20
};

static const char LOG[] = "log1";
static const char *const NAMES[OFFICES] = {"office-1", "office-2"};
static struct key *keys[OFFICES], *city_key;

/* What receipts have said, after each of them. Shared. */
struct moment {
    struct {
        int64_t lane[LANES];
        int64_t size;
    } told[OFFICES];
};

struct ledger {
    int count;
    struct moment moments[MOMENTS];
};

static struct ledger *ledger;
static sqlite3 *database; /* the one opened last */

struct city {
    struct store *store;
    struct offices *offices;
    struct collect *collect;
    struct moment now; /* what has been told */
    bool is_noted;
};

static void need(bool claim, const char *what)
{
    if (claim)
        return;
    fprintf(stderr, "powercut: %s\n", what);
    abort();
}

/* ---- What the offices have committed */

static enum talk_lane lane_of(int64_t seq)
{
    uint64_t choice = chance_at(7, (uint64_t)seq) % 20;
    return choice == 0 ? LANE_ALARM : choice < 8 ? LANE_RECORD : LANE_TELEMETRY;
}

static void print_event(struct buffer *out, int office, int64_t seq)
{
    int64_t length = (int64_t)(chance_at((uint64_t)office, (uint64_t)seq) % 400);
    buffer_printf(out,
                  "{\"specversion\":\"1.0\",\"id\":\"%s/%s/%" PRId64
                  "\",\"source\":\"/%s/band/gate\",\"type\":\"test.happened\","
                  "\"time\":\"2026-11-21T03:04:05.123456Z\",\"subject\":\"person/1\","
                  "\"office\":\"%s\",\"log\":\"%s\",\"sequence\":\"%016" PRId64
                  "\",\"lane\":\"%s\",\"recorded\":\"2026-11-21T03:04:05.2Z\","
                  "\"data\":{\"x\":\"%0*d\"}}",
                  NAMES[office], LOG, seq, NAMES[office], NAMES[office], LOG, seq,
                  talk_lane_name(lane_of(seq)), (int)length + 1, (int)(seq % 10));
}

/* The next event of a lane behind `seq`, or before it. */
static int64_t step(enum talk_lane lane, int64_t seq, int by)
{
    do
        seq += by;
    while (seq >= 0 && lane_of(seq) != lane);
    return seq;
}

/* ---- The city */

static void told(void *owner, const char *office, const void *note, size_t length,
                 bool began)
{
    struct city *city = owner;
    struct receipt receipt;
    int which = strcmp(office, NAMES[0]) != 0;
    (void)began;
    need(receipt_read(&receipt, note, length, city_key) == 0, "no receipt");
    for (int lane = 0; lane < LANES; lane++)
        city->now.told[which].lane[lane] = receipt.lane[lane];
    city->now.told[which].size = receipt.has_checkpoint ? (int64_t)receipt.size : 0;
    if (!city->is_noted)
        return;
    need(ledger->count + 1 < MOMENTS, "too many receipts");
    ledger->moments[++ledger->count] = city->now;
    trace_mark((uint64_t)ledger->count);
}

static int open_city(struct city *city, const char *folder, const struct moment *before)
{
    static const struct collect_calls CALLS = {.receipt = told};
    char path[4096], why[STORE_WHY_ROOM];
    snprintf(path, sizeof(path), "%s/city.db", folder);
    *city = (struct city){.now = *before};
    int err = store_open(&city->store, path, true, why);
    if (err) {
        fprintf(stderr, "%s\n", why);
        return err;
    }
    need(offices_open(&city->offices, city->store, NULL, why) == 0, "no offices");
    collect_open(&city->collect, city->store, city->offices, city_key, &CALLS, city);
    return 0;
}

static void close_city(struct city *city)
{
    collect_close(city->collect);
    offices_close(city->offices);
    store_close(city->store);
}

static void commit(struct city *city)
{
    do
        need(collect_commit(city->collect) == 0, "no commit");
    while (collect_has_work(city->collect));
}

static void say(struct city *city, int office, const char *what,
                const struct buffer *payload, enum talk_lane lane, int64_t prev,
                int64_t last)
{
    char topic[64], before[24], end[24];
    snprintf(topic, sizeof(topic), "outpost/v1/%s/%s", NAMES[office], what);
    snprintf(before, sizeof(before), "%" PRId64, prev);
    snprintf(end, sizeof(end), "%" PRId64, last);
    struct mqtt_message message = {.topic = topic,
                                   .payload = payload->bytes,
                                   .length = payload->length,
                                   .users = 4,
                                   .user = {{"log", LOG},
                                            {"lane", talk_lane_name(lane)},
                                            {"prev", before},
                                            {"last", end}}};
    need(collect_message(city->collect, &message) == 0, "no message");
}

/* ---- What the offices send */

static void show_key(struct city *city, int office)
{
    struct buffer text = {0};
    buffer_printf(
        &text, "{\"state\":\"online\",\"office\":\"%s\",\"boot\":\"b\",\"verifier\":\"",
        NAMES[office]);
    key_print_verifier(keys[office], &text);
    buffer_append_text(&text, "\"}");
    say(city, office, "status", &text, LANE_ALARM, 0, 0);
    buffer_free(&text);
}

static void send_batch(struct city *city, int office, enum talk_lane lane, int64_t before,
                       int count)
{
    char what[32];
    struct buffer payload = {0};
    int64_t last = before;
    for (int i = 0; i < count; i++) {
        last = step(lane, last, 1);
        buffer_append_text(&payload, i == 0 ? "[" : ",");
        print_event(&payload, office, last);
    }
    buffer_append_text(&payload, "]");
    snprintf(what, sizeof(what), "up/%s", talk_lane_name(lane));
    say(city, office, what, &payload, lane, before, last);
    buffer_free(&payload);
}

/* A checkpoint over what the city has complete, or a little more. */
static void send_checkpoint(struct city *city, int office, int64_t more)
{
    struct checkpoint checkpoint = {.suite = suite_named("sha256+ed25519")};
    struct buffer note = {0}, body = {0};
    struct tree tree;
    struct digest leaf;
    int64_t size = SEQ_MAX;
    for (enum talk_lane lane = 0; lane < LANES; lane++) {
        int64_t next = step(lane, city->now.told[office].lane[lane], 1);
        size = next < size ? next : size;
    }
    tree_begin(&tree, checkpoint.suite);
    for (int64_t seq = 0; seq < size + more; seq++) {
        buffer_clear(&body);
        print_event(&body, office, seq);
        suite_leaf(checkpoint.suite, &leaf, body.bytes, body.length);
        tree_append(&tree, &leaf);
    }
    if (tree.size > 0) {
        checkpoint.size = tree.size;
        checkpoint_origin(checkpoint.origin, NAMES[office], LOG);
        tree_root(&tree, &checkpoint.root);
        checkpoint_sign(&note, &checkpoint, keys[office]);
        say(city, office, "up/checkpoint", &note, LANE_ALARM, 0, 0);
    }
    buffer_free(&note);
    buffer_free(&body);
}

static void send_something(struct city *city, uint64_t *random)
{
    int office = (int)chance_below(random, OFFICES);
    enum talk_lane lane = (enum talk_lane)chance_below(random, LANES);
    int64_t before = city->now.told[office].lane[lane];
    if (chance_is(random, 15)) {
        send_checkpoint(city, office, (int64_t)chance_below(random, 5));
        return;
    }
    if (chance_is(random, 25)) /* ahead */
        for (int64_t i = (int64_t)chance_below(random, AHEAD); i > 0; i--)
            before = step(lane, before, 1);
    else if (before >= 0 && chance_is(random, 20)) /* again */
        before = step(lane, before, -1);
    send_batch(city, office, lane, before, 1 + (int)chance_below(random, BATCH));
}

/* ---- The rig */

static int took_database(sqlite3 *db, char **message,
                         const struct sqlite3_api_routines *api)
{
    (void)message;
    (void)api;
    database = db;
    return SQLITE_OK;
}

static const struct moment *moment_at(uint64_t marks)
{
    static struct moment nothing;
    for (int office = 0; office < OFFICES; office++)
        for (int lane = 0; lane < LANES; lane++)
            nothing.told[office].lane[lane] = -1;
    return marks > 0 ? &ledger->moments[marks] : &nothing;
}

static void work(const char *folder, uint64_t seed, uint64_t marks, bool is_lazy)
{
    struct city city;
    uint64_t random = seed;
    sqlite3_auto_extension((void (*)(void))took_database);
    ledger->count = (int)marks;
    for (int life = 0; life < LIVES; life++) {
        need(open_city(&city, folder, moment_at((uint64_t)ledger->count)) == 0,
             "no city");
        need(!is_lazy || sqlite3_exec(database, "PRAGMA synchronous = NORMAL", NULL, NULL,
                                      NULL) == 0,
             "no pragma");
        city.is_noted = true;
        for (int office = 0; office < OFFICES; office++)
            show_key(&city, office);
        for (int i = 0; i < STEPS; i++) {
            send_something(&city, &random);
            if (chance_is(&random, 60))
                commit(&city);
        }
        if (life + 1 == LIVES && chance_is(&random, 50))
            return; /* a death without a word */
        close_city(&city);
    }
}

static uint64_t settle(const char *folder, uint64_t marks)
{
    (void)folder;
    return marks; /* more than was told may be there */
}

struct reading {
    int office;
    int64_t mark[LANES];
    int64_t next[LANES]; /* of each lane */
    int64_t seq;
    bool is_wrong;
    struct buffer body;
};

static int read_one(void *owner, const struct store_event *event)
{
    struct reading *reading = owner;
    enum talk_lane lane = lane_of(event->seq);
    buffer_clear(&reading->body);
    print_event(&reading->body, reading->office, event->seq);
    reading->is_wrong |= event->seq <= reading->seq ||
                         reading->body.length != event->length ||
                         memcmp(reading->body.bytes, event->body, event->length) != 0 ||
                         strcmp(event->lane, talk_lane_name(lane)) != 0;
    if (event->seq == reading->next[lane])
        reading->next[lane] = step(lane, event->seq, 1);
    reading->seq = event->seq;
    return 0;
}

static const char *check_office(struct city *city, int office,
                                const struct moment *moment)
{
    struct reading reading = {.office = office, .seq = -1};
    struct store_log log;
    for (enum talk_lane lane = 0; lane < LANES; lane++) {
        reading.next[lane] = step(lane, -1, 1);
        if (store_get_mark(city->store, NAMES[office], LOG, lane, &reading.mark[lane]) !=
            0)
            return "a mark cannot be read";
        if (reading.mark[lane] < moment->told[office].lane[lane])
            return "lost: a mark that a receipt has told";
    }
    int err =
        store_each_event(city->store, NAMES[office], LOG, 0, SEQ_MAX, read_one, &reading);
    buffer_free(&reading.body);
    if (err || reading.is_wrong)
        return "an event is not what was sent";
    for (enum talk_lane lane = 0; lane < LANES; lane++)
        if (reading.next[lane] <= reading.mark[lane])
            return "lost: an event below its lane's mark";
    err = store_get_log(city->store, NAMES[office], LOG, &log);
    int64_t verified = err ? 0 : log.size;
    bool is_broken = !err && log.broken;
    store_log_free(&log);
    if (verified < moment->told[office].size)
        return "lost: a checkpoint that a receipt has told";
    return is_broken ? "a log is said to be broken" : NULL;
}

static const char *check_all(struct city *city, const struct moment *moment)
{
    int64_t findings = 0, rejected = 0;
    const char *wrong = NULL;
    for (int office = 0; office < OFFICES && wrong == NULL; office++)
        wrong = check_office(city, office, moment);
    store_count_findings(city->store, "", &findings);
    store_count_rejected(city->store, &rejected);
    if (wrong == NULL && findings + rejected > 0)
        wrong = "there are findings";
    return wrong;
}

/* All that was told is sent on from there. */
static const char *go_on(struct city *city, const struct moment *moment)
{
    city->now = *moment;
    for (int office = 0; office < OFFICES; office++) {
        show_key(city, office);
        for (enum talk_lane lane = 0; lane < LANES; lane++)
            send_batch(city, office, lane, moment->told[office].lane[lane], BATCH);
        commit(city);
        send_checkpoint(city, office, 0);
        commit(city);
        int64_t size = city->now.told[office].size;
        for (enum talk_lane lane = 0; lane < LANES; lane++)
            if (city->now.told[office].lane[lane] <= moment->told[office].lane[lane])
                return "it does not go on";
        if (size <= moment->told[office].size)
            return "it does not verify any more";
    }
    return check_all(city, &city->now);
}

static const char *examine(const char *folder, uint64_t seed, uint64_t marks)
{
    struct city city;
    const struct moment *moment = moment_at(marks);
    uint64_t random = seed;
    trace_be_repeatable(seed);
    if (open_city(&city, folder, moment) != 0)
        return "cannot be opened";
    const char *wrong = check_all(&city, moment);
    if (wrong == NULL && chance_is(&random, 25))
        wrong = go_on(&city, moment);
    close_city(&city);
    return wrong;
}

int main(int argc, char **argv)
{
    static const struct rig RIG = {
        .name = "city", .work = work, .settle = settle, .examine = examine};
    const struct suite *suite = suite_named("sha256+ed25519");
    ledger = trace_share(sizeof(*ledger));
    signal(SIGPIPE, SIG_IGN);
    need(key_make(&city_key, suite, "outpost-city/city") == 0, "no key");
    for (int office = 0; office < OFFICES; office++) {
        char name[64];
        snprintf(name, sizeof(name), "outpost/%s", NAMES[office]);
        need(key_make(&keys[office], suite, name) == 0, "no key");
    }
    return sweep_main(&RIG, argc, argv);
}
