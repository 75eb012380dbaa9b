/* audit - see audit.h.
 *
 * Invariant: levels[L] holds the hashes of the open tile of level L, made from the events read so
 * far; when it is full it is compared with the file, folded, and becomes one hash of level L + 1.
 * Memory therefore does not grow with the log, but for a row of tail.db apiece. */
#include "cli/journal/audit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/mem.h"
#include "cli/journal/custody.h"
#include "proof/tree.h"

enum { LEVELS = 8, CLAIMS_MAX = 8, DIGITS_ROOM = 2 * DIGEST_BYTES + 1 };

struct level {
    uint64_t index;
    unsigned count;
    struct digest hashes[TILE_WIDTH];
};

/* Somebody says: the first `size` events have this root. */
struct root_claim {
    const char *place;
    uint64_t size;
    struct digest root;
};

/* Somebody says: event `seq` is of this lane. */
struct lane_claim {
    const char *place;
    int64_t seq;
    enum talk_lane lane;
};

struct audit {
    struct archive *archive;
    const struct papers *papers;
    const struct inventory *inventory;
    struct ledger *ledger;
    struct custody custody;
    struct finding *finding;
    struct tree tree;
    struct level levels[LEVELS];
    char source[TILE_PATH_ROOM]; /* the file that the open tile's events come from */
    bool is_intact;              /* that file is the one that was sealed */
    struct root_claim roots[CLAIMS_MAX];
    size_t root_count;
    struct lane_claim lanes[CLAIMS_MAX];
    size_t lane_count;
};

static const struct suite *suite_of(const struct audit *audit)
{
    return audit->archive->tail.suite;
}

/* "event 19 (tile/entries/000, entry 19)" */
static void name_event(const struct audit *audit, char place[FINDING_PLACE_MAX],
                       uint64_t seq)
{
    if (seq < audit->archive->tail.sealed)
        snprintf(place, FINDING_PLACE_MAX, "event %" PRIu64 " (%s, entry %u)", seq,
                 audit->source, (unsigned)(seq % TILE_WIDTH));
    else
        snprintf(place, FINDING_PLACE_MAX, "event %" PRIu64 " (tail.db)", seq);
}

static int blame_hash(struct audit *audit, const char *name, const struct level *level,
                      unsigned at, const struct digest *filed)
{
    char place[FINDING_PLACE_MAX], computed[DIGITS_ROOM], expected[DIGITS_ROOM];
    hex_encode(computed, level->hashes[at].bytes, DIGEST_BYTES);
    hex_encode(expected, filed->bytes, DIGEST_BYTES);
    if (level == &audit->levels[0] && !audit->is_intact)
        name_event(audit, place, level->index * TILE_WIDTH + at);
    else
        snprintf(place, sizeof(place), "%s, hash %u", name, at);
    if (audit->is_intact)
        return finding_put(audit->finding, place, "%s, expected %s by the events",
                           expected, computed);
    return finding_put(audit->finding, place, "hash %s, expected %s by %s", computed,
                       expected, name);
}

/* Compares a hash tile of `width` with what the events give. */
static int check_tile(struct audit *audit, int number, unsigned width, bool is_required)
{
    const struct level *level = &audit->levels[number];
    struct buffer file = {0};
    char name[TILE_PATH_ROOM];
    tile_path(name, number, level->index, width);
    int err = archive_read(audit->archive, &file, name, TILE_WIDTH * DIGEST_BYTES);
    if (err == -ENOENT) {
        bool gone = width < TILE_WIDTH && archive_is_superseded(audit->archive);
        err = is_required && !gone ? finding_put(audit->finding, name, "missing") : 0;
        width = 0;
    } else if (err == -EFBIG || (!err && file.length != width * DIGEST_BYTES)) {
        err = finding_put(audit->finding, name, "%zu bytes, expected %u", file.length,
                          width * DIGEST_BYTES);
    }
    for (unsigned i = 0; i < width && !err; i++) {
        struct digest filed;
        memcpy(filed.bytes, file.bytes + (size_t)i * DIGEST_BYTES, DIGEST_BYTES);
        if (!digest_equal(&filed, &level->hashes[i]))
            err = blame_hash(audit, name, level, i, &filed);
    }
    buffer_free(&file);
    return err;
}

/* The partial tiles that were found, of the tile that is open now. */
static int check_partial(struct audit *audit, int number)
{
    const struct level *level = &audit->levels[number];
    const struct inventory_tile *tiles = (const void *)audit->inventory->partial.bytes;
    size_t count = audit->inventory->partial.length / sizeof(*tiles);
    int err = 0;
    for (size_t i = 0; i < count && !err; i++)
        if (tiles[i].level == number && tiles[i].index == level->index)
            err = check_tile(audit, number, tiles[i].width, false);
    return err;
}

static bool must_be_filed(const struct audit *audit, int number, uint64_t index)
{
    uint64_t covered = audit->archive->tail.sealed;
    if (audit->papers->has_checkpoint && audit->papers->checkpoint.size > covered)
        covered = audit->papers->checkpoint.size;
    return tile_width(number, index, covered) == TILE_WIDTH;
}

/* The root over a full tile. */
static void fold_level(const struct audit *audit, const struct level *level,
                       struct digest *root)
{
    struct tree tree;
    tree_begin(&tree, suite_of(audit));
    for (unsigned i = 0; i < TILE_WIDTH; i++)
        tree_append(&tree, &level->hashes[i]);
    tree_root(&tree, root);
}

/* A leaf, or a hash of the level above in place of 256. */
static int add_hash(struct audit *audit, int from, const struct digest *first)
{
    struct digest hash = *first;
    for (int number = from; number < LEVELS; number++) {
        struct level *level = &audit->levels[number];
        level->hashes[level->count++] = hash;
        if (level->count < TILE_WIDTH)
            return 0;
        int err = check_tile(audit, number, TILE_WIDTH,
                             must_be_filed(audit, number, level->index));
        if (!err)
            err = check_partial(audit, number);
        if (err)
            return err;
        fold_level(audit, level, &hash);
        level->index++;
        level->count = 0;
    }
    return -EFBIG;
}

/* The partial tiles that the checkpoint's size calls for. Called when the tree has that size. */
static int check_edge(struct audit *audit)
{
    int err = 0;
    for (int number = 0; number < LEVELS && !err; number++)
        if (audit->levels[number].count > 0)
            err = check_tile(audit, number, audit->levels[number].count, true);
    return err;
}

static int meet_root(struct audit *audit, const struct root_claim *claim)
{
    struct digest root;
    char computed[DIGITS_ROOM], expected[DIGITS_ROOM];
    tree_root(&audit->tree, &root);
    if (digest_equal(&root, &claim->root))
        return 0;
    hex_encode(computed, root.bytes, DIGEST_BYTES);
    hex_encode(expected, claim->root.bytes, DIGEST_BYTES);
    return finding_put(audit->finding, claim->place,
                       "the first %" PRIu64 " events have the root %s, expected %s",
                       claim->size, computed, expected);
}

static int check_sealed_edge(struct audit *audit)
{
    const struct tail *tail = &audit->archive->tail;
    struct buffer edge = {0};
    tree_save(&audit->tree, &edge);
    bool same =
        edge.length == tail->edge.length &&
        (edge.length == 0 || memcmp(edge.bytes, tail->edge.bytes, edge.length) == 0);
    buffer_free(&edge);
    return same ? 0
                : finding_put(audit->finding, "tail.db",
                              "table sealed: not the tree's edge over %" PRIu64 " events",
                              tail->sealed);
}

/* Whatever is claimed of the tree at the size that it has now. */
static int meet_claims(struct audit *audit)
{
    const struct papers *papers = audit->papers;
    int err = 0;
    if (papers->has_checkpoint && papers->checkpoint.size == audit->tree.size)
        err = check_edge(audit);
    for (size_t i = 0; i < audit->root_count && !err; i++)
        if (audit->roots[i].size == audit->tree.size)
            err = meet_root(audit, &audit->roots[i]);
    if (!err && audit->archive->tail.sealed == audit->tree.size)
        err = check_sealed_edge(audit);
    return err;
}

static int check_lane(struct audit *audit, uint64_t seq, enum talk_lane lane,
                      const char *place)
{
    for (size_t i = 0; i < audit->lane_count; i++) {
        const struct lane_claim *claim = &audit->lanes[i];
        if ((uint64_t)claim->seq == seq && claim->lane != lane)
            return finding_put(audit->finding, place, "is of lane %s, by %s of lane %s",
                               talk_lane_name(lane), claim->place,
                               talk_lane_name(claim->lane));
    }
    return 0;
}

/* What the event says of itself must be where it stands. */
static int check_words(struct audit *audit, uint64_t seq, int lane, const char *place,
                       const struct json *event)
{
    const struct tail *tail = &audit->archive->tail;
    char sequence[24], id[3 * WORD_ID_MAX];
    snprintf(sequence, sizeof(sequence), "%016" PRIu64, seq);
    snprintf(id, sizeof(id), "%s/%s/%" PRIu64, tail->office, tail->log, seq);
    const struct {
        const char *name;
        const char *expected;
    } members[] = {
        {"specversion", "1.0"},
        {"id", id},
        {"office", tail->office},
        {"log", tail->log},
        {"sequence", sequence},
        {"lane", lane >= 0 && lane < LANES ? talk_lane_name((enum talk_lane)lane) : "?"},
    };
    for (size_t i = 0; i < countof(members); i++) {
        const char *value = json_text(event, members[i].name);
        if (value == NULL || strcmp(value, members[i].expected) != 0)
            return finding_put(audit->finding, place, "%s is \"%s\", expected \"%s\"",
                               members[i].name, value ? value : "", members[i].expected);
    }
    return check_lane(audit, seq, (enum talk_lane)lane, place);
}

static int check_event(struct audit *audit, uint64_t seq, int lane, const void *body,
                       size_t length)
{
    char place[FINDING_PLACE_MAX];
    struct json *event = NULL;
    name_event(audit, place, seq);
    if (json_parse(&event, body, length) != 0)
        return finding_put(audit->finding, place, "is not JSON");
    int err = check_words(audit, seq, lane, place, event);
    if (!err)
        err = ledger_take(audit->ledger, audit->archive, seq, event, audit->finding);
    if (!err)
        err = custody_take(&audit->custody, audit->archive, seq, event, audit->finding);
    json_free(event);
    return err;
}

/* Of an event whose body is gone the row is all that is left to compare. */
static int check_erased(struct audit *audit, uint64_t seq)
{
    char place[FINDING_PLACE_MAX];
    const struct tail *tail = &audit->archive->tail;
    name_event(audit, place, seq);
    if (!tail_is_erased(tail, seq))
        return finding_put(audit->finding, place,
                           "is erased, and no event says by whose order");
    return check_lane(audit, seq, (enum talk_lane)tail_lane(tail, seq), place);
}

static int add_leaf(struct audit *audit, const struct digest *leaf)
{
    tree_append(&audit->tree, leaf);
    int err = add_hash(audit, 0, leaf);
    return err ? err : meet_claims(audit);
}

/* An entry of the bundle; where there is no bundle, all are erased. */
static const void *entry_of(const struct bundle *bundle, unsigned i, size_t *length)
{
    *length = 0;
    return bundle == NULL ? NULL : bundle_entry(bundle, i, length);
}

static int read_leaves(struct audit *audit, struct digest leaves[TILE_WIDTH],
                       uint64_t index)
{
    char name[TILE_PATH_ROOM];
    tile_path(name, 0, index, TILE_WIDTH);
    int err = archive_leaves(audit->archive, leaves, index);
    if (err == -ENOENT)
        return finding_put(audit->finding, name, "missing");
    if (err == -EBADMSG)
        return finding_put(audit->finding, name, "expected %d hashes", TILE_WIDTH);
    return err;
}

/* Hashes first: the tile is compared before any event's words are read. */
static int add_bundle(struct audit *audit, uint64_t index, const struct bundle *bundle)
{
    struct digest leaves[TILE_WIDTH];
    size_t length;
    int err = read_leaves(audit, leaves, index);
    for (unsigned i = 0; i < TILE_WIDTH && !err; i++) {
        const void *body = entry_of(bundle, i, &length);
        if (length > 0)
            suite_leaf(suite_of(audit), &leaves[i], body, length);
        err = add_leaf(audit, &leaves[i]);
    }
    for (unsigned i = 0; i < TILE_WIDTH && !err; i++) {
        uint64_t seq = index * TILE_WIDTH + i;
        const void *body = entry_of(bundle, i, &length);
        err = length == 0 ? check_erased(audit, seq)
                          : check_event(audit, seq, tail_lane(&audit->archive->tail, seq),
                                        body, length);
    }
    return err;
}

/* Whether a body is still there that tail.db calls erased: the keeper was cut off between the row
 * and the file, and will do it when it starts again. */
static bool is_half_done(const struct audit *audit, uint64_t index,
                         const struct bundle *bundle)
{
    size_t length;
    for (unsigned i = 0; i < TILE_WIDTH; i++) {
        entry_of(bundle, i, &length);
        if (length > 0 && tail_is_erased(&audit->archive->tail, index * TILE_WIDTH + i))
            return true;
    }
    return false;
}

static bool is_sealed_file(const struct audit *audit, uint64_t index,
                           const struct buffer *file)
{
    struct digest digest;
    suite_hash(suite_named("sha256+ed25519"), &digest, file->bytes, file->length);
    return digest_equal(&digest, &tail_tile(&audit->archive->tail, index)->file);
}

/* A keeper at work may have erased since its tail was read. */
static int look_again(struct audit *audit)
{
    struct tail *tail = &audit->archive->tail;
    struct finding unused = {.place = ""};
    return tail->is_live ? tail_look_again(tail, audit->archive->folder, &unused)
                         : -ENOENT;
}

static int check_bundle(struct audit *audit, uint64_t index, const struct buffer *file)
{
    struct bundle bundle;
    char place[FINDING_PLACE_MAX];
    uint64_t first = index * TILE_WIDTH;
    snprintf(place, sizeof(place), "events %" PRIu64 "..%" PRIu64 " (%s)", first,
             first + TILE_WIDTH - 1, audit->source);
    audit->is_intact = is_sealed_file(audit, index, file);
    if (!audit->is_intact && look_again(audit) == 0)
        audit->is_intact = is_sealed_file(audit, index, file);
    int err = bundle_open(&bundle, file->bytes, file->length);
    if (err)
        return finding_put(audit->finding, place,
                           "not a bundle of events, or a broken one");
    if (bundle.count != TILE_WIDTH)
        err = finding_put(audit->finding, place, "%u entries, expected %d", bundle.count,
                          TILE_WIDTH);
    if (!err)
        err = add_bundle(audit, index, &bundle);
    bool half_done =
        !err && !audit->archive->tail.is_closed && is_half_done(audit, index, &bundle);
    bundle_close(&bundle);
    if (err || audit->is_intact || half_done)
        return err;
    return finding_put(
        audit->finding, audit->source,
        "the file is not the one that was sealed (its digest in tail.db differs)");
}

/* The hash tile is gone too; the hash above it stands for all 256. */
static int add_lost(struct audit *audit, uint64_t index)
{
    struct digest hash;
    int err = archive_above(audit->archive, &hash, index);
    if (err || tree_graft(&audit->tree, TILE_HEIGHT, &hash) != 0)
        return finding_put(audit->finding, audit->source, "its hashes are missing");
    audit->levels[0].index++;
    err = add_hash(audit, 1, &hash);
    for (uint64_t i = 0; i < TILE_WIDTH && !err; i++)
        err = check_erased(audit, index * TILE_WIDTH + i);
    return err ? err : meet_claims(audit);
}

/* No bundle: as it should be when all of the tile is erased. */
static int check_no_bundle(struct audit *audit, uint64_t index)
{
    char place[FINDING_PLACE_MAX];
    const struct buffer nothing = {0};
    if (!tail_tile_is_erased(&audit->archive->tail, index))
        look_again(audit);
    audit->is_intact = is_sealed_file(audit, index, &nothing);
    if (tail_tile_is_erased(&audit->archive->tail, index) && audit->is_intact) {
        tile_path(place, 0, index, TILE_WIDTH);
        return archive_holds(audit->archive, place) ? add_bundle(audit, index, NULL)
                                                    : add_lost(audit, index);
    }
    snprintf(place, sizeof(place), "event %" PRIu64 " (%s)", index * TILE_WIDTH,
             audit->source);
    return finding_put(audit->finding, place, "the file is missing");
}

static int check_sealed(struct audit *audit, uint64_t index)
{
    struct buffer file = {0};
    tile_path(audit->source, -1, index, TILE_WIDTH);
    int err = archive_read(audit->archive, &file, audit->source, ARCHIVE_FILE_MAX);
    if (err == -ENOENT) {
        return check_no_bundle(audit, index);
    } else if (err == -EFBIG) {
        err = finding_put(audit->finding, audit->source, "more than %d bytes",
                          ARCHIVE_FILE_MAX);
    }
    if (!err)
        err = check_bundle(audit, index, &file);
    buffer_free(&file);
    return err;
}

static int check_row(struct audit *audit, const struct tail_event *event)
{
    const char *body = audit->archive->tail.bodies.bytes + event->start;
    char place[FINDING_PLACE_MAX], computed[DIGITS_ROOM], expected[DIGITS_ROOM];
    struct digest leaf;
    suite_leaf(suite_of(audit), &leaf, body, event->length);
    if (!digest_equal(&leaf, &event->leaf)) {
        name_event(audit, place, (uint64_t)event->seq);
        hex_encode(computed, leaf.bytes, DIGEST_BYTES);
        hex_encode(expected, event->leaf.bytes, DIGEST_BYTES);
        return finding_put(audit->finding, place, "hash %s, expected %s by its row",
                           computed, expected);
    }
    int err = add_leaf(audit, &leaf);
    return err ? err
               : check_event(audit, (uint64_t)event->seq, event->lane, body,
                             event->length);
}

/* A bundle that was written when the sealing was cut off: its events are still in the tail. */
static int check_early_bundle(struct audit *audit, uint64_t index)
{
    const struct tail *tail = &audit->archive->tail;
    struct buffer file = {0}, plain = {0}, packed = {0};
    char name[TILE_PATH_ROOM];
    tile_path(name, -1, index, TILE_WIDTH);
    int err = archive_read(audit->archive, &file, name, ARCHIVE_FILE_MAX);
    for (size_t i = 0; i < TILE_WIDTH && !err; i++) {
        const struct tail_event *event =
            tail_at(tail, (size_t)(index * TILE_WIDTH - tail->sealed) + i);
        bundle_add(&plain, tail->bodies.bytes + event->start, event->length);
    }
    if (!err)
        bundle_pack(&packed, &plain);
    if (!err &&
        (packed.length != file.length || memcmp(packed.bytes, file.bytes, file.length)))
        err = finding_put(audit->finding, name, "does not hold the events of the tail");
    buffer_free(&file);
    buffer_free(&plain);
    buffer_free(&packed);
    return err == -ENOENT ? 0 : err;
}

static void claim_root(struct audit *audit, const char *place, uint64_t size,
                       const struct digest *root)
{
    ASSERT(audit->root_count < CLAIMS_MAX);
    audit->roots[audit->root_count++] = (struct root_claim){place, size, *root};
}

static void claim_receipt(struct audit *audit, const char *place,
                          const struct receipt *receipt)
{
    if (receipt->has_checkpoint)
        claim_root(audit, place, receipt->size, &receipt->root);
    for (int lane = 0; lane < LANES; lane++) {
        ASSERT(audit->lane_count < CLAIMS_MAX);
        if (receipt->lane[lane] >= 0)
            audit->lanes[audit->lane_count++] =
                (struct lane_claim){place, receipt->lane[lane], (enum talk_lane)lane};
    }
}

static void gather_claims(struct audit *audit)
{
    const struct papers *papers = audit->papers;
    if (papers->has_checkpoint)
        claim_root(audit, "checkpoint", papers->checkpoint.size,
                   &papers->checkpoint.root);
    if (papers->has_receipt)
        claim_receipt(audit, "receipt", &papers->receipt);
    if (papers->has_extra)
        claim_receipt(audit, "the given receipt", &papers->extra);
}

/* Each erased event was ordered to be. */
static int check_orders(struct audit *audit)
{
    const struct tail *tail = &audit->archive->tail;
    char place[FINDING_PLACE_MAX];
    uint64_t seq;
    if (tail->is_live && ledger_has_gap(audit->ledger, tail, &seq))
        ledger_gather_news(audit->ledger, audit->archive);
    if (!ledger_has_gap(audit->ledger, tail, &seq))
        return 0;
    tile_path(audit->source, -1, seq / TILE_WIDTH, TILE_WIDTH);
    name_event(audit, place, seq);
    return finding_put(audit->finding, place,
                       "is erased by tail.db, and no event says by whose order");
}

static int check_ends(struct audit *audit)
{
    uint64_t size = archive_size(audit->archive);
    int err = 0;
    for (int number = 0; number < LEVELS && !err; number++)
        err = check_partial(audit, number);
    for (uint64_t i = audit->archive->tail.sealed / TILE_WIDTH;
         i < size / TILE_WIDTH && !err; i++)
        err = check_early_bundle(audit, i);
    return err;
}

static int check_all(struct audit *audit)
{
    const struct tail *tail = &audit->archive->tail;
    if (tail_tile_count(tail) != tail->sealed / TILE_WIDTH)
        return finding_put(audit->finding, "tail.db",
                           "table tile: %zu rows, expected %" PRIu64,
                           tail_tile_count(tail), tail->sealed / TILE_WIDTH);
    int err = meet_claims(audit);
    for (uint64_t i = 0; i < tail->sealed / TILE_WIDTH && !err; i++)
        err = check_sealed(audit, i);
    audit->is_intact = false;
    for (size_t i = 0; i < tail_count(tail) && !err; i++)
        err = check_row(audit, tail_at(tail, i));
    if (!err)
        err = check_ends(audit);
    if (!err)
        err = check_orders(audit);
    return err ? err
               : custody_check(&audit->custody, audit->archive,
                               audit->ledger->damaged.events > 0, audit->finding);
}

int audit_events(struct archive *archive, const struct papers *papers,
                 const struct inventory *inventory, struct ledger *ledger,
                 struct finding *finding)
{
    struct audit *audit = mem_new(struct audit);
    audit->archive = archive;
    audit->papers = papers;
    audit->inventory = inventory;
    audit->ledger = ledger;
    audit->finding = finding;
    tree_begin(&audit->tree, archive->tail.suite);
    gather_claims(audit);
    int err = check_all(audit);
    custody_free(&audit->custody);
    mem_free(audit);
    return err;
}
