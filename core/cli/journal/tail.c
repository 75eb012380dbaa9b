/* tail - see tail.h. This room's door to SQLite.
 *
 * The file is foreign: it may be anybody's copy, damaged or made up. Every value is checked for
 * type and range, what is read is bounded, and the schema is not trusted to run functions. */
#include "cli/journal/tail.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "base/file.h"

static const char NAME[] = "tail.db";

enum {
    APPLICATION = 0x4f757470, /* "Outp" */
    VERSION_LEAST = 1,
    VERSION = 2,
    VERSION_BLOBS = 2, /* since when there is a table of blobs */
    BODIES_MAX = 1 << 30,
    VALUE_MAX = 1 << 20,
    SHM_LOCK_BYTE =
        128, /* of the -shm file: every connection in WAL mode holds it locked */
    BUSY_MS = 5000
};

struct reading {
    sqlite3 *db;
    struct tail *tail;
    struct finding *finding;
    char temporary[PATH_MAX]; /* folder of the copy, or empty */
};

static int bad(struct reading *reading, const char *what)
{
    return finding_put(reading->finding, NAME, "%s", what);
}

/* The only place that knows SQLite's codes. */
static int reading_error(struct reading *reading, int code)
{
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return 0;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    case SQLITE_NOMEM:
        return -ENOMEM;
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
        return -EACCES;
    case SQLITE_FULL:
        return -ENOSPC;
    default:
        return bad(reading, sqlite3_errmsg(reading->db));
    }
}

/* Runs a query and hands each row to `take`. */
static int each_row(struct reading *reading, const char *sql,
                    int (*take)(struct reading *reading, sqlite3_stmt *row))
{
    sqlite3_stmt *row = NULL;
    int code = sqlite3_prepare_v2(reading->db, sql, -1, &row, NULL);
    int err = reading_error(reading, code);
    while (!err && (code = sqlite3_step(row)) == SQLITE_ROW)
        err = take(reading, row);
    if (!err)
        err = reading_error(reading, code);
    sqlite3_finalize(row);
    return err;
}

static bool copy_text(sqlite3_stmt *row, int column, char *text, size_t room)
{
    const char *value = (const char *)sqlite3_column_text(row, column);
    size_t length = (size_t)sqlite3_column_bytes(row, column);
    if (value == NULL || length >= room || strlen(value) != length)
        return false;
    memcpy(text, value, length + 1);
    return true;
}

static bool copy_bytes(sqlite3_stmt *row, int column, void *bytes, size_t length)
{
    const void *value = sqlite3_column_blob(row, column);
    if (value == NULL || (size_t)sqlite3_column_bytes(row, column) != length)
        return false;
    memcpy(bytes, value, length);
    return true;
}

static void append_bytes(sqlite3_stmt *row, int column, struct buffer *out)
{
    const void *value = sqlite3_column_blob(row, column);
    int length = sqlite3_column_bytes(row, column);
    if (value != NULL && length > 0)
        buffer_append(out, value, (size_t)length);
}

static int take_integrity(struct reading *reading, sqlite3_stmt *row)
{
    char text[FINDING_WHAT_MAX];
    if (!copy_text(row, 0, text, sizeof(text)))
        return bad(reading, "its integrity check says nothing");
    return strcmp(text, "ok") == 0 ? 0 : bad(reading, text);
}

static int take_application(struct reading *reading, sqlite3_stmt *row)
{
    int id = sqlite3_column_int(row, 0);
    if (id == APPLICATION)
        return 0;
    return finding_put(reading->finding, NAME,
                       "application id %d, expected %d: not a journal's", id,
                       APPLICATION);
}

static int take_version(struct reading *reading, sqlite3_stmt *row)
{
    int version = sqlite3_column_int(row, 0);
    if (version >= VERSION_LEAST && version <= VERSION)
        return 0;
    return finding_put(reading->finding, NAME, "version %d, expected %d to %d", version,
                       VERSION_LEAST, VERSION);
}

static int take_log(struct reading *reading, sqlite3_stmt *row)
{
    struct tail *tail = reading->tail;
    char suite[32];
    if (!copy_text(row, 0, tail->office, sizeof(tail->office)) ||
        !word_is_id(tail->office) || !copy_text(row, 1, tail->log, sizeof(tail->log)) ||
        !word_is_id(tail->log) || !copy_text(row, 2, suite, sizeof(suite)))
        return bad(reading, "table log: expected an office, a log and a suite");
    tail->suite = suite_named(suite);
    if (tail->suite == NULL)
        return finding_put(reading->finding, NAME, "table log: unknown suite \"%s\"",
                           suite);
    tail->is_closed = sqlite3_column_int(row, 3) != 0;
    return 0;
}

static int take_sealed(struct reading *reading, sqlite3_stmt *row)
{
    int64_t size = sqlite3_column_int64(row, 0);
    if (size < 0 || size % TILE_WIDTH != 0)
        return finding_put(reading->finding, NAME,
                           "table sealed: size %" PRId64 ", expected a multiple of %d",
                           size, TILE_WIDTH);
    reading->tail->sealed = (uint64_t)size;
    append_bytes(row, 1, &reading->tail->edge);
    return 0;
}

/* What is erased counts no more. */
static bool counts_fit(const struct tail_tile *tile, sqlite3_stmt *row)
{
    unsigned counts[LANES] = {0};
    for (unsigned i = 0; i < TILE_WIDTH; i++) {
        if ((tile->lanes[i] & ~TAIL_ERASED) >= LANES)
            return false;
        if (!(tile->lanes[i] & TAIL_ERASED))
            counts[tile->lanes[i]]++;
    }
    for (int lane = 0; lane < LANES; lane++)
        if (sqlite3_column_int64(row, 3 + lane) != counts[lane])
            return false;
    return true;
}

static int take_tile(struct reading *reading, sqlite3_stmt *row)
{
    struct tail_tile tile;
    int64_t index = sqlite3_column_int64(row, 0);
    if (index < 0 || (uint64_t)index >= reading->tail->sealed / TILE_WIDTH)
        return finding_put(reading->finding, NAME,
                           "table tile: row %" PRId64 " of events that are not sealed",
                           index);
    if (tail_tile(reading->tail, (uint64_t)index) != NULL)
        return finding_put(reading->finding, NAME,
                           "table tile: row %" PRId64 " stands there twice", index);
    tile.index = (uint64_t)index;
    if (!copy_bytes(row, 1, tile.lanes, sizeof(tile.lanes)) ||
        !copy_bytes(row, 2, &tile.file, sizeof(tile.file)))
        return finding_put(reading->finding, NAME,
                           "table tile: row %" PRId64 " holds no lanes and digest",
                           index);
    if (!counts_fit(&tile, row))
        return finding_put(reading->finding, NAME,
                           "table tile: row %" PRId64 " counts its lanes wrongly", index);
    buffer_append(&reading->tail->tiles, &tile, sizeof(tile));
    return 0;
}

static int take_event(struct reading *reading, sqlite3_stmt *row)
{
    struct tail *tail = reading->tail;
    struct tail_event event = {.seq = sqlite3_column_int64(row, 0),
                               .start = tail->bodies.length};
    int64_t expected = (int64_t)(tail->sealed + tail_count(tail));
    char place[FINDING_PLACE_MAX];
    snprintf(place, sizeof(place), "event %" PRId64 " (tail.db)", expected);
    if (event.seq != expected)
        return finding_put(reading->finding, place,
                           "missing; the next row is event %" PRId64, event.seq);
    int64_t lane = sqlite3_column_int64(row, 1);
    event.length = (size_t)sqlite3_column_bytes(row, 2);
    if (lane < 0 || lane >= LANES || event.length == 0 || event.length > TALK_EVENT_MAX ||
        !copy_bytes(row, 3, &event.leaf, sizeof(event.leaf)))
        return finding_put(reading->finding, place, "the row holds no event");
    if (tail->bodies.length + event.length > BODIES_MAX)
        return -EFBIG;
    event.lane = (enum talk_lane)lane;
    append_bytes(row, 2, &tail->bodies);
    buffer_append(&tail->events, &event, sizeof(event));
    return 0;
}

static int take_mark(struct reading *reading, sqlite3_stmt *row)
{
    int64_t lane = sqlite3_column_int64(row, 0);
    int64_t acked = sqlite3_column_int64(row, 1);
    if (lane < 0 || lane >= LANES || acked < -1)
        return bad(reading, "table link: expected a lane and its mark");
    reading->tail->marks[lane] = acked;
    return 0;
}

static int take_receipt(struct reading *reading, sqlite3_stmt *row)
{
    append_bytes(row, 0, &reading->tail->receipt);
    return reading->tail->receipt.length > 0
               ? 0
               : bad(reading, "table receipt: an empty note");
}

/* -1: nothing there, or not a number of the keeper's. */
static int64_t number_of(sqlite3_stmt *row, int column)
{
    int64_t number = -1;
    return copy_bytes(row, column, &number, sizeof(number)) ? number : -1;
}

static int take_blob(struct reading *reading, sqlite3_stmt *row)
{
    struct tail *tail = reading->tail;
    struct tail_blob blob = {.has_sm3 = sqlite3_column_bytes(row, 1) > 0,
                             .size = sqlite3_column_int64(row, 2),
                             .class = sqlite3_column_int64(row, 3),
                             .until_us = sqlite3_column_int64(row, 4),
                             .is_released = sqlite3_column_int(row, 5) != 0,
                             .is_damaged = sqlite3_column_int(row, 6) != 0,
                             .seq = sqlite3_column_int64(row, 7),
                             .uploaded_us = sqlite3_column_int64(row, 8),
                             .newest = number_of(row, 9)};
    if (!copy_bytes(row, 0, &blob.sha256, sizeof(blob.sha256)) ||
        (blob.has_sm3 && !copy_bytes(row, 1, &blob.sm3, sizeof(blob.sm3))) ||
        blob.size < 0 || blob.class < 0 || blob.class > CLASSES || blob.until_us < -1 ||
        blob.seq < -1)
        return finding_put(reading->finding, NAME,
                           "table blob: row %zu is not of a stored file",
                           tail_blob_count(tail));
    if (tail->blobs.length > BODIES_MAX)
        return -EFBIG;
    buffer_append(&tail->blobs, &blob, sizeof(blob));
    return 0;
}

static int take_blobs(struct reading *reading, sqlite3_stmt *row)
{
    reading->tail->has_blobs = sqlite3_column_int(row, 0) >= VERSION_BLOBS;
    return reading->tail->has_blobs
               ? each_row(reading,
                          "SELECT digest, sm3, size, class, until, state, damaged, seq, "
                          "uploaded, (SELECT value FROM kv WHERE instance = '' AND "
                          "key = 'custody/' || lower(hex(digest))) FROM blob "
                          "ORDER BY digest",
                          take_blob)
               : 0;
}

/* In this order: each reads what those before have found. */
static const struct {
    const char *sql;
    int (*take)(struct reading *reading, sqlite3_stmt *row);
} QUERIES[] = {
    {"PRAGMA application_id", take_application},
    {"PRAGMA user_version", take_version},
    {"PRAGMA integrity_check(1)", take_integrity},
    {"SELECT office, log, suite, closed FROM log", take_log},
    {"SELECT size, edge FROM sealed", take_sealed},
    {"SELECT n, lanes, digest, alarms, records, telemetry FROM tile ORDER BY n",
     take_tile},
    {"SELECT seq, lane, body, leaf FROM event ORDER BY seq", take_event},
    {"SELECT lane, acked FROM link", take_mark},
    {"SELECT note FROM receipt", take_receipt},
    {"PRAGMA user_version", take_blobs},
};

static int query_all(struct reading *reading)
{
    struct tail *tail = reading->tail;
    int err =
        reading_error(reading, sqlite3_exec(reading->db, "BEGIN", NULL, NULL, NULL));
    for (size_t i = 0; i < countof(QUERIES) && !err; i++)
        err = each_row(reading, QUERIES[i].sql, QUERIES[i].take);
    if (!err && tail->suite == NULL)
        return bad(reading, "table log is empty");
    return err;
}

static bool is_live(const char *folder)
{
    char path[PATH_MAX];
    return file_join(path, sizeof(path), folder, "tail.db-shm") == 0 &&
           file_is_locked(path, SHM_LOCK_BYTE);
}

static int copy_all(int to, int from)
{
    char room[65536];
    for (;;) {
        ssize_t length = read(from, room, sizeof(room));
        if (length == 0)
            return 0;
        if (length < 0 || write(to, room, (size_t)length) != length)
            return length < 0 ? -errno : -ENOSPC;
    }
}

static int copy_file(const char *to_folder, const char *from_folder, const char *name)
{
    char from_path[PATH_MAX], to_path[PATH_MAX];
    if (file_join(from_path, sizeof(from_path), from_folder, name) != 0 ||
        file_join(to_path, sizeof(to_path), to_folder, name) != 0)
        return -ENAMETOOLONG;
    int from = open(from_path, O_RDONLY | O_CLOEXEC);
    if (from < 0)
        return -errno;
    int to = open(to_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int err = to < 0 ? -errno : copy_all(to, from);
    if (to >= 0)
        close(to);
    close(from);
    return err;
}

static int make_copy(struct reading *reading, const char *folder)
{
    const char *parent = getenv("TMPDIR");
    int err =
        file_join(reading->temporary, sizeof(reading->temporary),
                  parent != NULL && parent[0] == '/' ? parent : "/tmp", "outpost-XXXXXX");
    if (err || mkdtemp(reading->temporary) == NULL) {
        reading->temporary[0] = '\0';
        return err ? err : -errno;
    }
    err = copy_file(reading->temporary, folder, NAME);
    if (err)
        return err;
    err = copy_file(reading->temporary, folder, "tail.db-wal");
    return err == -ENOENT ? 0 : err;
}

static void remove_copy(const struct reading *reading)
{
    static const char *const NAMES[] = {"tail.db", "tail.db-wal", "tail.db-shm",
                                        "tail.db-journal"};
    char path[PATH_MAX];
    if (reading->temporary[0] == '\0')
        return;
    for (size_t i = 0; i < countof(NAMES); i++)
        if (file_join(path, sizeof(path), reading->temporary, NAMES[i]) == 0)
            unlink(path);
    rmdir(reading->temporary);
}

static int open_database(struct reading *reading, const char *folder)
{
    char path[PATH_MAX];
    bool copied = reading->temporary[0] != '\0';
    int err = file_join(path, sizeof(path), folder, NAME);
    if (err)
        return err;
    int flags = copied ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
    err = reading_error(reading, sqlite3_open_v2(path, &reading->db, flags, NULL));
    if (err)
        return err;
    sqlite3_busy_timeout(reading->db, BUSY_MS);
    sqlite3_limit(reading->db, SQLITE_LIMIT_LENGTH, VALUE_MAX);
    sqlite3_db_config(reading->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(reading->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    return reading_error(reading, sqlite3_exec(reading->db, "PRAGMA cell_size_check = ON",
                                               NULL, NULL, NULL));
}

int tail_load(struct tail *tail, const char *folder, struct finding *finding)
{
    struct reading reading = {.tail = tail, .finding = finding};
    *tail = (struct tail){.is_live = is_live(folder)};
    for (int lane = 0; lane < LANES; lane++)
        tail->marks[lane] = -1;
    int err = tail->is_live ? 0 : make_copy(&reading, folder);
    if (!err)
        err = open_database(&reading, tail->is_live ? folder : reading.temporary);
    if (!err)
        err = query_all(&reading);
    sqlite3_close(reading.db);
    remove_copy(&reading);
    return err;
}

void tail_free(struct tail *tail)
{
    buffer_free(&tail->edge);
    buffer_free(&tail->tiles);
    buffer_free(&tail->events);
    buffer_free(&tail->bodies);
    buffer_free(&tail->receipt);
    buffer_free(&tail->blobs);
}

size_t tail_count(const struct tail *tail)
{
    return tail->events.length / sizeof(struct tail_event);
}

const struct tail_event *tail_at(const struct tail *tail, size_t i)
{
    ASSERT(i < tail_count(tail));
    return (const struct tail_event *)(const void *)tail->events.bytes + i;
}

size_t tail_tile_count(const struct tail *tail)
{
    return tail->tiles.length / sizeof(struct tail_tile);
}

/* Where the row of tile `index` is, or would be. */
static size_t place_of(const struct tail *tail, uint64_t index)
{
    const struct tail_tile *tiles = (const void *)tail->tiles.bytes;
    size_t from = 0, until = tail_tile_count(tail);
    while (from < until) {
        size_t middle = from + (until - from) / 2;
        if (tiles[middle].index < index)
            from = middle + 1;
        else
            until = middle;
    }
    return from;
}

const struct tail_tile *tail_tile(const struct tail *tail, uint64_t index)
{
    const struct tail_tile *tiles = (const void *)tail->tiles.bytes;
    size_t at = place_of(tail, index);
    return at < tail_tile_count(tail) && tiles[at].index == index ? &tiles[at] : NULL;
}

uint64_t tail_known(const struct tail *tail, uint64_t seq)
{
    const struct tail_tile *tiles = (const void *)tail->tiles.bytes;
    if (seq >= tail->sealed)
        return seq;
    size_t at = place_of(tail, seq / TILE_WIDTH);
    uint64_t known =
        at < tail_tile_count(tail) ? tiles[at].index * TILE_WIDTH : tail->sealed;
    return known > seq ? known : seq;
}

bool tail_is_erased(const struct tail *tail, uint64_t seq)
{
    const struct tail_tile *tile = tail_tile(tail, seq / TILE_WIDTH);
    return tile != NULL && tile->lanes[seq % TILE_WIDTH] & TAIL_ERASED;
}

int tail_lane(const struct tail *tail, uint64_t seq)
{
    const struct tail_tile *tile = tail_tile(tail, seq / TILE_WIDTH);
    return tile == NULL ? -1 : tile->lanes[seq % TILE_WIDTH] & ~TAIL_ERASED;
}

bool tail_tile_is_erased(const struct tail *tail, uint64_t index)
{
    const struct tail_tile *tile = tail_tile(tail, index);
    for (unsigned i = 0; i < TILE_WIDTH; i++)
        if (tile == NULL || !(tile->lanes[i] & TAIL_ERASED))
            return false;
    return true;
}

size_t tail_blob_count(const struct tail *tail)
{
    return tail->blobs.length / sizeof(struct tail_blob);
}

const struct tail_blob *tail_blob_at(const struct tail *tail, size_t i)
{
    ASSERT(i < tail_blob_count(tail));
    return (const struct tail_blob *)(const void *)tail->blobs.bytes + i;
}

const struct tail_blob *tail_blob(const struct tail *tail, const struct digest *digest)
{
    size_t from = 0, until = tail_blob_count(tail);
    while (from < until) {
        size_t middle = from + (until - from) / 2;
        const struct tail_blob *blob = tail_blob_at(tail, middle);
        int order = memcmp(blob->sha256.bytes, digest->bytes, DIGEST_BYTES);
        if (order == 0)
            return blob;
        from = order < 0 ? middle + 1 : from;
        until = order > 0 ? middle : until;
    }
    return NULL;
}

/* Tiles that were sealed since stay out: the rest of `tail` knows nothing of them. */
int tail_look_again(struct tail *tail, const char *folder, struct finding *finding)
{
    struct tail now;
    int err = tail_load(&now, folder, finding);
    if (!err && now.tiles.length >= tail->tiles.length && tail->tiles.length > 0)
        memcpy(tail->tiles.bytes, now.tiles.bytes, tail->tiles.length);
    tail_free(&now);
    return err;
}
