/* ledger - see ledger.h.
 *
 * The office writes the event, the rows of tail.db and then the bundle, in this order and the first
 * two at once: so an event that the rows do not bear out was not written by it. */
#include "cli/journal/ledger.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "proof/erasure.h"

struct claim {
    struct archive *archive;
    uint64_t seq;
    const struct erasure *erasure;
    struct finding *finding;
    char place[FINDING_PLACE_MAX];
};

/* ---- Checks of one event */

static int check_position(struct claim *claim, uint64_t erased)
{
    const struct tail *tail = &claim->archive->tail;
    const struct erasure *erasure = claim->erasure;
    if (!tail_is_erased(tail, erased))
        return finding_put(claim->finding, claim->place,
                           "says that event %" PRIu64 " is erased, tail.db does not",
                           erased);
    const char *lane = talk_lane_name((enum talk_lane)tail_lane(tail, erased));
    if (erasure->is_damage)
        return 0;
    if (strcmp(lane, erasure->lane) != 0)
        return finding_put(claim->finding, claim->place,
                           "says that it erased %s, but event %" PRIu64 " is of lane %s",
                           erasure->lane, erased, lane);
    if (strcmp(erasure->reason, "quota") == 0 && strcmp(lane, "telemetry") != 0)
        return finding_put(claim->finding, claim->place,
                           "erased event %" PRIu64 " of lane %s for the quota, which may "
                           "only take telemetry",
                           erased, lane);
    return 0;
}

/* Where the hash tile was lost with the bundle, the hash above it has to be the one. */
static bool fits_above(struct claim *claim, const struct erasure_tile *tile)
{
    struct digest hash;
    return claim->erasure->is_damage && tile->nodes[0].height == 8 &&
           archive_above(claim->archive, &hash, tile->n) == 0 &&
           digest_equal(&hash, &tile->hashes[0]);
}

static int check_hashes(struct claim *claim, const struct erasure_tile *tile)
{
    struct digest leaves[TILE_WIDTH];
    char name[TILE_PATH_ROOM];
    tile_path(name, 0, tile->n, TILE_WIDTH);
    int err = archive_leaves(claim->archive, leaves, tile->n);
    if (err == -ENOENT && fits_above(claim, tile))
        return 0;
    if (err == -ENOENT || err == -EBADMSG)
        return finding_put(claim->finding, name, "missing, or not %d hashes", TILE_WIDTH);
    if (!err && !erasure_fits(tile, claim->archive->tail.suite, leaves))
        return finding_put(claim->finding, claim->place,
                           "its hashes for the erased events of tile %" PRIu64
                           " are not those of %s",
                           tile->n, name);
    return err;
}

static int check_tile(struct claim *claim, const struct erasure_tile *tile)
{
    const struct tail *tail = &claim->archive->tail;
    if (tile->n >= tail->sealed / TILE_WIDTH || (tile->n + 1) * TILE_WIDTH > claim->seq)
        return finding_put(claim->finding, claim->place,
                           "says that it erased events of tile %" PRIu64
                           ", which was not sealed then",
                           tile->n);
    int err = 0;
    for (unsigned i = 0; i < TILE_WIDTH && !err; i++)
        if (cover_has(&tile->cover, i))
            err = check_position(claim, tile->n * TILE_WIDTH + i);
    return err ? err : check_hashes(claim, tile);
}

static int check_claim(struct claim *claim)
{
    int err = 0;
    snprintf(claim->place, sizeof(claim->place), "event %" PRIu64 " (%s)", claim->seq,
             claim->erasure->is_damage ? "journal.damaged" : "journal.thinned");
    for (size_t i = 0; i < claim->erasure->tile_count && !err; i++)
        err = check_tile(claim, &claim->erasure->tiles[i]);
    return err;
}

/* ---- Keeping */

static void add(struct ledger *ledger, uint64_t seq, const struct erasure *erasure)
{
    struct ledger_sum *sum = erasure->is_damage ? &ledger->damaged : &ledger->thinned;
    sum->by++;
    sum->events += erasure->count;
    for (size_t i = 0; i < erasure->tile_count; i++) {
        const struct erasure_tile *tile = &erasure->tiles[i];
        const struct ledger_entry entry = {seq, tile->n, tile->cover};
        buffer_append(&ledger->entries, &entry, sizeof(entry));
    }
}

int ledger_take(struct ledger *ledger, struct archive *archive, uint64_t seq,
                const struct json *event, struct finding *finding)
{
    struct erasure *erasure;
    char place[FINDING_PLACE_MAX];
    int err = erasure_read(&erasure, event, archive->tail.office);
    if (err) {
        snprintf(place, sizeof(place), "event %" PRIu64, seq);
        return finding_put(finding, place, "its list of erased events cannot be read");
    }
    if (erasure == NULL)
        return 0;
    struct claim claim = {archive, seq, erasure, finding, ""};
    err = check_claim(&claim);
    if (!err)
        add(ledger, seq, erasure);
    mem_free(erasure);
    return err;
}

static void take_unchecked(struct ledger *ledger, struct archive *archive, uint64_t seq)
{
    static const char MEMBER[] = "\"type\":\"journal.";
    const void *body;
    size_t length;
    struct json *event = NULL;
    struct erasure *erasure = NULL;
    if (archive_event(archive, seq, &body, &length) != 0 ||
        memmem(body, length, MEMBER, sizeof(MEMBER) - 1) == NULL ||
        json_parse(&event, body, length) != 0)
        return;
    if (erasure_read(&erasure, event, archive->tail.office) == 0 && erasure != NULL)
        add(ledger, seq, erasure);
    mem_free(erasure);
    json_free(event);
}

/* Telemetry is not looked at: what orders an erasure is an alarm or a record. */
void ledger_gather(struct ledger *ledger, struct archive *archive, uint64_t from)
{
    const struct tail *tail = &archive->tail;
    uint64_t size = archive_size(archive);
    for (uint64_t seq = from; (seq = tail_known(tail, seq)) < size; seq++) {
        int lane = seq < tail->sealed
                       ? tail_lane(tail, seq)
                       : (int)tail_at(tail, (size_t)(seq - tail->sealed))->lane;
        if (lane != LANE_TELEMETRY)
            take_unchecked(ledger, archive, seq);
    }
}

void ledger_gather_news(struct ledger *ledger, const struct archive *archive)
{
    struct archive *now = NULL;
    struct finding unused = {.place = ""};
    if (archive_open(&now, archive->folder, &unused) == 0)
        ledger_gather(ledger, now, archive_size(archive));
    archive_close(now);
}

bool ledger_find(struct ledger *ledger, uint64_t seq, uint64_t *by)
{
    const struct ledger_entry *entries = (const void *)ledger->entries.bytes;
    size_t count = ledger->entries.length / sizeof(*entries);
    for (size_t i = 0; i < count; i++) {
        size_t at = (ledger->hint + i) % count;
        if (entries[at].n != seq / TILE_WIDTH ||
            !cover_has(&entries[at].cover, (unsigned)(seq % TILE_WIDTH)))
            continue;
        ledger->hint = at;
        *by = entries[at].seq;
        return true;
    }
    return false;
}

/* All the covers of each tile in one. The caller frees them. */
static struct cover *unite(const struct ledger *ledger, uint64_t tiles)
{
    const struct ledger_entry *entries = (const void *)ledger->entries.bytes;
    size_t count = ledger->entries.length / sizeof(*entries);
    struct cover *covers = mem_zeroed((size_t)tiles * sizeof(*covers));
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < sizeof(covers->bits) && entries[i].n < tiles; k++)
            covers[entries[i].n].bits[k] |= entries[i].cover.bits[k];
    return covers;
}

bool ledger_has_gap(const struct ledger *ledger, const struct tail *tail, uint64_t *seq)
{
    struct cover *covers = unite(ledger, tail->sealed / TILE_WIDTH);
    uint64_t at = 0;
    while (at < tail->sealed &&
           (!tail_is_erased(tail, at) ||
            cover_has(&covers[at / TILE_WIDTH], (unsigned)(at % TILE_WIDTH))))
        at++;
    mem_free(covers);
    *seq = at;
    return at < tail->sealed;
}

void ledger_free(struct ledger *ledger)
{
    buffer_free(&ledger->entries);
}
