/* scrub - see scrub.h.
 *
 * Invariant: a bundle is replaced only after the event and the row that say so are on disk. */
#include "keeper/repair/scrub.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/base.h"
#include "base/json.h"
#include "base/log.h"
#include "keeper/repair/opening.h"
#include "keeper/self.h"

static const char CURSOR[] = "scrub";

/* What the errand says; then the texts: hash tiles made anew, and the lost events. */
struct answer {
    int looked;
    bool is_edge_lost, is_hopeless;
    size_t names, told;
    struct mend_tile tiles[SCRUB_TILES];
};

static void due(struct loop_timer *timer)
{
    struct scrub *scrub = container_of(timer, struct scrub, due);
    scrub->is_due = true;
    if (scrub->wanted != NULL)
        scrub->wanted(scrub->owner);
}

static int64_t sealed_tiles(const struct scrub *scrub)
{
    return scrub->journal->tail.base / TILE_WIDTH;
}

void scrub_open(struct scrub *scrub, struct loop *loop, struct group *group)
{
    struct buffer cursor = {0};
    *scrub = (struct scrub){.loop = loop,
                            .journal = group->journal,
                            .group = group,
                            .due.fire = due,
                            .urgent = -1,
                            .hopeless = -1};
    if (store_get(group->journal->store, OPENING_OWN, CURSOR, &cursor) == 0)
        scrub->next = strtoll(buffer_text(&cursor), NULL, 10);
    if (scrub->next < 0 || scrub->next >= sealed_tiles(scrub))
        scrub->next = 0;
    buffer_free(&cursor);
}

void scrub_close(struct scrub *scrub)
{
    loop_timer_stop(&scrub->due);
}

void scrub_start(struct scrub *scrub)
{
    loop_timer_start(scrub->loop, &scrub->due, SCRUB_FIRST_MS);
}

int64_t scrub_pause_ms(int64_t tiles)
{
    int64_t steps = (tiles + SCRUB_TILES - 1) / SCRUB_TILES;
    int64_t ms = steps > 0 ? SCRUB_PASS_MS / steps : SCRUB_MOST_MS;
    if (ms < SCRUB_LEAST_MS)
        return SCRUB_LEAST_MS;
    return ms < SCRUB_MOST_MS ? ms : SCRUB_MOST_MS;
}

void scrub_look(struct scrub *scrub, int64_t seq)
{
    int64_t index = seq / TILE_WIDTH;
    if (seq >= scrub->journal->tail.base || index == scrub->hopeless)
        return;
    scrub->urgent = index;
    loop_timer_start(scrub->loop, &scrub->due, 0); /* the reader is in the middle of it */
}

bool scrub_wants(const struct scrub *scrub)
{
    return (scrub->is_due || scrub->urgent >= 0) && !scrub->group->has_alarm;
}

static void take_row(struct scrub *scrub, int64_t index)
{
    struct mend_tile *tile = &scrub->tiles[scrub->count++];
    *tile = (struct mend_tile){.index = index};
    tile->has_row = store_get_tile(scrub->journal->store, index, &tile->row) == 0;
}

int scrub_begin(struct scrub *scrub)
{
    int64_t tiles = sealed_tiles(scrub);
    scrub->count = 0;
    scrub->is_due = false;
    if (scrub->urgent >= 0)
        take_row(scrub, scrub->urgent);
    for (int64_t n = scrub->next; n < tiles && scrub->count < SCRUB_TILES; n++)
        take_row(scrub, n);
    loop_timer_start(scrub->loop, &scrub->due, scrub_pause_ms(tiles));
    return scrub->count > 0 ? 0 : -ENOENT;
}

/* ---- In the errand */

static int64_t bundle_bytes(const struct journal *journal, int64_t index)
{
    char name[TILE_PATH_ROOM], path[JOURNAL_PATH_MAX];
    struct stat file;
    tile_path(name, -1, (uint64_t)index, TILE_WIDTH);
    return journal_path(journal, path, name) == 0 && stat(path, &file) == 0 ? file.st_size
                                                                            : 0;
}

/* Ends with the first tile that lost events: each has an event of its own. */
static int look(const struct scrub *scrub, struct answer *answer, struct buffer *names,
                struct buffer *told)
{
    int64_t bytes = 0;
    int err = 0;
    for (int i = 0; i < scrub->count && bytes < SCRUB_BYTES && told->length == 0; i++) {
        struct mend_tile *tile = &answer->tiles[i];
        *tile = scrub->tiles[i];
        bytes += bundle_bytes(scrub->journal, tile->index);
        err = mend_look(scrub->journal, tile, names, told);
        answer->looked = i + 1;
        answer->is_hopeless = err == -EBADMSG;
        if (err)
            break;
    }
    return err == -EBADMSG ? 0 : err;
}

int scrub_work(void *owner, struct buffer *result)
{
    const struct scrub *scrub = owner;
    struct answer answer = {.looked = 0};
    struct buffer names = {0}, told = {0};
    int err = mend_edge(scrub->journal, &names);
    answer.is_edge_lost = err == -EBADMSG;
    if (err >= 0)
        err = look(scrub, &answer, &names, &told);
    answer.names = names.length;
    answer.told = told.length;
    buffer_append(result, &answer, sizeof(answer));
    buffer_append(result, names.bytes, names.length);
    buffer_append(result, told.bytes, told.length);
    buffer_free(&names);
    buffer_free(&told);
    return err == -EBADMSG ? 0 : err;
}

/* ---- What follows */

static void record(const struct scrub *scrub, const char *reason, const char *file,
                   const char *tiles)
{
    struct buffer text = {0};
    log_error("journal: %s: %s", file, reason);
    buffer_append_text(&text, "{\"reason\":");
    json_put_text(&text, reason);
    buffer_append_text(&text, ",\"file\":");
    json_put_text(&text, file);
    if (tiles[0] != '\0')
        buffer_printf(&text, ",\"tiles\":[%s]", tiles);
    buffer_append_text(&text, "}");
    self_record(scrub->group, "journal.damaged", buffer_text(&text));
    buffer_free(&text);
}

static const char *reason_of(const struct mend_tile *tile, char *reason, size_t room)
{
    unsigned lost = cover_count(&tile->lost);
    if (tile->state == MEND_ROW)
        return "what tail.db says of this bundle was not so, and has been put right";
    if (tile->state == MEND_BUNDLE)
        return "the bundle was damaged and has been made anew; nothing more is lost";
    snprintf(reason, room, "%s: %u of its 256 events are lost",
             tile->is_hash_lost ? "bundle and hash tile are damaged"
                                : "the bundle is damaged",
             lost);
    return reason;
}

static int put_tile(struct scrub *scrub, const struct mend_tile *tile, const char *told)
{
    char name[TILE_PATH_ROOM], reason[100];
    if (tile->state == MEND_SOUND)
        return 0;
    scrub->damaged++;
    tile_path(name, -1, (uint64_t)tile->index, TILE_WIDTH);
    record(scrub, reason_of(tile, reason, sizeof(reason)), name,
           tile->state == MEND_LOST ? told : "");
    if (!scrub->journal->is_open)
        return -ENOSPC; /* it has been logged */
    return store_add_tile(scrub->journal->store, tile->index, &tile->row);
}

static void record_hopeless(struct scrub *scrub, const struct answer *answer)
{
    if (answer->is_edge_lost && !scrub->edge_told) {
        scrub->edge_told = true;
        record(scrub,
               "hash tiles are damaged and cannot be made anew; at the next start this "
               "journal is set aside",
               "tile/0", "");
    }
    if (answer->is_hopeless && answer->looked > 0) {
        char name[TILE_PATH_ROOM];
        int64_t index = answer->tiles[answer->looked - 1].index;
        tile_path(name, 0, (uint64_t)index, TILE_WIDTH);
        if (scrub->hopeless != index)
            record(scrub, "neither it nor what lies above it can be made anew", name, "");
        scrub->hopeless = index;
    }
}

static int put_cursor(struct scrub *scrub, int64_t next)
{
    char text[24];
    if (sealed_tiles(scrub) <= SCRUB_TILES || ++scrub->steps % SCRUB_STEPS_KEPT != 0)
        return 0;
    int length = snprintf(text, sizeof(text), "%" PRId64, next);
    int err = group_enter(scrub->group);
    return err ? err
               : store_put(scrub->journal->store, OPENING_OWN, CURSOR, text,
                           (size_t)length);
}

static int put_all(struct scrub *scrub, const struct answer *answer, const char *names,
                   const char *told, int64_t next)
{
    int err = 0;
    if (names[0] != '\0')
        record(scrub, "hash tiles were damaged and have been made anew", names, "");
    record_hopeless(scrub, answer);
    for (int i = 0; i < answer->looked && !err; i++)
        err = put_tile(scrub, &answer->tiles[i], told);
    return err ? err : put_cursor(scrub, next);
}

/* The first tile may be one that was asked for out of its turn. */
static bool had_urgent(const struct scrub *scrub)
{
    return scrub->count > 0 && scrub->urgent >= 0 &&
           scrub->tiles[0].index == scrub->urgent;
}

static int64_t next_of(const struct scrub *scrub, const struct answer *answer)
{
    int looked = answer->looked - had_urgent(scrub);
    int64_t next = scrub->next + (looked > 0 ? looked : 0);
    return next < sealed_tiles(scrub) ? next : 0;
}

static int put_bundles(struct scrub *scrub, const struct answer *answer)
{
    int err = 0;
    for (int i = 0; i < answer->looked && !err; i++)
        if (answer->tiles[i].state == MEND_BUNDLE || answer->tiles[i].state == MEND_LOST)
            err = mend_put(scrub->journal, &answer->tiles[i]);
    return err;
}

static int commit(struct scrub *scrub, const struct answer *answer, const char *names,
                  const char *told, int64_t next)
{
    struct group *group = scrub->group;
    int64_t before = group->commits;
    int err = put_all(scrub, answer, names, told, next);
    if (!group->journal->is_open)
        return err; /* there was nothing to say */
    if (err)
        group_fail(group, err);
    else
        group_commit(group);
    return err || group->commits > before ? err : -EIO;
}

/* Who could not read it may try again; if it is sound and still cannot be read, not for ever. */
static void end_urgent(struct scrub *scrub, const struct answer *answer)
{
    if (!had_urgent(scrub) || answer->looked == 0)
        return;
    if (answer->tiles[0].state == MEND_SOUND)
        scrub->hopeless = scrub->urgent;
    scrub->urgent = -1;
    if (scrub->mended != NULL)
        scrub->mended(scrub->owner);
}

int scrub_end(struct scrub *scrub, const struct buffer *result)
{
    struct answer answer;
    struct buffer names = {0}, told = {0};
    if (result->length < sizeof(answer))
        return -ECHILD;
    memcpy(&answer, result->bytes, sizeof(answer));
    ASSERT(!scrub->journal->is_open && answer.looked <= scrub->count);
    ASSERT(result->length == sizeof(answer) + answer.names + answer.told);
    buffer_append(&names, result->bytes + sizeof(answer), answer.names);
    buffer_append(&told, result->bytes + sizeof(answer) + answer.names, answer.told);
    int64_t next = next_of(scrub, &answer);
    int err = commit(scrub, &answer, buffer_text(&names), buffer_text(&told), next);
    if (!err)
        err = put_bundles(scrub, &answer);
    buffer_free(&names);
    buffer_free(&told);
    if (err)
        return err;
    end_urgent(scrub, &answer);
    scrub->passes += next == 0 && answer.looked > 0;
    scrub->next = next;
    return 0;
}

void scrub_print(const struct scrub *scrub, struct buffer *out)
{
    buffer_printf(out,
                  "{\"tile\":%" PRId64 ",\"of\":%" PRId64 ",\"passes\":%" PRId64
                  ",\"damaged\":%" PRId64 "}",
                  scrub->next, sealed_tiles(scrub), scrub->passes, scrub->damaged);
}
