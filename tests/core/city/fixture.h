/* fixture - an office that composes events and signs checkpoints, and a city on a fresh database. */
#ifndef CITY_FIXTURE_H
#define CITY_FIXTURE_H

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/base.h"
#include "city/collect.h"
#include "city/offices.h"
#include "city/store.h"
#include "proof/base64.h"
#include "proof/checkpoint.h"
#include "proof/cover.h"
#include "proof/receipt.h"
#include "proof/tree.h"

enum { FIXTURE_EVENTS = 1200 };

struct fixture {
    char path[64];
    struct store *store;
    struct offices *offices;
    struct collect *collect;
    struct key *city;
    struct key *office_key;
    struct tree tree;   /* the office's */
    struct tree before; /* without its last event */
    int64_t size;
    char *bodies[FIXTURE_EVENTS];
    int lane[FIXTURE_EVENTS];
    struct buffer receipt; /* the newest */
    unsigned receipts;
    bool began;
};

static inline void fixture_told(void *owner, const char *office, const void *note,
                                size_t length, bool began)
{
    struct fixture *f = owner;
    assert_string_equal(office, "office-1");
    buffer_clear(&f->receipt);
    buffer_append(&f->receipt, note, length);
    f->receipts++;
    f->began = began;
}

static inline void fixture_open_city(struct fixture *f)
{
    static const struct collect_calls CALLS = {.receipt = fixture_told};
    char why[STORE_WHY_ROOM];
    assert_int_equal(store_open(&f->store, f->path, true, why), 0);
    assert_int_equal(offices_open(&f->offices, f->store, NULL, why), 0);
    collect_open(&f->collect, f->store, f->offices, f->city, &CALLS, f);
}

static inline void fixture_close_city(struct fixture *f)
{
    collect_close(f->collect);
    offices_close(f->offices);
    store_close(f->store);
}

static inline int fixture_open(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    const struct suite *suite = suite_named("sha256+ed25519");
    strcpy(f->path, "/tmp/city-test-XXXXXX");
    int fd = mkstemp(f->path);
    close(fd);
    unlink(f->path);
    key_make(&f->city, suite, "outpost-city/city");
    key_make(&f->office_key, suite, "outpost/office-1");
    tree_begin(&f->tree, suite);
    fixture_open_city(f);
    *state = f;
    return 0;
}

static inline int fixture_close(void **state)
{
    static const char *const ENDINGS[] = {"", ".lock", "-wal", "-shm"};
    struct fixture *f = *state;
    fixture_close_city(f);
    key_free(f->city);
    key_free(f->office_key);
    buffer_free(&f->receipt);
    for (int64_t i = 0; i < f->size; i++)
        free(f->bodies[i]);
    for (size_t i = 0; i < countof(ENDINGS); i++) {
        char path[80];
        snprintf(path, sizeof(path), "%s%s", f->path, ENDINGS[i]);
        unlink(path);
    }
    free(f);
    return 0;
}

/* Not inline: gcc 12 then takes the text for a dangling pointer. */
__attribute__((noinline, unused)) static char *fixture_compose(const char *office,
                                                               const char *log,
                                                               int64_t seq, int lane,
                                                               const char *extra)
{
    char *text;
    int length =
        asprintf(&text,
                 "{\"specversion\":\"1.0\",\"id\":\"%s/%s/%" PRId64
                 "\",\"source\":\"/%s/band/gate\","
                 "\"type\":\"test.happened\",\"time\":\"2026-11-21T03:04:05.123456Z\","
                 "\"subject\":\"person/"
                 "1\",\"office\":\"%s\",\"log\":\"%s\",\"sequence\":\"%016" PRId64 "\","
                 "\"lane\":\"%s\",\"recorded\":\"2026-11-21T03:04:05.2Z\",\"data\":{"
                 "\"x\":\"%s\"}}",
                 office, log, seq, office, office, log, seq,
                 talk_lane_name((enum talk_lane)lane), extra);
    assert_true(length > 0);
    return text;
}

/* The office commits one more event. */
static inline int64_t fixture_emit(struct fixture *f, int lane)
{
    struct digest leaf;
    int64_t seq = f->size++;
    assert_true(seq < FIXTURE_EVENTS);
    f->bodies[seq] =
        fixture_compose("office-1", "log1", seq, lane, "braces } ] in \\\"text\\\"");
    f->lane[seq] = lane;
    suite_leaf(f->tree.suite, &leaf, f->bodies[seq], strlen(f->bodies[seq]));
    f->before = f->tree;
    tree_append(&f->tree, &leaf);
    return seq;
}

/* {"n":N,"erased":...,"hashes":[...]}. */
static inline void fixture_print_tile(const struct fixture *f, struct buffer *out,
                                      int64_t n, const struct cover *cover)
{
    struct digest leaves[COVER_WIDTH];
    struct cover_node nodes[COVER_NODES_MAX];
    char digits[COVER_DIGITS + 1];
    for (int64_t i = 0; i < COVER_WIDTH; i++) {
        const char *body = f->bodies[n * COVER_WIDTH + i];
        suite_leaf(f->tree.suite, &leaves[i], body, strlen(body));
    }
    cover_print(cover, digits);
    buffer_printf(out, "{\"n\":%" PRId64 ",\"erased\":\"%s\",\"hashes\":[", n, digits);
    unsigned count = cover_nodes(cover, nodes);
    for (unsigned i = 0; i < count; i++) {
        struct digest hash;
        cover_hash(f->tree.suite, &hash, leaves, nodes[i]);
        buffer_append_text(out, i == 0 ? "\"" : ",\"");
        base64_encode(out, hash.bytes, DIGEST_BYTES);
        buffer_append_text(out, "\"");
    }
    buffer_append_text(out, "]}");
}

/* An event of the keeper itself. */
static inline int64_t fixture_emit_own(struct fixture *f, int lane, const char *type,
                                       const char *members)
{
    int64_t seq = fixture_emit(f, lane);
    struct buffer body = {0};
    const char *whole = f->bodies[seq], *rest;
    rest = strstr(whole, "\",\"time\"");
    buffer_printf(&body,
                  "{\"specversion\":\"1.0\",\"id\":\"office-1/log1/%" PRId64
                  "\",\"source\":\"/office-1/keeper/keeper\",\"type\":\"%s",
                  seq, type);
    buffer_append(&body, rest, (size_t)(strstr(rest, ",\"data\":") - rest));
    buffer_printf(&body, ",\"data\":{%s}}", members);
    free(f->bodies[seq]);
    f->bodies[seq] = strdup(buffer_text(&body));
    f->tree = f->before;
    struct digest leaf;
    suite_leaf(f->tree.suite, &leaf, f->bodies[seq], strlen(f->bodies[seq]));
    tree_append(&f->tree, &leaf);
    buffer_free(&body);
    return seq;
}

/* The office erases events of tile n and says so; its seq. What is sent is the test's affair. */
static inline int64_t fixture_erase(struct fixture *f, int64_t n,
                                    const struct cover *cover, const char *lane)
{
    struct buffer members = {0};
    int64_t first = -1, last = -1;
    for (unsigned i = 0; i < COVER_WIDTH; i++)
        if (cover_has(cover, i)) {
            last = n * COVER_WIDTH + i;
            first = first < 0 ? last : first;
        }
    buffer_printf(&members,
                  "\"reason\":\"quota\",\"lane\":\"%s\",\"first\":%" PRId64
                  ",\"last\":%" PRId64 ",\"count\":%u,\"tiles\":[",
                  lane, first, last, cover_count(cover));
    fixture_print_tile(f, &members, n, cover);
    buffer_append_text(&members, "]");
    int64_t seq =
        fixture_emit_own(f, LANE_RECORD, "journal.thinned", buffer_text(&members));
    buffer_free(&members);
    return seq;
}

static inline int64_t fixture_before(const struct fixture *f, int lane, int64_t seq)
{
    do
        seq--;
    while (seq >= 0 && f->lane[seq] != lane);
    return seq;
}

static inline void fixture_say(struct fixture *f, const char *topic, const char *payload,
                               const char *log, const char *lane, int64_t prev,
                               int64_t last)
{
    char before[24], end[24];
    snprintf(before, sizeof(before), "%" PRId64, prev);
    snprintf(end, sizeof(end), "%" PRId64, last);
    struct mqtt_message message = {
        .topic = topic,
        .payload = payload,
        .length = strlen(payload),
        .users = 4,
        .user = {{"log", log}, {"lane", lane}, {"prev", before}, {"last", end}}};
    assert_int_equal(collect_message(f->collect, &message), 0);
}

/* Sends the lane's events from seq `from` to `to` as one batch. */
static inline void fixture_send(struct fixture *f, int lane, int64_t from, int64_t to)
{
    struct buffer payload = {0};
    char topic[64];
    int64_t last = -1;
    const char *between = "[";
    for (int64_t seq = from; seq <= to; seq++) {
        if (f->lane[seq] != lane)
            continue;
        buffer_printf(&payload, "%s%s", between, f->bodies[seq]);
        between = ",";
        last = seq;
    }
    buffer_append_text(&payload, "]");
    snprintf(topic, sizeof(topic), "outpost/v1/office-1/up/%s",
             talk_lane_name((enum talk_lane)lane));
    fixture_say(f, topic, buffer_text(&payload), "log1",
                talk_lane_name((enum talk_lane)lane), fixture_before(f, lane, from),
                last);
    buffer_free(&payload);
}

static inline void fixture_show_key(struct fixture *f, const struct key *key)
{
    struct buffer text = {0};
    buffer_append_text(&text,
                       "{\"state\":\"online\",\"office\":\"office-1\",\"boot\":\"b\","
                       "\"verifier\":\"");
    key_print_verifier(key, &text);
    buffer_append_text(&text, "\"}");
    fixture_say(f, "outpost/v1/office-1/status", buffer_text(&text), "", "", 0, 0);
    buffer_free(&text);
}

static inline void fixture_send_checkpoint(struct fixture *f, const struct digest *root)
{
    struct checkpoint checkpoint = {.suite = f->tree.suite, .size = f->tree.size};
    struct buffer note = {0};
    checkpoint_origin(checkpoint.origin, "office-1", "log1");
    tree_root(&f->tree, &checkpoint.root);
    if (root != NULL)
        checkpoint.root = *root;
    checkpoint_sign(&note, &checkpoint, f->office_key);
    fixture_say(f, "outpost/v1/office-1/up/checkpoint", buffer_text(&note), "", "", 0, 0);
    buffer_free(&note);
}

static inline void fixture_commit(struct fixture *f)
{
    do
        assert_int_equal(collect_commit(f->collect), 0);
    while (collect_has_work(f->collect));
}

/* The newest receipt, which must be the city's. */
static inline struct receipt fixture_receipt(struct fixture *f)
{
    struct receipt receipt;
    assert_true(f->receipts > 0);
    assert_int_equal(receipt_read(&receipt, f->receipt.bytes, f->receipt.length, f->city),
                     0);
    assert_string_equal(receipt.log, "log1");
    return receipt;
}

static inline int64_t fixture_findings(struct fixture *f)
{
    int64_t count;
    assert_int_equal(store_count_findings(f->store, "", &count), 0);
    return count;
}

static inline int64_t fixture_rejected(struct fixture *f)
{
    int64_t count;
    assert_int_equal(store_count_rejected(f->store, &count), 0);
    return count;
}

#endif
