/* fixture - a journal folder made by hand, with the library of proofs and the sqlite3 program: what
 * the keeper would have left when it was cut off, so that a test can leave something else. */
#ifndef CLI_FIXTURE_H
#define CLI_FIXTURE_H

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/base.h"
#include "base/hex.h"
#include "cli/journal/archive.h"
#include "cli/journal/audit.h"
#include "cli/journal/inventory.h"
#include "cli/journal/ledger.h"
#include "cli/journal/papers.h"
#include "proof/base64.h"
#include "proof/bundle.h"
#include "proof/checkpoint.h"
#include "proof/cover.h"
#include "proof/tree.h"

enum { FIXTURE_EVENTS = 2048 };

struct fixture_event {
    char *body;
    enum talk_lane lane;
    bool is_emptied; /* its entry in the bundle is empty */
    bool is_marked;  /* tail.db calls it erased */
};

struct fixture {
    char folder[64];
    const struct suite *suite;
    struct key *key;
    uint64_t size, sealed;
    struct fixture_event events[FIXTURE_EVENTS];
    struct digest leaves[FIXTURE_EVENTS];
};

static inline int fixture_open(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    f->suite = suite_named("sha256+ed25519");
    strcpy(f->folder, "/tmp/outpost-cli-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    key_make(&f->key, f->suite, "outpost/office-1");
    *state = f;
    return 0;
}

static inline int fixture_close(void **state)
{
    struct fixture *f = *state;
    char command[100];
    snprintf(command, sizeof(command), "rm -rf %s", f->folder);
    assert_int_equal(system(command), 0);
    for (uint64_t i = 0; i < f->size; i++)
        free(f->events[i].body);
    key_free(f->key);
    free(f);
    return 0;
}

/* The journal takes one more event of the source "keeper/keeper" or another. */
static inline uint64_t fixture_put(struct fixture *f, enum talk_lane lane,
                                   const char *source, const char *type, const char *data)
{
    uint64_t seq = f->size++;
    assert_true(seq < FIXTURE_EVENTS);
    int length =
        asprintf(&f->events[seq].body,
                 "{\"specversion\":\"1.0\",\"id\":\"office-1/log1/%" PRIu64
                 "\",\"source\":\"/office-1/%s\",\"type\":\"%s\","
                 "\"time\":\"2026-11-21T03:04:05Z\",\"office\":\"office-1\","
                 "\"log\":\"log1\",\"sequence\":\"%016" PRIu64 "\",\"lane\":\"%s\","
                 "\"data\":%s}",
                 seq, source, type, seq, talk_lane_name(lane), data);
    assert_true(length > 0);
    f->events[seq].lane = lane;
    suite_leaf(f->suite, &f->leaves[seq], f->events[seq].body,
               strlen(f->events[seq].body));
    return seq;
}

/* Every 100th is an alarm, every tenth a record. */
static inline void fixture_fill(struct fixture *f, uint64_t size)
{
    while (f->size < size)
        fixture_put(f,
                    f->size % 100 == 0  ? LANE_ALARM
                    : f->size % 10 == 0 ? LANE_RECORD
                                        : LANE_TELEMETRY,
                    "band/gate", "band.heard", "{\"x\":1}");
}

/* Appends {"n":N,"erased":...,"hashes":[...]}. */
static inline void fixture_print_tile(const struct fixture *f, struct buffer *out,
                                      uint64_t n, const struct cover *cover)
{
    struct cover_node nodes[COVER_NODES_MAX];
    char digits[COVER_DIGITS + 1];
    cover_print(cover, digits);
    buffer_printf(out, "{\"n\":%" PRIu64 ",\"erased\":\"%s\",\"hashes\":[", n, digits);
    unsigned count = cover_nodes(cover, nodes);
    for (unsigned i = 0; i < count; i++) {
        struct digest hash;
        cover_hash(f->suite, &hash, f->leaves + n * TILE_WIDTH, nodes[i]);
        buffer_append_text(out, i == 0 ? "\"" : ",\"");
        base64_encode(out, hash.bytes, DIGEST_BYTES);
        buffer_append_text(out, "\"");
    }
    buffer_append_text(out, "]}");
}

/* The keeper erases the events of one tile, by an event; its seq. */
static inline uint64_t fixture_erase(struct fixture *f, uint64_t n,
                                     const struct cover *cover, const char *type,
                                     const char *reason, const char *lane)
{
    struct buffer tile = {0};
    char *data;
    uint64_t first = UINT64_MAX, last = 0;
    for (unsigned i = 0; i < TILE_WIDTH; i++) {
        if (!cover_has(cover, i))
            continue;
        last = n * TILE_WIDTH + i;
        first = first < last ? first : last;
        f->events[last].is_emptied = f->events[last].is_marked = true;
    }
    fixture_print_tile(f, &tile, n, cover);
    assert_true(asprintf(&data,
                         "{\"reason\":\"%s\",\"lane\":\"%s\",\"first\":%" PRIu64
                         ",\"last\":%" PRIu64 ",\"count\":%u,\"tiles\":[%s]}",
                         reason, lane, first, last, cover_count(cover),
                         buffer_text(&tile)) > 0);
    uint64_t seq = fixture_put(f, LANE_RECORD, "keeper/keeper", type, data);
    free(data);
    buffer_free(&tile);
    return seq;
}

/* All the telemetry of a tile. */
static inline struct cover fixture_telemetry(const struct fixture *f, uint64_t n)
{
    struct cover cover = {{0}};
    for (unsigned i = 0; i < TILE_WIDTH; i++)
        if (f->events[n * TILE_WIDTH + i].lane == LANE_TELEMETRY)
            cover_put(&cover, i);
    return cover;
}

/* ---- To disk */

static inline void fixture_write(const struct fixture *f, const char *name,
                                 const struct buffer *bytes)
{
    char path[200];
    snprintf(path, sizeof(path), "%s/%s", f->folder, name);
    for (char *at = path + strlen(f->folder) + 1; (at = strchr(at, '/')) != NULL; at++) {
        *at = '\0';
        mkdir(path, 0700);
        *at = '/';
    }
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes->bytes, 1, bytes->length, file), bytes->length);
    fclose(file);
}

static inline void fixture_write_hashes(const struct fixture *f, int level,
                                        uint64_t index, unsigned width,
                                        const struct digest *hashes)
{
    char name[TILE_PATH_ROOM];
    struct buffer bytes = {0};
    tile_path(name, level, index, width);
    buffer_append(&bytes, hashes, width * sizeof(*hashes));
    fixture_write(f, name, &bytes);
    buffer_free(&bytes);
}

/* The bundle of a tile and its digest, in hex. */
static inline void fixture_write_bundle(const struct fixture *f, uint64_t n,
                                        char digits[2 * DIGEST_BYTES + 1])
{
    struct buffer plain = {0}, file = {0};
    char name[TILE_PATH_ROOM];
    struct digest digest;
    bool is_empty = true;
    for (unsigned i = 0; i < TILE_WIDTH; i++) {
        const struct fixture_event *event = &f->events[n * TILE_WIDTH + i];
        is_empty &= event->is_emptied;
        bundle_add(&plain, event->body, event->is_emptied ? 0 : strlen(event->body));
    }
    tile_path(name, -1, n, TILE_WIDTH);
    if (!is_empty) {
        bundle_pack(&file, &plain);
        fixture_write(f, name, &file);
    }
    suite_hash(f->suite, &digest, file.bytes, file.length);
    hex_encode(digits, digest.bytes, DIGEST_BYTES);
    buffer_free(&plain);
    buffer_free(&file);
}

static inline void fixture_write_tile(const struct fixture *f, uint64_t n,
                                      struct buffer *sql)
{
    char digits[2 * DIGEST_BYTES + 1];
    unsigned counts[LANES] = {0};
    fixture_write_hashes(f, 0, n, TILE_WIDTH, f->leaves + n * TILE_WIDTH);
    fixture_write_bundle(f, n, digits);
    buffer_printf(sql, "INSERT INTO tile VALUES (%" PRIu64 ", X'%s', X'", n, digits);
    for (unsigned i = 0; i < TILE_WIDTH; i++) {
        const struct fixture_event *event = &f->events[n * TILE_WIDTH + i];
        buffer_printf(sql, "%02x", event->lane | (event->is_marked ? TAIL_ERASED : 0u));
        counts[event->lane] += !event->is_marked;
    }
    buffer_printf(sql, "', %u, %u, %u);\n", counts[0], counts[1], counts[2]);
}

static inline void fixture_write_rows(const struct fixture *f, struct buffer *sql)
{
    for (uint64_t seq = f->sealed; seq < f->size; seq++) {
        char digits[2 * DIGEST_BYTES + 1];
        hex_encode(digits, f->leaves[seq].bytes, DIGEST_BYTES);
        buffer_printf(sql,
                      "INSERT INTO event VALUES (%" PRIu64
                      ", %d, CAST('%s' AS BLOB), X'%s');\n",
                      seq, f->events[seq].lane, f->events[seq].body, digits);
    }
}

static inline void fixture_write_checkpoint(const struct fixture *f)
{
    struct checkpoint checkpoint = {.suite = f->suite, .size = f->size};
    struct buffer note = {0};
    struct tree tree;
    tree_begin(&tree, f->suite);
    for (uint64_t seq = 0; seq < f->size; seq++)
        tree_append(&tree, &f->leaves[seq]);
    tree_root(&tree, &checkpoint.root);
    checkpoint_origin(checkpoint.origin, "office-1", "log1");
    checkpoint_sign(&note, &checkpoint, f->key);
    fixture_write(f, "checkpoint", &note);
    buffer_clear(&note);
    key_print_verifier(f->key, &note);
    buffer_append_text(&note, "\n");
    fixture_write(f, "key.pub", &note);
    buffer_free(&note);
}

/* The hashes of level 1, and the partial tiles of both. */
static inline void fixture_write_edge(const struct fixture *f)
{
    struct digest folded[FIXTURE_EVENTS / TILE_WIDTH];
    unsigned full = (unsigned)(f->size / TILE_WIDTH);
    unsigned left = (unsigned)(f->size % TILE_WIDTH);
    for (unsigned n = 0; n < full; n++)
        cover_hash(f->suite, &folded[n], f->leaves + n * TILE_WIDTH,
                   (struct cover_node){0, 8});
    if (full > 0)
        fixture_write_hashes(f, 1, 0, full, folded);
    if (left > 0)
        fixture_write_hashes(f, 0, full, left, f->leaves + full * TILE_WIDTH);
}

static const char FIXTURE_TABLES[] =
    "PRAGMA application_id = 0x4f757470; PRAGMA user_version = 1;"
    "CREATE TABLE log(office TEXT, log TEXT, suite TEXT, closed INTEGER);"
    "CREATE TABLE sealed(size INTEGER, edge BLOB);"
    "CREATE TABLE tile(n INTEGER, digest BLOB, lanes BLOB, alarms INTEGER,"
    " records INTEGER, telemetry INTEGER);"
    "CREATE TABLE event(seq INTEGER, lane INTEGER, body BLOB, leaf BLOB);"
    "CREATE TABLE link(lane INTEGER, acked INTEGER);"
    "CREATE TABLE receipt(note BLOB);"
    "INSERT INTO log VALUES ('office-1', 'log1', 'sha256+ed25519', 0);"
    "INSERT INTO link VALUES (0, -1), (1, -1), (2, -1); BEGIN;\n";

/* Writes all of it; `sealed` events are in tiles. */
static inline void fixture_save(struct fixture *f, uint64_t sealed)
{
    struct buffer sql = {0}, edge = {0};
    struct tree tree;
    char command[200];
    f->sealed = sealed;
    buffer_append_text(&sql, FIXTURE_TABLES);
    for (uint64_t n = 0; n < sealed / TILE_WIDTH; n++)
        fixture_write_tile(f, n, &sql);
    fixture_write_rows(f, &sql);
    tree_begin(&tree, f->suite);
    for (uint64_t seq = 0; seq < sealed; seq++)
        tree_append(&tree, &f->leaves[seq]);
    tree_save(&tree, &edge);
    buffer_printf(&sql, "INSERT INTO sealed VALUES (%" PRIu64 ", X'", sealed);
    for (size_t i = 0; i < edge.length; i++)
        buffer_printf(&sql, "%02x", (unsigned char)edge.bytes[i]);
    buffer_append_text(&sql, "'); COMMIT;\n");
    fixture_write(f, "tail.db.sql", &sql);
    snprintf(command, sizeof(command),
             "cd %s && sqlite3 tail.db < tail.db.sql && rm tail.db.sql", f->folder);
    assert_int_equal(system(command), 0);
    fixture_write_edge(f);
    fixture_write_checkpoint(f);
    buffer_free(&sql);
    buffer_free(&edge);
}

/* As `outpost verify` does. The ledger is the caller's. */
static inline int fixture_audit(const struct fixture *f, struct ledger *ledger,
                                struct finding *finding)
{
    struct archive *archive = NULL;
    struct papers papers = {.office = NULL};
    struct papers_trust trust = {.office = NULL};
    struct inventory inventory = {.size = f->size, .covered = f->size};
    *ledger = (struct ledger){.hint = 0};
    *finding = (struct finding){.place = ""};
    int err = archive_open(&archive, f->folder, finding);
    if (!err)
        err = papers_read(&papers, archive, &trust, finding);
    if (!err)
        err = inventory_take(&inventory, f->folder, finding);
    if (!err)
        err = audit_events(archive, &papers, &inventory, ledger, finding);
    inventory_free(&inventory);
    papers_free(&papers);
    archive_close(archive);
    return err;
}

#endif
