/* fixture - a journal in a folder of its own, and what tests do with one.
 *
 * Every folder is new and under TMPDIR; fixture_close() removes it. The functions are here and not
 * in a source, because a test program is one source and the room's archive. */
#ifndef TESTS_KEEPER_FIXTURE_H
#define TESTS_KEEPER_FIXTURE_H

#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/base.h"
#include "base/file.h"
#include "keeper/journal/journal.h"
#include "keeper/journal/notary.h"
#include "keeper/journal/seal.h"

#define FIXTURE_OFFICE "350105-003"
#define FIXTURE_SUITE  "sha256+ed25519"

struct fixture {
    char folder[256];
    struct key *key;
    const struct key *city; /* whose receipts count; NULL: not known */
    struct journal *journal;
    struct buffer why;
    uint64_t signed_size; /* of the newest checkpoint */
};

static inline void fixture_folder(char *folder, size_t room)
{
    const char *above = getenv("TMPDIR");
    snprintf(folder, room, "%s/keeper-test-XXXXXX", above && *above ? above : "/tmp");
    assert_non_null(mkdtemp(folder));
}

static inline int fixture_remove_one(const char *path, const struct stat *state, int type,
                                     struct FTW *place)
{
    (void)state;
    (void)type;
    (void)place;
    return remove(path);
}

static inline void fixture_remove(const char *folder)
{
    assert_int_equal(nftw(folder, fixture_remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* Writes "folder/below", and the folders above it. */
static inline void fixture_write(const char *folder, const char *below, const char *text)
{
    char path[JOURNAL_PATH_MAX];
    assert_int_equal(file_join(path, sizeof(path), folder, below), 0);
    char *name = strrchr(path, '/');
    *name = '\0';
    assert_int_equal(file_make_folders(path), 0);
    *name = '/';
    assert_int_equal(file_put(path, text, strlen(text), 0600), 0);
}

/* Opens the journal in the folder; what journal_open() says. */
static inline int fixture_reopen(struct fixture *fixture)
{
    journal_close(fixture->journal);
    fixture->journal = NULL;
    buffer_clear(&fixture->why);
    return journal_open(&fixture->journal, fixture->folder, fixture->key, fixture->city,
                        FIXTURE_OFFICE, FIXTURE_SUITE, &fixture->why);
}

static inline void fixture_open(struct fixture *fixture)
{
    *fixture = (struct fixture){.journal = NULL};
    fixture_folder(fixture->folder, sizeof(fixture->folder));
    assert_int_equal(
        key_make(&fixture->key, suite_named(FIXTURE_SUITE), "outpost/" FIXTURE_OFFICE),
        0);
    assert_int_equal(fixture_reopen(fixture), 0);
}

static inline void fixture_close(struct fixture *fixture)
{
    journal_close(fixture->journal);
    key_free(fixture->key);
    buffer_free(&fixture->why);
    fixture_remove(fixture->folder);
}

/* "folder/name"; good until the next call. */
static inline const char *fixture_path(const struct fixture *fixture, const char *name)
{
    static char path[JOURNAL_PATH_MAX];
    assert_int_equal(file_join(path, sizeof(path), fixture->folder, name), 0);
    return path;
}

/* Adds an event to the open transaction. */
static inline int64_t fixture_append(struct journal *journal, enum talk_lane lane,
                                     const char *type, const char *data)
{
    struct event_draft draft = {.source = "band/gate",
                                .type = type,
                                .lane = lane,
                                .data = data,
                                .data_length = strlen(data)};
    int64_t seq = -1;
    assert_int_equal(journal_append(journal, &draft, &seq), 0);
    return seq;
}

/* Commits `count` events whose lanes take turns: alarm, record, telemetry, ... */
static inline void fixture_fill(struct journal *journal, int count)
{
    static const char *const TYPES[LANES] = {"band.opened", "band.seen", "pulse.read"};
    assert_int_equal(journal_begin(journal), 0);
    for (int i = 0; i < count; i++) {
        char data[64];
        int64_t seq = (int64_t)journal->tree.size;
        snprintf(data, sizeof(data), "{\"n\":%d}", (int)seq);
        fixture_append(journal, (enum talk_lane)(seq % LANES), TYPES[seq % LANES], data);
    }
    assert_int_equal(journal_commit(journal), 0);
}

/* Runs SQL on tail.db by a connection of its own: what somebody else might do to the file. */
static inline void fixture_sql(const struct fixture *fixture, const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(fixture_path(fixture, "tail.db"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

/* The first number that the SQL gives; -1 when none. */
static inline int64_t fixture_ask(const struct fixture *fixture, const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *rows;
    assert_int_equal(sqlite3_open_v2(fixture_path(fixture, "tail.db"), &db,
                                     SQLITE_OPEN_READONLY, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &rows, NULL), SQLITE_OK);
    int64_t value = sqlite3_step(rows) == SQLITE_ROW ? sqlite3_column_int64(rows, 0) : -1;
    sqlite3_finalize(rows);
    sqlite3_close(db);
    return value;
}

/* Signs a checkpoint of what there is. */
static inline void fixture_sign(struct fixture *fixture)
{
    struct notary notary;
    struct buffer note = {0};
    notary_begin(&notary, fixture->journal, fixture->signed_size);
    assert_int_equal(notary_work(&notary, &note), 0);
    fixture->signed_size = notary.checkpoint.size;
    buffer_free(&note);
}

/* Puts a checkpoint there that our key has signed for another log. */
static inline void fixture_foreign_checkpoint(const struct fixture *fixture)
{
    struct checkpoint checkpoint = {.suite = suite_named(FIXTURE_SUITE), .size = 1};
    struct buffer note = {0};
    assert_int_equal(checkpoint_origin(checkpoint.origin, FIXTURE_OFFICE, "another"), 0);
    checkpoint_sign(&note, &checkpoint, fixture->key);
    assert_int_equal(
        file_put(fixture_path(fixture, "checkpoint"), note.bytes, note.length, 0640), 0);
    buffer_free(&note);
}

/* Seals the full tiles, at most SEAL_TILES_MAX. */
static inline void fixture_seal(struct fixture *fixture)
{
    struct seal seal = {0};
    struct buffer digests = {0};
    assert_int_equal(seal_begin(&seal, fixture->journal), 0);
    assert_int_equal(seal_work(&seal, &digests), 0);
    assert_int_equal(seal_end(&seal, &digests), 0);
    seal_free(&seal);
    buffer_free(&digests);
}

static inline void fixture_flip(const char *path, long at)
{
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, at, at < 0 ? SEEK_END : SEEK_SET), 0);
    int byte = fgetc(file);
    assert_int_equal(fseek(file, at, at < 0 ? SEEK_END : SEEK_SET), 0);
    fputc(byte ^ 1, file);
    assert_int_equal(fclose(file), 0);
}

#endif
