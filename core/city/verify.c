/* verify - see verify.h.
 *
 * Invariant: a work's tree holds the leaves of the stored bodies 0 to tree.size - 1, or what the
 * office says in place of those it erased, and `leaves` those of its last, not yet full tile; the
 * leaves of erased ones are all zero. It is ahead of the database by what lies between the last
 * verified size and the checkpoint aimed at, and is made anew from there when it is lost. */
#include "city/verify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "city/patch.h"
#include "proof/checkpoint.h"
#include "proof/note.h"
#include "proof/suite.h"
#include "proof/tile.h"

enum { WORKS_MAX = 1024, DETAIL_ROOM = 200 };

/* One log under way. */
struct work {
    char office[WORD_ID_MAX + 1];
    char log[WORD_ID_MAX + 1];
    struct tree tree;
    struct buffer leaves;
};

struct verify {
    struct store *store;
    struct offices *offices;
    size_t count;
    struct work *works[WORKS_MAX];
};

void verify_open(struct verify **out, struct store *store, struct offices *offices)
{
    struct verify *verify = mem_new(struct verify);
    verify->store = store;
    verify->offices = offices;
    *out = verify;
}

static void drop_work(struct verify *verify, size_t i)
{
    buffer_free(&verify->works[i]->leaves);
    mem_free(verify->works[i]);
    verify->works[i] = verify->works[--verify->count];
}

void verify_forget(struct verify *verify)
{
    while (verify->count > 0)
        drop_work(verify, verify->count - 1);
}

void verify_close(struct verify *verify)
{
    if (verify == NULL)
        return;
    verify_forget(verify);
    mem_free(verify);
}

/* ---- Checkpoints */

/* "outpost/<office>/<log>": takes the log out when the office is the one. */
static int log_of(char log[WORD_ID_MAX + 1], const char *origin, const char *office)
{
    char prefix[WORD_ID_MAX + 16];
    int length = snprintf(prefix, sizeof(prefix), "outpost/%s/", office);
    if (strncmp(origin, prefix, (size_t)length) != 0 || !word_is_id(origin + length))
        return -EPROTO;
    strcpy(log, origin + length);
    return 0;
}

static uint64_t size_of(const struct buffer *note)
{
    struct checkpoint checkpoint;
    if (note->length == 0 ||
        checkpoint_read(&checkpoint, note->bytes, note->length, NULL) != 0)
        return 0;
    return checkpoint.size;
}

/* The one aimed at stays until it is reached, or a log that is always behind would never verify. */
static int aim(struct verify *verify, const char *office, const char *log,
               const struct store_log *state, const struct checkpoint *came,
               const void *note, size_t length)
{
    struct buffer fresh = {0};
    int err = 0;
    if (came->size <= (uint64_t)state->size || came->size <= size_of(&state->aim) ||
        came->size <= size_of(&state->newest) || came->size > INT64_MAX)
        return 0;
    buffer_append(&fresh, note, length);
    err = state->aim.length == 0
              ? store_aim_log(verify->store, office, log, &fresh, &state->newest)
              : store_aim_log(verify->store, office, log, &state->aim, &fresh);
    buffer_free(&fresh);
    return err;
}

int verify_note(struct verify *verify, const char *office, const void *note,
                size_t length, const char *now, char log[WORD_ID_MAX + 1])
{
    struct checkpoint checkpoint;
    struct store_log state;
    if (length > NOTE_MAX || memchr(note, '\0', length) != NULL)
        return -EPROTO;
    const struct key *key = offices_key(verify->offices, office);
    int err = checkpoint_read(&checkpoint, note, length, key);
    if (!err)
        err = log_of(log, checkpoint.origin, office);
    if (!err && key == NULL)
        err = -ENOKEY;
    if (err)
        return err == -ENOKEY && key != NULL ? -EBADMSG : err;
    err = store_admit_log(verify->store, office, log, now);
    if (err)
        return err;
    err = store_get_log(verify->store, office, log, &state);
    if (!err)
        err = aim(verify, office, log, &state, &checkpoint, note, length);
    store_log_free(&state);
    return err;
}

/* ---- Trees */

int verify_tree(struct tree *tree, const struct store_log *log)
{
    const struct suite *suite = suite_named(log->suite);
    if (suite == NULL)
        return -EPROTO;
    return tree_load(tree, suite, (uint64_t)log->size, log->edge.bytes, log->edge.length);
}

static int load_work(struct verify *verify, struct work *work,
                     const struct store_log *state, const struct suite *suite)
{
    if (state->size == 0) {
        tree_begin(&work->tree, suite);
        return 0;
    }
    int err = verify_tree(&work->tree, state);
    if (err || state->size % TILE_WIDTH == 0)
        return err;
    err = store_get_tile(verify->store, work->office, work->log, state->size / TILE_WIDTH,
                         &work->leaves);
    size_t partial = (size_t)(state->size % TILE_WIDTH) * DIGEST_BYTES;
    if (!err && work->leaves.length < partial)
        err = -EBADMSG;
    if (!err)
        work->leaves.length = partial;
    return err;
}

static int find_work(struct verify *verify, const char *office, const char *log,
                     const struct store_log *state, const struct suite *suite,
                     struct work **out)
{
    for (size_t i = 0; i < verify->count; i++) {
        struct work *work = verify->works[i];
        if (strcmp(work->office, office) != 0 || strcmp(work->log, log) != 0)
            continue;
        *out = work;
        return 0;
    }
    if (verify->count == WORKS_MAX)
        drop_work(verify, 0);
    struct work *work = mem_new(struct work);
    snprintf(work->office, sizeof(work->office), "%s", office);
    snprintf(work->log, sizeof(work->log), "%s", log);
    int err = load_work(verify, work, state, suite);
    verify->works[verify->count++] = work;
    if (err)
        drop_work(verify, verify->count - 1);
    else
        *out = work;
    return err;
}

struct append {
    struct verify *verify;
    struct work *work;
    int err;
};

static int put_tile(struct verify *verify, struct work *work)
{
    int64_t n = (int64_t)((work->tree.size - 1) / TILE_WIDTH);
    return store_put_tile(verify->store, work->office, work->log, n, &work->leaves);
}

/* Returns 1 at a hole, which ends the walk. */
static int append_event(void *owner, const struct store_event *event)
{
    struct append *append = owner;
    struct work *work = append->work;
    struct digest leaf;
    if (event->seq != (int64_t)work->tree.size)
        return 1;
    suite_leaf(work->tree.suite, &leaf, event->body, event->length);
    tree_append(&work->tree, &leaf);
    buffer_append(&work->leaves, leaf.bytes, sizeof(leaf.bytes));
    if (work->tree.size % TILE_WIDTH != 0)
        return 0;
    int err = put_tile(append->verify, work);
    buffer_clear(&work->leaves);
    return err;
}

/* ---- Comparing */

static int break_log(struct verify *verify, const struct work *work, const char *kind,
                     const char *detail, const struct buffer *evidence, const char *now)
{
    bool fresh;
    struct store_finding finding = {
        .office = work->office,
        .log = work->log,
        .kind = kind,
        .detail = detail,
        .now = now,
        .seq = (int64_t)work->tree.size - 1,
        .evidence = evidence->bytes,
        .length = evidence->length,
    };
    log_error("office %s log %s: %s; what it sends is stored, but no longer verified",
              work->office, work->log, detail);
    int err = store_put_finding(verify->store, &finding, &fresh);
    return err ? err : store_break_log(verify->store, work->office, work->log, detail);
}

static int accept(struct verify *verify, struct work *work, struct store_log *state)
{
    struct store_log next = {.size = (int64_t)work->tree.size};
    int err = work->leaves.length > 0 ? put_tile(verify, work) : 0;
    snprintf(next.suite, sizeof(next.suite), "%s", suite_name(work->tree.suite));
    tree_save(&work->tree, &next.edge);
    buffer_append(&next.verified, state->aim.bytes, state->aim.length);
    if (size_of(&state->newest) > work->tree.size)
        buffer_append(&next.aim, state->newest.bytes, state->newest.length);
    if (!err)
        err = store_log_verified(verify->store, work->office, work->log, &next);
    if (!err)
        err = store_put_checkpoint(verify->store, work->office, work->log, next.size,
                                   &next.verified);
    if (!err)
        err = store_drop_missing(verify->store, work->office, work->log, next.size);
    store_log_free(&next);
    return err;
}

static int compare(struct verify *verify, struct work *work, struct store_log *state,
                   const struct checkpoint *aimed, const char *now, bool *moved)
{
    struct digest root;
    char detail[DETAIL_ROOM];
    tree_root(&work->tree, &root);
    *moved = digest_equal(&root, &aimed->root);
    if (*moved)
        return accept(verify, work, state);
    snprintf(detail, sizeof(detail),
             "events 0 to %" PRIu64
             " are not those that the office's checkpoint of size %" PRIu64
             " was signed over (verified before: %" PRId64 ")",
             aimed->size - 1, aimed->size, state->size);
    return break_log(verify, work, "root", detail, &state->aim, now);
}

/* Every lane says that it is complete beyond the hole, so the event that fills it was withheld. */
static int look_for_missing(struct verify *verify, const struct work *work,
                            const char *now)
{
    bool fresh;
    int64_t hole = (int64_t)work->tree.size;
    for (int lane = 0; lane < LANES; lane++) {
        int64_t mark;
        int err = store_get_mark(verify->store, work->office, work->log,
                                 (enum talk_lane)lane, &mark);
        if (err || mark <= hole)
            return err;
    }
    struct store_finding finding = {
        .office = work->office,
        .log = work->log,
        .kind = "missing",
        .detail =
            "every lane was said to be complete beyond this event, but it never came",
        .now = now,
        .seq = hole,
    };
    int err = store_put_finding(verify->store, &finding, &fresh);
    if (!err && fresh)
        log_error("office %s log %s: event %" PRId64 " was never sent", work->office,
                  work->log, hole);
    return err;
}

/* ---- Erased events */

/* Appends a hash for the leaves of an erased subtree; it begins where the tree ends. */
static int graft(struct verify *verify, struct work *work,
                 const struct patch_piece *piece)
{
    static const struct digest UNKNOWN;
    int err = tree_graft(&work->tree, piece->node.height, &piece->hash);
    for (unsigned i = 0; i < 1u << piece->node.height && !err; i++)
        buffer_append(&work->leaves, UNKNOWN.bytes, sizeof(UNKNOWN.bytes));
    if (err || work->tree.size % TILE_WIDTH != 0)
        return err;
    err = put_tile(verify, work);
    buffer_clear(&work->leaves);
    return err;
}

/* Takes the tree back to position `first` of its open tile: an erased subtree begins there, of
 * which the city got a few events before the office erased the others. -ENODATA: it cannot. */
static int rewind_to(struct work *work, const struct patch *patch, unsigned first)
{
    const struct digest *leaves = (const void *)work->leaves.bytes;
    struct tree tree = work->tree;
    tree.size -= tree.size % TILE_WIDTH;
    tree.count = __builtin_popcountll(tree.size); /* the larger subtrees stand first */
    for (unsigned at = 0; at < first;) {
        const struct patch_piece *piece =
            patch_is_known(&leaves[at]) ? NULL : patch_from(patch, at, first);
        if (patch_is_known(&leaves[at]))
            tree_append(&tree, &leaves[at]);
        else if (piece == NULL ||
                 tree_graft(&tree, piece->node.height, &piece->hash) != 0)
            return -ENODATA;
        at += piece == NULL ? 1 : 1u << piece->node.height;
    }
    work->tree = tree;
    work->leaves.length = first * sizeof(*leaves);
    return 0;
}

/* The event that comes next is not there: goes over it when the office has erased it. 1 when it
 * did; 0 when nothing is known; -ERANGE when the checkpoint aimed at ends within what is erased. */
static int cross(struct verify *verify, struct work *work, struct patch *patch,
                 const struct checkpoint *aimed)
{
    int64_t n = (int64_t)(work->tree.size / TILE_WIDTH);
    unsigned at = (unsigned)(work->tree.size % TILE_WIDTH);
    int err = 0;
    if (!patch->is_loaded || patch->n != n)
        err = patch_load(patch, verify->store, work->office, work->log, n);
    const struct patch_piece *piece = err ? NULL : patch_over(patch, at);
    if (piece == NULL)
        return err;
    uint64_t end = (uint64_t)n * TILE_WIDTH + piece->node.first +
                   ((uint64_t)1 << piece->node.height);
    if (end > aimed->size)
        return -ERANGE;
    if (piece->node.first < at)
        err = rewind_to(work, patch, piece->node.first);
    if (err == -ENODATA)
        return 0;
    if (!err)
        err = graft(verify, work, piece);
    return err ? err : 1;
}

/* The tree of that size can never be made; that of a later checkpoint can. */
static int aim_further(struct verify *verify, const struct work *work,
                       const struct store_log *state, bool *more)
{
    const struct buffer none = {0};
    *more = state->newest.length > 0;
    return store_aim_log(verify->store, work->office, work->log, &state->newest, &none);
}

/* Appends what is there and goes over what is erased, at most `budget` steps; 1 when they were
 * not enough, 0 at the aim or at a hole. */
static int append_all(struct verify *verify, struct work *work,
                      const struct checkpoint *aimed, int budget)
{
    struct append append = {.verify = verify, .work = work};
    struct patch patch = {.is_loaded = false};
    int64_t left = budget;
    int err = 1;
    while (err == 1 && work->tree.size < aimed->size && left > 0) {
        int64_t before = (int64_t)work->tree.size;
        int64_t most = (int64_t)aimed->size - before;
        err = store_each_event(verify->store, work->office, work->log, before,
                               most < left ? most : left, append_event, &append);
        if (err < 0)
            break;
        left -= (int64_t)work->tree.size - before;
        err = 1;
        if (work->tree.size < aimed->size && left-- > 0)
            err = cross(verify, work, &patch, aimed);
    }
    patch_free(&patch);
    return err < 0 ? err : err == 1 && work->tree.size < aimed->size;
}

static int go_on(struct verify *verify, struct work *work, struct store_log *state,
                 const struct checkpoint *aimed, int budget, const char *now, bool *moved,
                 bool *more)
{
    int err = append_all(verify, work, aimed, budget);
    if (err == -ERANGE)
        return aim_further(verify, work, state, more);
    if (err < 0)
        return err;
    if (work->tree.size == aimed->size) {
        err = compare(verify, work, state, aimed, now, moved);
        *more = *moved && size_of(&state->newest) > aimed->size;
        return err;
    }
    *more = err == 1;
    return *more ? 0 : look_for_missing(verify, work, now);
}

static int step(struct verify *verify, const char *office, const char *log,
                struct store_log *state, int budget, const char *now, bool *moved,
                bool *more)
{
    struct checkpoint aimed;
    struct work *work;
    if (state->broken || state->aim.length == 0)
        return 0;
    int err = checkpoint_read(&aimed, state->aim.bytes, state->aim.length, NULL);
    if (!err)
        err = find_work(verify, office, log, state, aimed.suite, &work);
    if (err)
        return err;
    if (work->tree.suite == aimed.suite)
        return go_on(verify, work, state, &aimed, budget, now, moved, more);
    return break_log(verify, work, "root",
                     "a checkpoint names another suite than those before", &state->aim,
                     now);
}

int verify_step(struct verify *verify, const char *office, const char *log, int budget,
                const char *now, bool *moved, bool *more)
{
    struct store_log state;
    *moved = *more = false;
    int err = store_get_log(verify->store, office, log, &state);
    if (!err)
        err = step(verify, office, log, &state, budget, now, moved, more);
    store_log_free(&state);
    return err == -ENOENT ? 0 : err;
}
