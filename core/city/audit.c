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
#include "city/patch.h"
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
    struct digest leaves[TILE_WIDTH]; /* of `tile`; all zero what is not known */
    int64_t tile;                     /* -1 none */
    struct store_orders orders;       /* of erasures */
    struct patch patch;               /* of `tile`, when there are orders */
    int64_t erased;
    size_t count, next; /* stored checkpoints by rising size */
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

static int load_leaves(struct walk *walk, int64_t n)
{
    struct buffer bytes = {0};
    int err = store_get_tile(walk->store, walk->office, walk->log, n, &bytes);
    size_t length =
        bytes.length < sizeof(walk->leaves) ? bytes.length : sizeof(walk->leaves);
    memset(walk->leaves, 0, sizeof(walk->leaves));
    if (length > 0)
        memcpy(walk->leaves, bytes.bytes, length);
    buffer_free(&bytes);
    return err == -ENOENT ? 0 : err;
}

/* What an order says of events that are there must be so. */
static int check_orders(struct walk *walk)
{
    const struct patch_piece *piece =
        patch_contradiction(&walk->patch, walk->tree.suite, walk->leaves);
    if (piece == NULL)
        return 0;
    return bad(walk, piece->seq,
               "its hash for the erased events from %" PRId64 " on is not the tree's",
               walk->tile * TILE_WIDTH + piece->node.first);
}

static int load_tile(struct walk *walk, int64_t seq)
{
    int64_t n = seq / TILE_WIDTH;
    if (walk->tile == n)
        return 0;
    walk->tile = n;
    int err = load_leaves(walk, n);
    if (!err && walk->orders.count > 0)
        err = patch_load(&walk->patch, walk->store, walk->office, walk->log, n);
    return err ? err : check_orders(walk);
}

/* The checkpoints whose size lies within what is erased cannot be made again. */
static void pass_sizes(struct walk *walk)
{
    while (walk->next < walk->count &&
           walk->sizes[walk->next].size < (int64_t)walk->tree.size)
        walk->next++;
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

/* The largest piece that begins at the expected event and beneath which no leaf is known. */
static const struct patch_piece *next_piece(const struct walk *walk)
{
    unsigned at = (unsigned)(walk->expected % TILE_WIDTH), until = at;
    int64_t left = walk->state.size - (walk->expected - at);
    while (until < TILE_WIDTH && until < left && !patch_is_known(&walk->leaves[until]))
        until++;
    return walk->orders.count == 0 ? NULL : patch_from(&walk->patch, at, until);
}

/* Goes over one erased subtree; 1: there is none here. */
static int cross(struct walk *walk)
{
    int err = load_tile(walk, walk->expected);
    const struct patch_piece *piece = err ? NULL : next_piece(walk);
    if (piece == NULL)
        return err ? err : 1;
    if (tree_graft(&walk->tree, piece->node.height, &piece->hash) != 0)
        return bad(walk, walk->expected, "the hash in its place does not lie there");
    walk->expected += (int64_t)1 << piece->node.height;
    walk->erased += (int64_t)1 << piece->node.height;
    pass_sizes(walk);
    return check_roots(walk);
}

/* Whatever should stand before `seq` is erased, or missing. */
static int cross_until(struct walk *walk, int64_t seq)
{
    int err = 0;
    while (!err && walk->expected < seq)
        err = cross(walk);
    return err == 1 ? bad(walk, walk->expected, "missing") : err;
}

static int check_body(struct walk *walk, const struct store_event *event)
{
    struct digest leaf;
    const struct digest *verified = &walk->leaves[event->seq % TILE_WIDTH];
    suite_leaf(walk->tree.suite, &leaf, event->body, event->length);
    if (!patch_is_known(verified))
        return bad(walk, event->seq, "the leaf that was verified is missing");
    if (!digest_equal(verified, &leaf))
        return bad(walk, event->seq, "the body is not the one that was verified");
    walk->expected++;
    walk->report->verified++;
    tree_append(&walk->tree, &leaf);
    return check_roots(walk);
}

/* An event at or behind the expected one, below the verified size. */
static int check_place(struct walk *walk, const struct store_event *event)
{
    int err = cross_until(walk, event->seq);
    if (!err && walk->expected == event->seq)
        err = load_tile(walk, event->seq);
    if (!err && walk->expected == event->seq &&
        !patch_is_known(&walk->leaves[event->seq % TILE_WIDTH]))
        err = cross(walk);
    if (err < 0)
        return err;
    if (walk->expected == event->seq)
        return check_body(walk, event);
    walk->report->beneath++;
    walk->erased--;
    return 0;
}

static int check_event(void *owner, const struct store_event *event)
{
    struct walk *walk = owner;
    int err =
        cross_until(walk, event->seq < walk->state.size ? event->seq : walk->state.size);
    if (!err)
        err = check_row(walk, event);
    walk->report->events++;
    if (err || event->seq >= walk->state.size)
        return err;
    return check_place(walk, event);
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
        err = store_sum_orders(walk->store, walk->office, walk->log, &walk->orders);
    if (!err)
        err = store_each_event(walk->store, walk->office, walk->log, 0, INT64_MAX,
                               check_event, walk);
    return err ? err : cross_until(walk, walk->state.size);
}

struct sweep {
    struct audit_report *report;
    struct store *store;
    struct offices *offices;
    void (*erased)(const struct audit_erased *erased);
};

static void tell_erased(const struct sweep *sweep, const struct walk *walk)
{
    const struct audit_erased erased = {walk->office, walk->log, walk->erased,
                                        walk->orders};
    if (sweep->erased != NULL && walk->orders.count > 0)
        sweep->erased(&erased);
}

static int audit_log(void *owner, const char *office, const char *log)
{
    struct sweep *sweep = owner;
    struct walk walk = {.report = sweep->report,
                        .store = sweep->store,
                        .offices = sweep->offices,
                        .office = office,
                        .log = log,
                        .tile = -1};
    int err = walk_log(&walk);
    sweep->report->logs++;
    sweep->report->erased += walk.erased;
    if (!err)
        tell_erased(sweep, &walk);
    patch_free(&walk.patch);
    store_log_free(&walk.state);
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
                   struct offices *offices,
                   void (*erased)(const struct audit_erased *erased))
{
    struct sweep sweep = {report, store, offices, erased};
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
    if (report->beneath > 0)
        printf("verify: %" PRId64 " more came just before the office erased them: their "
               "proof went with their neighbours\n",
               report->beneath);
    return 0;
}

static void print_erased(const struct audit_erased *erased)
{
    printf("verify: office %s log %s: %" PRId64 " events that never came were erased by "
           "the office, by order of %" PRId64 " of its events (%" PRId64 "..%" PRId64
           ")\n",
           erased->office, erased->log, erased->events, erased->by.count,
           erased->by.first, erased->by.last);
}

static int audit_with(struct store *store, const char *offices_path,
                      const struct options *options)
{
    struct audit_report report;
    struct offices *offices;
    char why[OFFICES_WHY_ROOM];
    if (offices_open(&offices, store, offices_path, why) != 0)
        return options_refuse(options, "--offices: %s", why);
    int verdict =
        say(&report, audit_database(&report, store, offices, print_erased), store);
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
