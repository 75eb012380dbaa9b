/* prove - see prove.h. Only leaves are stored; the hashes above them are made when asked for. */
#include "city/prove.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/json.h"
#include "base/word.h"
#include "city/options.h"
#include "city/patch.h"
#include "proof/base64.h"
#include "proof/tile.h"
#include "proof/tree.h"

static const char USAGE[] =
    "usage: outpost-city prove OFFICE SEQ --database sqlite:FILE [--log LOG]\n"
    "\n"
    "Writes a proof that event SEQ is in the office's log: the event, its path to the "
    "root of the\n"
    "newest verified checkpoint, and that checkpoint as the office signed it. No other "
    "event is\n"
    "shown, and `outpost verify --proof FILE --key OFFICE.pub` needs nothing else.\n"
    "\n"
    "  --log LOG   of which log of the office; default the one that last brought "
    "something\n"
    "\n"
    "Exit status: 0 the proof is on standard output; 1 there is none; 2 wrong use.\n";

enum { TILE_BITS = 8 };

/* Invariant: `leaves` and `patch` are those of tile `n`; -1 none. */
struct leaves {
    struct store *store;
    const char *office, *log;
    const struct suite *suite;
    int64_t n;
    struct digest leaves[TILE_WIDTH]; /* all zero behind the last one */
    struct patch patch;
};

static int load_tile(struct leaves *leaves, int64_t n)
{
    struct buffer bytes = {0};
    if (leaves->n == n)
        return 0;
    leaves->n = -1;
    memset(leaves->leaves, 0, sizeof(leaves->leaves));
    int err = store_get_tile(leaves->store, leaves->office, leaves->log, n, &bytes);
    if (!err && (bytes.length % DIGEST_BYTES != 0 ||
                 bytes.length > TILE_WIDTH * DIGEST_BYTES || bytes.length == 0))
        err = -EBADMSG;
    if (!err)
        memcpy(leaves->leaves, bytes.bytes, bytes.length);
    if (!err)
        err = patch_load(&leaves->patch, leaves->store, leaves->office, leaves->log, n);
    if (!err)
        leaves->n = n;
    buffer_free(&bytes);
    return err;
}

static int make_node(void *owner, struct digest *out, int height, uint64_t index)
{
    struct leaves *leaves = owner;
    uint64_t first = index << height;
    struct cover_node node = {(unsigned)(first % TILE_WIDTH), height};
    int err = load_tile(leaves, (int64_t)(first / TILE_WIDTH));
    return err ? err
               : patch_node(&leaves->patch, out, leaves->suite, leaves->leaves, node);
}

static int read_tile(void *owner, struct buffer *out, int level, uint64_t index,
                     unsigned width);

/* One hash of level `level`: the root of the full tile below it. */
static int add_root_of(struct leaves *leaves, struct buffer *out, int level,
                       uint64_t index)
{
    struct buffer below = {0};
    struct tree tree;
    struct digest hash;
    if (level == 1) {
        int bad = make_node(leaves, &hash, TILE_BITS, index);
        if (!bad)
            buffer_append(out, hash.bytes, DIGEST_BYTES);
        return bad;
    }
    int err = read_tile(leaves, &below, level - 1, index, TILE_WIDTH);
    tree_begin(&tree, leaves->suite);
    for (size_t at = 0; !err && at < below.length; at += DIGEST_BYTES) {
        memcpy(hash.bytes, below.bytes + at, DIGEST_BYTES);
        tree_append(&tree, &hash);
    }
    tree_root(&tree, &hash);
    if (!err)
        buffer_append(out, hash.bytes, DIGEST_BYTES);
    buffer_free(&below);
    return err;
}

static int read_tile(void *owner, struct buffer *out, int level, uint64_t index,
                     unsigned width)
{
    struct leaves *leaves = owner;
    int err = 0;
    for (unsigned i = 0; i < width && !err; i++)
        err = add_root_of(leaves, out, level, index * TILE_WIDTH + i);
    return err;
}

static void compose(struct buffer *out, const struct store_log *state,
                    const struct buffer *event, int64_t seq, const struct buffer *path)
{
    buffer_append_text(out, "{\"format\":\"outpost-proof/1\",\"suite\":");
    json_put_text(out, state->suite);
    buffer_append_text(out, ",\"event\":");
    json_put_bytes(out, event->bytes, event->length);
    buffer_printf(out, ",\"index\":%" PRId64 ",\"size\":%" PRId64 ",\"path\":[", seq,
                  state->size);
    for (size_t at = 0; at < path->length; at += DIGEST_BYTES) {
        buffer_append_text(out, at == 0 ? "\"" : ",\"");
        base64_encode(out, path->bytes + at, DIGEST_BYTES);
        buffer_append_text(out, "\"");
    }
    buffer_append_text(out, "],\"checkpoint\":");
    json_put_bytes(out, state->verified.bytes, state->verified.length);
    buffer_append_text(out, "}\n");
}

int prove_event(struct buffer *out, struct store *store, const char *office,
                const char *log, int64_t seq)
{
    struct store_log state = {0};
    struct buffer event = {0}, path = {0};
    int err = store_get_body(store, office, log, seq, &event);
    if (!err)
        err = store_get_log(store, office, log, &state);
    if (!err && seq >= state.size)
        err = -EAGAIN;
    if (!err) {
        struct leaves leaves = {.store = store,
                                .office = office,
                                .log = log,
                                .suite = suite_named(state.suite),
                                .n = -1};
        struct tile_source source = {.read = read_tile,
                                     .owner = &leaves,
                                     .suite = leaves.suite,
                                     .size = (uint64_t)state.size,
                                     .node = make_node};
        err = leaves.suite == NULL ? -EPROTO
                                   : tile_prove_inclusion(&source, &path, (uint64_t)seq,
                                                          (uint64_t)state.size);
        patch_free(&leaves.patch);
    }
    if (!err)
        compose(out, &state, &event, seq, &path);
    store_log_free(&state);
    buffer_free(&event);
    buffer_free(&path);
    return err;
}

/* ---- The command */

struct wish {
    const char *office;
    char log[WORD_ID_MAX + 1];
    int64_t seq;
};

/* Says whether the office has erased the event, and by which one. */
static void refuse_unstored(const struct options *options, struct store *store,
                            const struct wish *wish)
{
    struct patch patch = {.is_loaded = false};
    const struct patch_piece *piece = NULL;
    if (patch_load(&patch, store, wish->office, wish->log, wish->seq / TILE_WIDTH) == 0)
        piece = patch_over(&patch, (unsigned)(wish->seq % TILE_WIDTH));
    if (piece != NULL)
        options_refuse(options,
                       "office %s: event %" PRId64
                       " was erased by the office, ordered by "
                       "event %" PRId64,
                       wish->office, wish->seq, piece->seq);
    else
        options_refuse(options, "office %s: no event %" PRId64 " is stored", wish->office,
                       wish->seq);
    patch_free(&patch);
}

/* Logs come by age: the last one stays. */
static int take_log(void *owner, const char *office, const char *log)
{
    struct wish *wish = owner;
    if (strcmp(office, wish->office) == 0)
        snprintf(wish->log, sizeof(wish->log), "%s", log);
    return 0;
}

static int prove(struct wish *wish, struct store *store, const struct options *options)
{
    struct buffer proof = {0};
    int err = wish->log[0] != '\0' ? 0 : store_each_log(store, take_log, wish);
    if (!err)
        err = prove_event(&proof, store, wish->office, wish->log, wish->seq);
    if (!err && fwrite(proof.bytes, 1, proof.length, stdout) != proof.length)
        err = -EIO;
    buffer_free(&proof);
    if (err == -ENOENT)
        refuse_unstored(options, store, wish);
    else if (err == -ENODATA)
        options_refuse(options,
                       "office %s: event %" PRId64 " came, but the office has erased its "
                       "neighbours in a way that leaves no proof of it",
                       wish->office, wish->seq);
    else if (err == -EAGAIN)
        options_refuse(options,
                       "office %s: event %" PRId64 " is not yet under a verified "
                       "checkpoint; try again in a minute",
                       wish->office, wish->seq);
    else if (err)
        options_refuse(options, "%s", strerror(-err));
    return err ? 1 : 0;
}

static bool read_seq(int64_t *seq, const char *text)
{
    char *end;
    *seq = strtoll(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && strlen(text) < 19;
}

int prove_run(int argc, char **argv)
{
    const char *database = NULL, *log = "";
    const struct options_row rows[] = {{"database", &database, NULL, true},
                                       {"log", &log, NULL, false}};
    struct options options = {.command = "prove",
                              .usage = USAGE,
                              .rows = rows,
                              .count = countof(rows),
                              .least = 2,
                              .most = 2};
    struct store *store;
    struct wish wish = {0};
    char why[STORE_WHY_ROOM];
    int verdict;
    if (!options_read(&options, argc, argv, &verdict))
        return verdict;
    wish.office = options.rest[0];
    if (!read_seq(&wish.seq, options.rest[1]))
        return options_refuse(&options, "expected an event number, got \"%s\"",
                              options.rest[1]);
    if (store_path(database) == NULL || strlen(log) > WORD_ID_MAX)
        return options_refuse(&options, "--database: expected sqlite:FILE; --log: an id");
    snprintf(wish.log, sizeof(wish.log), "%s", log);
    if (store_open(&store, store_path(database), false, why) != 0) {
        options_refuse(&options, "--database: %s", why);
        return 1;
    }
    verdict = prove(&wish, store, &options);
    store_close(store);
    return verdict;
}
