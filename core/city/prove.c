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

struct leaves {
    struct store *store;
    const char *office, *log;
    const struct suite *suite;
};

static int add_leaves(const struct leaves *leaves, struct buffer *out, uint64_t index,
                      unsigned width)
{
    size_t before = out->length;
    int err =
        store_get_tile(leaves->store, leaves->office, leaves->log, (int64_t)index, out);
    size_t wanted = (size_t)width * DIGEST_BYTES;
    if (!err && out->length - before < wanted)
        err = -EBADMSG;
    if (!err)
        out->length = before + wanted;
    return err;
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
    if (level == 0)
        return add_leaves(leaves, out, index, width);
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
        struct leaves leaves = {store, office, log, suite_named(state.suite)};
        struct tile_source source = {read_tile, &leaves, leaves.suite,
                                     (uint64_t)state.size};
        err = leaves.suite == NULL ? -EPROTO
                                   : tile_prove_inclusion(&source, &path, (uint64_t)seq,
                                                          (uint64_t)state.size);
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
        options_refuse(options, "office %s: no event %" PRId64 " is stored", wish->office,
                       wish->seq);
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
