/* journal - see journal.h.
 *
 * Invariant: tail.base == sealed.size <= size; tree.size == tail.base + tail.count; both equal
 * `size` while no transaction is open. Every row of the store's event table is one entry of the
 * tail. */
#include "keeper/journal/journal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "keeper/blobs/depot.h"
#include "keeper/journal/shelf.h"
#include "keeper/repair/audit.h"
#include "keeper/repair/wal.h"

enum { LOG_ID_BYTES = 8, TILE_FILE_MAX = 32 * TILE_WIDTH };

static bool journal_is_sane(const struct journal *journal)
{
    return journal->tail.base == (int64_t)journal->sealed.size &&
           journal->tree.size == (uint64_t)(journal->tail.base + journal->tail.count) &&
           (journal->is_open || journal->tree.size == (uint64_t)journal->size);
}

int journal_path(const struct journal *journal, char path[JOURNAL_PATH_MAX],
                 const char *name)
{
    return file_join(path, JOURNAL_PATH_MAX, journal->folder, name);
}

/* A tile of the sealed events that is not full is of an upper level, and on disk only while a
 * checkpoint has just that size. */
static int fold_tile(const struct journal *journal, struct buffer *out, int level,
                     uint64_t index, unsigned width)
{
    struct shelf shelf;
    struct digest hashes[TILE_WIDTH];
    ASSERT(level > 0);
    shelf_begin(&shelf, journal->folder, journal->suite);
    int err = shelf_fold(&shelf, hashes, level, index, width);
    if (!err)
        buffer_append(out, hashes, width * sizeof(hashes[0]));
    return err;
}

static int read_full_tile(const struct journal *journal, struct buffer *out, int level,
                          uint64_t index)
{
    char name[TILE_PATH_ROOM], path[JOURNAL_PATH_MAX];
    tile_path(name, level, index, TILE_WIDTH);
    int err = journal_path(journal, path, name);
    return err ? err : file_read(out, path, TILE_FILE_MAX);
}

int journal_read_tile(void *owner, struct buffer *out, int level, uint64_t index,
                      unsigned width)
{
    struct journal *journal = owner;
    return width < TILE_WIDTH ? fold_tile(journal, out, level, index, width)
                              : read_full_tile(journal, out, level, index);
}

int journal_read_hashes(const struct journal *journal, struct digest hashes[TILE_WIDTH],
                        int level, uint64_t index)
{
    struct buffer file = {0};
    int err = read_full_tile(journal, &file, level, index);
    if (!err && file.length != TILE_FILE_MAX)
        err = -EBADMSG;
    if (!err)
        memcpy(hashes, file.bytes, file.length);
    buffer_free(&file);
    return err;
}

/* Blobs that lie where a log begins are another one's: its table is gone, though so little is there of
 * its journal that nothing looks damaged. */
static void keep_blobs(const struct journal *journal)
{
    char state[JOURNAL_PATH_MAX], blobs[JOURNAL_PATH_MAX];
    int err = journal_path(journal, state, "..");
    if (!err)
        err = file_join(blobs, sizeof(blobs), state, "blobs");
    if (!err && file_exists(blobs))
        err = depot_mark(state, NULL);
    if (err)
        log_error("blobs/adopt cannot be made: %s", strerror(-err));
}

static int make_log(struct journal *journal, const char *office, const char *suite)
{
    uint8_t id[LOG_ID_BYTES];
    char text[2 * LOG_ID_BYTES + 1];
    random_bytes(id, sizeof(id));
    hex_encode(text, id, sizeof(id));
    struct store_log *log = &journal->log;
    *log = (struct store_log){0};
    snprintf(log->office, sizeof(log->office), "%s", office);
    snprintf(log->log, sizeof(log->log), "%s", text);
    snprintf(log->suite, sizeof(log->suite), "%s", suite);
    keep_blobs(journal);
    int err = store_begin(journal->store);
    if (!err)
        err = store_put_log(journal->store, log);
    return err ? err : store_commit(journal->store);
}

/* Another office's journal has a checkpoint of that office; else the name is what is damaged. */
static int refuse_office(const struct journal *journal, const char *office)
{
    return audit_is_ours(journal->folder, journal->key, office) ? -EBADMSG : -EXDEV;
}

static int open_log(struct journal *journal, const char *office, const char *suite)
{
    int err = store_get_log(journal->store, &journal->log);
    if (err == -ENOENT)
        err = audit_has_history(journal->folder) ? -EBADMSG
                                                 : make_log(journal, office, suite);
    if (err)
        return err;
    if (strcmp(journal->log.office, office) != 0)
        return refuse_office(journal, office);
    journal->suite = suite_named(journal->log.suite);
    if (journal->suite == NULL || !word_is_id(journal->log.log))
        return -EBADMSG;
    return checkpoint_origin(journal->origin, office, journal->log.log);
}

static int open_sealed(struct journal *journal)
{
    struct buffer edge = {0};
    int64_t size;
    int err = store_get_sealed(journal->store, &size, &edge);
    if (!err && (size < 0 || size % TILE_WIDTH != 0))
        err = -EBADMSG;
    if (!err)
        err = tree_load(&journal->sealed, journal->suite, (uint64_t)size, edge.bytes,
                        edge.length);
    buffer_free(&edge);
    if (err)
        return err == -EPROTO ? -EBADMSG : err;
    journal->tree = journal->sealed;
    tail_begin(&journal->tail, size);
    journal->size = size;
    return 0;
}

/* The last event of each lane among the sealed ones; the audit adds those of the tail. */
static int open_lane_ends(struct journal *journal)
{
    int missing = LANES;
    for (int lane = 0; lane < LANES; lane++)
        journal->lane_last[lane] = -1;
    for (int64_t n = journal->size / TILE_WIDTH - 1; n >= 0 && missing > 0; n--) {
        struct store_tile tile;
        int err = store_get_tile(journal->store, n, &tile);
        if (err)
            return -EBADMSG;
        for (int i = TILE_WIDTH - 1; i >= 0; i--) {
            int lane = tile.lanes[i] & ~STORE_ERASED;
            if (lane >= LANES)
                return -EBADMSG;
            int64_t *last = &journal->lane_last[lane];
            missing -= *last < 0;
            if (*last < 0)
                *last = n * TILE_WIDTH + i;
        }
    }
    return 0;
}

static int open_receipt(struct journal *journal)
{
    int err = store_get_receipt(journal->store, &journal->receipt);
    if (err && err != -ENOENT)
        return err;
    return store_get_marks(journal->store, journal->marks);
}

/* SQLite would make a file that is not there. */
static int find_store(const struct journal *journal, const char *path, struct buffer *why)
{
    if (file_exists(path) || !audit_has_history(journal->folder))
        return 0;
    buffer_append_text(why, "tail.db is missing");
    return -EBADMSG;
}

/* Each transaction is on disk before the next begins: a cut can leave one that is not whole. With
 * two, some were answered and cannot be read, and SQLite would go on as if they had never been. */
static int check_ahead(const struct journal *journal, struct buffer *why)
{
    char path[JOURNAL_PATH_MAX];
    struct wal wal;
    if (journal_path(journal, path, "tail.db-wal") != 0 || wal_look(&wal, path) != 0 ||
        wal.claimed <= wal.whole + 1)
        return 0;
    buffer_printf(why,
                  "tail.db-wal: %" PRId64
                  " transactions are whole, the others of %" PRId64 " are not",
                  wal.whole, wal.claimed);
    return -EBADMSG;
}

static int open_store(struct journal *journal, const char *path,
                      const struct audit_end *end)
{
    int err = store_open(&journal->store, path);
    if (!err && !end->is_true)
        err = store_check(journal->store);
    return err;
}

static int open_parts(struct journal *journal, const struct key *city, const char *office,
                      const char *suite, struct buffer *why)
{
    char path[JOURNAL_PATH_MAX];
    struct audit_end end;
    int err = journal_path(journal, path, "tail.db");
    if (!err)
        err = find_store(journal, path, why);
    if (!err)
        err = check_ahead(journal, why);
    if (err)
        return err;
    audit_read_end(&end, journal->folder, journal->key);
    err = open_store(journal, path, &end);
    if (!err)
        err = open_log(journal, office, suite);
    if (!err)
        err = open_sealed(journal);
    if (!err)
        err = open_lane_ends(journal);
    if (!err)
        err = open_receipt(journal);
    if (err)
        buffer_append_text(why, "tail.db cannot be read");
    if (!err)
        err = audit_journal(journal, city, why);
    return err ? err : audit_check_end(journal, &end, why);
}

int journal_open(struct journal **out, const char *folder, struct key *key,
                 const struct key *city, const char *office, const char *suite,
                 struct buffer *why)
{
    struct journal *journal = mem_new(struct journal);
    journal->key = key;
    journal->bundle_index = -1;
    snprintf(journal->folder, sizeof(journal->folder), "%s", folder);
    int err = open_parts(journal, city, office, suite, why);
    if (err) {
        journal_close(journal);
        return err;
    }
    ASSERT(journal_is_sane(journal));
    store_trust(journal->store);
    *out = journal;
    return 0;
}

void journal_close(struct journal *journal)
{
    if (journal == NULL)
        return;
    bundle_close(&journal->bundle);
    tail_free(&journal->tail);
    buffer_free(&journal->composed);
    buffer_free(&journal->receipt);
    store_close(journal->store);
    mem_free(journal);
}

int journal_root(struct journal *journal, struct digest *root, uint64_t size)
{
    if (size > (uint64_t)journal->size)
        return -ERANGE;
    if (size < journal->sealed.size) {
        struct tile_source source = {.read = journal_read_tile,
                                     .owner = journal,
                                     .suite = journal->suite,
                                     .size = journal->sealed.size};
        return tile_root(&source, root, size);
    }
    struct tree tree = journal->sealed;
    while (tree.size < size)
        tree_append(&tree, tail_leaf(&journal->tail, (int64_t)tree.size));
    tree_root(&tree, root);
    return 0;
}

int journal_begin(struct journal *journal)
{
    ASSERT(!journal->is_open && journal_is_sane(journal));
    int err = store_begin(journal->store);
    if (err)
        return err;
    journal->before = journal->tree;
    journal->is_open = true;
    return 0;
}

int64_t journal_next(const struct journal *journal)
{
    return (int64_t)journal->tree.size;
}

int journal_append(struct journal *journal, const struct event_draft *draft, int64_t *seq)
{
    ASSERT(journal->is_open);
    struct event_stamp stamp = {journal->log.office, journal->log.log,
                                journal_next(journal)};
    buffer_clear(&journal->composed);
    int err = event_compose(&journal->composed, draft, &stamp);
    if (err)
        return err;
    struct store_event event = {.seq = stamp.seq,
                                .lane = draft->lane,
                                .body = journal->composed.bytes,
                                .length = journal->composed.length};
    suite_leaf(journal->suite, &event.leaf, event.body, event.length);
    err = store_add_event(journal->store, &event);
    if (err)
        return err;
    tree_append(&journal->tree, &event.leaf);
    tail_push(&journal->tail, event.lane, &event.leaf);
    *seq = event.seq;
    return 0;
}

int journal_commit(struct journal *journal)
{
    ASSERT(journal->is_open);
    int err = store_commit(journal->store);
    if (err) {
        journal_rollback(journal);
        return err;
    }
    journal->is_open = false;
    for (int64_t seq = journal->size; seq < (int64_t)journal->tree.size; seq++)
        journal->lane_last[tail_lane(&journal->tail, seq)] = seq;
    journal->size = (int64_t)journal->tree.size;
    ASSERT(journal_is_sane(journal));
    return 0;
}

void journal_rollback(struct journal *journal)
{
    store_rollback(journal->store);
    journal->tree = journal->before;
    tail_cut(&journal->tail, (int64_t)journal->tree.size);
    journal->is_open = false;
    ASSERT(journal_is_sane(journal));
}
