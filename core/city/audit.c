/* audit - see audit.h.
 *
 * A log is walked once, in order, appending its leaves to a tree; wherever the tree has the size of
 * a stored checkpoint the roots are compared, so that a body changed together with its leaf is
 * still found, between two checkpoints. */
#include "city/audit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/mem.h"
#include "city/batch.h"
#include "city/options.h"
#include "proof/checkpoint.h"
#include "proof/tile.h"
#include "proof/tree.h"

static const char USAGE[] =
    "usage: outpost-city verify --database sqlite:FILE [--offices FILE]\n"
    "\n"
    "Checks everything stored once more: rows against bodies, bodies against the leaves "
    "that\n"
    "were verified, leaves against the checkpoints, checkpoints against the offices' "
    "keys.\n"
    "\n"
    "  --offices FILE   the offices' public key lines. Without it those pinned in the "
    "database\n"
    "                   are believed, which proves less: whoever can write there can pin "
    "others\n"
    "\n"
    "Exit status: 0 \"verify: ok ...\"; 1 the first bad event or checkpoint, or how many "
    "findings\n"
    "there are and of which kinds; 2 wrong use.\n";

struct signed_size {
    int64_t size;
    struct digest root;
};

/* One log under examination. */
struct walk {
    struct audit_report *report;
    struct store *store;
    struct offices *offices;
    const char *office, *log;
    struct store_log state;
    struct tree tree;
    struct buffer leaves; /* of the tile that the tree is in */
    size_t count, next;   /* stored checkpoints by rising size */
    struct signed_size *sizes;
    int64_t expected; /* the next seq below the verified size */
};

__attribute__((format(printf, 3, 4))) static int bad(struct walk *walk, int64_t seq,
                                                     const char *format, ...)
{
    va_list values;
    struct audit_report *report = walk->report;
    snprintf(report->office, sizeof(report->office), "%s", walk->office);
    snprintf(report->log, sizeof(report->log), "%s", walk->log);
    report->seq = seq;
    va_start(values, format);
    vsnprintf(report->what, sizeof(report->what), format, values);
    va_end(values);
    return -EBADMSG;
}

/* ---- Events */

static bool column_is(const char *column, const char *member)
{
    return strcmp(column == NULL ? "" : column, member) == 0;
}

static int check_row(struct walk *walk, const struct store_event *event)
{
    char why[BATCH_WHY_ROOM];
    int lane = talk_lane_of(event->lane);
    struct batch_event said = {.bytes = event->body, .length = event->length};
    if (lane < 0)
        return bad(walk, event->seq, "column lane: expected a lane");
    if (batch_read_event(&said, walk->office, walk->log, (enum talk_lane)lane, why) != 0)
        return bad(walk, event->seq, "the body does not fit its row: %s", why);
    if (said.seq != event->seq)
        return bad(walk, event->seq, "the body is that of event %" PRId64, said.seq);
    if (!column_is(event->type, said.type) || !column_is(event->subject, said.subject) ||
        !column_is(event->time, said.time) || !column_is(event->recorded, said.recorded))
        return bad(walk, event->seq, "a column does not say what the body says");
    return 0;
}

static int check_leaf(struct walk *walk, const struct store_event *event,
                      const struct digest *leaf)
{
    size_t at = (size_t)(event->seq % TILE_WIDTH) * DIGEST_BYTES;
    if (at == 0) {
        buffer_clear(&walk->leaves);
        int err = store_get_tile(walk->store, walk->office, walk->log,
                                 event->seq / TILE_WIDTH, &walk->leaves);
        if (err && err != -ENOENT)
            return err;
    }
    if (walk->leaves.length < at + DIGEST_BYTES)
        return bad(walk, event->seq, "the leaf that was verified is missing");
    if (memcmp(walk->leaves.bytes + at, leaf->bytes, DIGEST_BYTES) != 0)
        return bad(walk, event->seq, "the body is not the one that was verified");
    return 0;
}

static int check_roots(struct walk *walk)
{
    struct digest root;
    int64_t from = walk->next == 0 ? 0 : walk->sizes[walk->next - 1].size;
    if (walk->next == walk->count ||
        walk->sizes[walk->next].size != (int64_t)walk->tree.size)
        return 0;
    tree_root(&walk->tree, &root);
    if (!digest_equal(&root, &walk->sizes[walk->next].root))
        return bad(walk, from,
                   "events %" PRId64 " to %" PRId64
                   " are not those that the checkpoint was "
                   "signed over",
                   from, walk->sizes[walk->next].size - 1);
    walk->next++;
    return 0;
}

static int check_event(void *owner, const struct store_event *event)
{
    struct walk *walk = owner;
    struct digest leaf;
    if (event->seq < walk->state.size && event->seq != walk->expected)
        return bad(walk, walk->expected, "missing");
    if (event->seq >= walk->state.size && walk->expected < walk->state.size)
        return bad(walk, walk->expected, "missing");
    int err = check_row(walk, event);
    walk->report->events++;
    if (err || event->seq >= walk->state.size)
        return err;
    walk->expected++;
    walk->report->verified++;
    suite_leaf(walk->tree.suite, &leaf, event->body, event->length);
    tree_append(&walk->tree, &leaf);
    err = check_leaf(walk, event, &leaf);
    return err ? err : check_roots(walk);
}

/* ---- Checkpoints */

static int take_checkpoint(void *owner, int64_t size, const char *note, size_t length)
{
    struct walk *walk = owner;
    struct checkpoint checkpoint;
    char origin[CHECKPOINT_ORIGIN_MAX + 1];
    const struct key *key = offices_key(walk->offices, walk->office);
    if (key == NULL)
        return bad(walk, size - 1, "the office's key is not known");
    if (checkpoint_read(&checkpoint, note, length, key) != 0)
        return bad(walk, size - 1,
                   "the checkpoint of size %" PRId64 " is not signed by the office",
                   size);
    if (checkpoint_origin(origin, walk->office, walk->log) != 0 ||
        strcmp(origin, checkpoint.origin) != 0 || checkpoint.size != (uint64_t)size ||
        strcmp(suite_name(checkpoint.suite), walk->state.suite) != 0)
        return bad(walk, size - 1, "the checkpoint of size %" PRId64 " is another log's",
                   size);
    walk->sizes = mem_resize(walk->sizes, (walk->count + 1) * sizeof(walk->sizes[0]));
    walk->sizes[walk->count++] = (struct signed_size){size, checkpoint.root};
    return 0;
}

static int check_sizes(struct walk *walk)
{
    int64_t newest = walk->count == 0 ? 0 : walk->sizes[walk->count - 1].size;
    if (newest != walk->state.size)
        return bad(walk, newest,
                   "verified up to %" PRId64 ", but the newest checkpoint is of size "
                   "%" PRId64,
                   walk->state.size, newest);
    return 0;
}

/* ---- Logs */

static int walk_log(struct walk *walk)
{
    int err = store_get_log(walk->store, walk->office, walk->log, &walk->state);
    if (err)
        return err;
    if (walk->state.size > 0 && suite_named(walk->state.suite) == NULL)
        return bad(walk, -1, "unknown suite");
    tree_begin(&walk->tree,
               suite_named(walk->state.size > 0 ? walk->state.suite : "sha256+ed25519"));
    err = store_each_checkpoint(walk->store, walk->office, walk->log, take_checkpoint,
                                walk);
    if (!err)
        err = check_sizes(walk);
    if (!err)
        err = store_each_event(walk->store, walk->office, walk->log, 0, INT64_MAX,
                               check_event, walk);
    if (!err && walk->expected < walk->state.size)
        err = bad(walk, walk->expected, "missing");
    return err;
}

struct sweep {
    struct audit_report *report;
    struct store *store;
    struct offices *offices;
};

static int audit_log(void *owner, const char *office, const char *log)
{
    struct sweep *sweep = owner;
    struct walk walk = {.report = sweep->report,
                        .store = sweep->store,
                        .offices = sweep->offices,
                        .office = office,
                        .log = log};
    int err = walk_log(&walk);
    sweep->report->logs++;
    store_log_free(&walk.state);
    buffer_free(&walk.leaves);
    mem_free(walk.sizes);
    return err;
}

static int add_kind(void *owner, const char *kind, int64_t count)
{
    struct audit_report *report = owner;
    size_t length = strlen(report->kinds);
    snprintf(report->kinds + length, sizeof(report->kinds) - length, "%s%" PRId64 " %s",
             length > 0 ? ", " : "", count, kind);
    report->findings += count;
    return 0;
}

int audit_database(struct audit_report *report, struct store *store,
                   struct offices *offices)
{
    struct sweep sweep = {report, store, offices};
    memset(report, 0, sizeof(*report));
    int err = store_each_log(store, audit_log, &sweep);
    return err ? err : store_each_kind(store, add_kind, report);
}

/* ---- The command */

static int say(const struct audit_report *report, int err, const struct store *store)
{
    if (err == -EBADMSG) {
        printf("verify: BAD office %s log %s event %" PRId64 ": %s\n", report->office,
               report->log, report->seq, report->what);
        return 1;
    }
    if (err) {
        printf("verify: BAD the database cannot be read: %s\n", store_error(store));
        return 1;
    }
    if (report->findings > 0) {
        printf("verify: BAD %" PRId64 " findings (%s), see table finding; the %" PRId64
               " stored events are as they came\n",
               report->findings, report->kinds, report->events);
        return 1;
    }
    printf("verify: ok %" PRId64 " events of %" PRId64 " logs, %" PRId64
           " of them under a signed checkpoint\n",
           report->events, report->logs, report->verified);
    return 0;
}

static int audit_with(struct store *store, const char *offices_path,
                      const struct options *options)
{
    struct audit_report report;
    struct offices *offices;
    char why[OFFICES_WHY_ROOM];
    if (offices_open(&offices, store, offices_path, why) != 0)
        return options_refuse(options, "--offices: %s", why);
    int verdict = say(&report, audit_database(&report, store, offices), store);
    offices_close(offices);
    return verdict;
}

int audit_run(int argc, char **argv)
{
    const char *database = NULL, *offices = NULL;
    const struct options_row rows[] = {{"database", &database, NULL, true},
                                       {"offices", &offices, NULL, false}};
    struct options options = {
        .command = "verify", .usage = USAGE, .rows = rows, .count = countof(rows)};
    struct store *store;
    char why[STORE_WHY_ROOM];
    int verdict;
    if (!options_read(&options, argc, argv, &verdict))
        return verdict;
    if (store_path(database) == NULL)
        return options_refuse(&options, "--database: expected sqlite:FILE, got \"%s\"",
                              database);
    if (store_open(&store, store_path(database), false, why) != 0) {
        options_refuse(&options, "--database: %s", why);
        return 1;
    }
    verdict = audit_with(store, offices, &options);
    store_close(store);
    return verdict;
}
