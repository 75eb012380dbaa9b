/* thin - see thin.h.
 *
 * Invariant: a bundle is replaced or removed only after the event that says so is on disk. The
 * round that was committed last is in the store under the keeper's own key, so that its end is
 * known after a cut; ending it twice does nothing. */
#include "keeper/space/thin.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/now.h"
#include "keeper/journal/shelf.h"
#include "keeper/self.h"
#include "proof/bundle.h"
#include "proof/erasure.h"

enum { BUNDLE_FILE_MAX = 32 * 1024 * 1024, HEAD_MAX = 256, FOLDER_TILES = 1000 };

/* Of names that a keeper writes before it puts them in place. */
static const char NEW[] = ".0.new";
/* No plugin instance has the empty name. */
static const char OWN[] = "", ROUND[] = "thinned";

/* What the errand says of a tile. */
struct thin_fate {
    int64_t index;
    int64_t freed;
    struct digest file;
    bool is_erased; /* false: passed over */
};

/* What the errand says; the event's data follow. */
struct thin_answer {
    int count;
    struct thin_fate fates[THIN_TILES_MAX];
};

static int bundle_path(const struct journal *journal, char path[JOURNAL_PATH_MAX],
                       int64_t index, const char *ending)
{
    char name[TILE_PATH_ROOM + sizeof(NEW)];
    tile_path(name, -1, (uint64_t)index, TILE_WIDTH);
    strcat(name, ending);
    return journal_path(journal, path, name);
}

/* The folders of the bundles of tiles in rising order. */
static int sync_folders(const struct journal *journal, const int64_t *tiles, size_t count)
{
    char path[JOURNAL_PATH_MAX];
    int err = 0;
    for (size_t i = 0; i < count && !err; i++) {
        if (i > 0 && tiles[i] / FOLDER_TILES == tiles[i - 1] / FOLDER_TILES)
            continue;
        err = bundle_path(journal, path, tiles[i], "");
        if (err)
            return err;
        *strrchr(path, '/') = '\0';
        err = file_sync_folder(path);
    }
    return err == -ENOENT ? 0 : err;
}

static int64_t allocated(const char *path)
{
    struct stat file;
    return stat(path, &file) == 0 ? (int64_t)file.st_blocks * 512 : 0;
}

/* Hash tiles are never written again: their time is that of the sealing. */
static bool is_older(const struct journal *journal, int64_t index, int64_t keep_ms)
{
    char name[TILE_PATH_ROOM], path[JOURNAL_PATH_MAX];
    struct stat file;
    tile_path(name, 0, (uint64_t)index, TILE_WIDTH);
    if (journal_path(journal, path, name) != 0 || stat(path, &file) != 0)
        return false;
    return now_utc_us() / 1000 - (int64_t)file.st_mtim.tv_sec * 1000 >= keep_ms;
}

static int64_t last_erased(const struct thin_tile *tile)
{
    int at = TILE_WIDTH - 1;
    while (at > 0 && !cover_has(&tile->erased, (unsigned)at))
        at--;
    return tile->index * TILE_WIDTH + at;
}

static int64_t first_erased(const struct thin_tile *tile)
{
    int at = 0;
    while (at < TILE_WIDTH - 1 && !cover_has(&tile->erased, (unsigned)at))
        at++;
    return tile->index * TILE_WIDTH + at;
}

/* What the city has and what it will never get do not go by one order: beneath a hash for both, the
 * city could prove nothing any more of what it has. */
static void split(struct thin_tile *tile, int64_t mark)
{
    struct cover had = {{0}};
    tile->is_split = first_erased(tile) <= mark && mark < last_erased(tile);
    if (!tile->is_split)
        return;
    for (unsigned i = 0; tile->index * TILE_WIDTH + i <= mark; i++)
        if (cover_has(&tile->erased, i))
            cover_put(&had, i);
    tile->erased = had;
}

static int choose(struct thin_tile *tile, const struct journal *journal, int64_t from)
{
    *tile = (struct thin_tile){.index = -1};
    int err = store_find_tile(journal->store, from, LANE_TELEMETRY, &tile->index);
    if (!err)
        err = store_get_tile(journal->store, tile->index, &tile->row);
    for (unsigned i = 0; i < TILE_WIDTH && !err; i++)
        if (tile->row.lanes[i] == LANE_TELEMETRY)
            cover_put(&tile->erased, i);
    if (!err)
        split(tile, journal->marks[LANE_TELEMETRY]);
    return err;
}

/* All of a round have one reason, for it is one event. */
int thin_begin(struct thin *thin, struct journal *journal, int64_t from, int64_t keep_ms)
{
    *thin = (struct thin){.journal = journal};
    int err = 0;
    while (thin->count < THIN_TILES_MAX) {
        struct thin_tile *tile = &thin->tiles[thin->count];
        err = choose(tile, journal, from);
        if (err)
            break;
        bool is_over = last_erased(tile) <= journal->marks[LANE_TELEMETRY] &&
                       is_older(journal, tile->index, keep_ms);
        if (thin->count > 0 && is_over != thin->is_over)
            break;
        thin->is_over = is_over;
        thin->count++;
        if (tile->is_split)
            break;
        from = tile->index + 1;
    }
    return thin->count > 0 ? 0 : err;
}

/* ---- In the errand: files are read and written, the store is not touched. */

struct work {
    const struct thin *thin;
    struct thin_answer *answer;
    struct buffer tiles; /* of the event's data */
    int64_t first, last, events;
};

/* The bundle without what is erased. What is there must be what was sealed: a body that is not is
 * damage, and must not vanish as if it had been thinned. */
static int filter(struct buffer *plain, const struct thin_tile *tile,
                  const struct bundle *bundle, const struct suite *suite,
                  const struct digest leaves[TILE_WIDTH], int *left)
{
    *left = 0;
    if (bundle->count != TILE_WIDTH)
        return -EBADMSG;
    for (unsigned i = 0; i < TILE_WIDTH; i++) {
        size_t length;
        struct digest leaf;
        const void *entry = bundle_entry(bundle, i, &length);
        suite_leaf(suite, &leaf, entry, length);
        if ((length == 0) != ((tile->row.lanes[i] & STORE_ERASED) != 0) ||
            (length > 0 && !digest_equal(&leaf, &leaves[i])))
            return -EBADMSG;
        bool stays = length > 0 && !cover_has(&tile->erased, i);
        bundle_add(plain, entry, stays ? length : 0);
        *left += stays;
    }
    return 0;
}

static int put_new(const struct journal *journal, struct thin_fate *fate,
                   const struct buffer *plain, int left)
{
    char path[JOURNAL_PATH_MAX];
    struct buffer file = {0};
    if (left > 0)
        bundle_pack(&file, plain);
    suite_hash(suite_named("sha256+ed25519"), &fate->file, file.bytes, file.length);
    int err = bundle_path(journal, path, fate->index, NEW);
    if (!err && left > 0)
        err = file_put(path, file.bytes, file.length, 0640);
    if (!err && left > 0)
        fate->freed -= allocated(path);
    buffer_free(&file);
    return err;
}

static int rewrite(const struct journal *journal, const struct thin_tile *tile,
                   struct thin_fate *fate, const struct digest leaves[TILE_WIDTH])
{
    char path[JOURNAL_PATH_MAX];
    struct buffer file = {0}, plain = {0};
    struct bundle bundle = {.count = 0};
    int left = 0;
    int err = bundle_path(journal, path, tile->index, "");
    if (!err)
        err = file_read(&file, path, BUNDLE_FILE_MAX);
    if (!err)
        err = bundle_open(&bundle, file.bytes, file.length);
    if (!err)
        err = filter(&plain, tile, &bundle, journal->suite, leaves, &left);
    fate->freed = allocated(path);
    if (!err)
        err = put_new(journal, fate, &plain, left);
    bundle_close(&bundle);
    buffer_free(&plain);
    buffer_free(&file);
    return err;
}

static bool is_damage(int err)
{
    return err == -EBADMSG || err == -ENOENT || err == -EFBIG || err == -EINVAL;
}

/* 1: the event is full. */
static int add_tile(struct work *work, const struct thin_tile *tile)
{
    struct digest leaves[TILE_WIDTH];
    struct thin_fate *fate = &work->answer->fates[work->answer->count];
    struct erasure_tile *said = mem_new(struct erasure_tile);
    struct buffer text = {0};
    *fate = (struct thin_fate){.index = tile->index};
    int err = journal_read_hashes(work->thin->journal, leaves, 0, (uint64_t)tile->index);
    if (!err) {
        erasure_make(said, (uint64_t)tile->index, &tile->erased,
                     work->thin->journal->suite, leaves);
        erasure_print(&text, said);
    }
    if (!err && work->tiles.length + text.length + HEAD_MAX > TALK_DATA_MAX)
        err = 1;
    if (!err)
        err = rewrite(work->thin->journal, tile, fate, leaves);
    if (!err) {
        fate->is_erased = true;
        buffer_append_text(&work->tiles, work->tiles.length ? "," : "");
        buffer_append(&work->tiles, text.bytes, text.length);
        work->first = work->events ? work->first : first_erased(tile);
        work->last = last_erased(tile);
        work->events += cover_count(&tile->erased);
    }
    work->answer->count += err <= 0;
    buffer_free(&text);
    mem_free(said);
    return is_damage(err) ? 0 : err;
}

int thin_work(void *owner, struct buffer *result)
{
    const struct thin *thin = owner;
    struct thin_answer answer = {.count = 0};
    struct work work = {.thin = thin, .answer = &answer};
    int err = 0;
    int64_t tiles[THIN_TILES_MAX];
    for (int i = 0; i < thin->count && !err; i++) {
        tiles[i] = thin->tiles[i].index;
        err = add_tile(&work, &thin->tiles[i]);
    }
    if (err >= 0)
        err = sync_folders(thin->journal, tiles, (size_t)answer.count);
    buffer_append(result, &answer, sizeof(answer));
    if (work.events > 0)
        buffer_printf(result,
                      "{\"reason\":\"%s\",\"lane\":\"telemetry\",\"first\":%" PRId64
                      ",\"last\":%" PRId64 ",\"count\":%" PRId64 ",\"tiles\":[%s]}",
                      thin->is_over ? "retention" : "quota", work.first, work.last,
                      work.events, buffer_text(&work.tiles));
    buffer_free(&work.tiles);
    return err;
}

void thin_drop(const struct thin *thin, pid_t pid)
{
    char path[JOURNAL_PATH_MAX], half[JOURNAL_PATH_MAX + 32];
    for (int i = 0; i < thin->count; i++) {
        if (bundle_path(thin->journal, path, thin->tiles[i].index, NEW) != 0)
            continue;
        unlink(path);
        snprintf(half, sizeof(half), "%s.%d.new", path, (int)pid); /* see file_put() */
        unlink(half);
    }
}

/* ---- The end of a round. */

static bool is_all_erased(const struct store_tile *row)
{
    for (int i = 0; i < TILE_WIDTH; i++)
        if (!(row->lanes[i] & STORE_ERASED))
            return false;
    return true;
}

static bool has_digest(const char *path, const struct digest *digest)
{
    struct buffer file = {0};
    struct digest found;
    int err = file_read(&file, path, BUNDLE_FILE_MAX);
    if (!err)
        suite_hash(suite_named("sha256+ed25519"), &found, file.bytes, file.length);
    buffer_free(&file);
    return !err && digest_equal(&found, digest);
}

static void forget_bundle(struct journal *journal, int64_t index)
{
    if (journal->bundle_index != index)
        return;
    bundle_close(&journal->bundle);
    journal->bundle_index = -1;
}

/* Puts a tile's file where its row says it is; nothing is left to be done when it is there. */
static int put_in_place(struct journal *journal, int64_t index)
{
    char path[JOURNAL_PATH_MAX], beside[JOURNAL_PATH_MAX];
    struct store_tile row;
    int err = store_get_tile(journal->store, index, &row);
    if (err)
        return err == -ENOENT ? 0
                              : err; /* the round of another log, copied with its keys */
    forget_bundle(journal, index);
    err = bundle_path(journal, path, index, "");
    if (!err)
        err = bundle_path(journal, beside, index, NEW);
    if (err)
        return err;
    if (is_all_erased(&row))
        err = unlink(path) != 0 && errno != ENOENT ? -errno : 0;
    else if (file_exists(beside) && has_digest(beside, &row.file))
        err = rename(beside, path) != 0 ? -errno : 0;
    return err;
}

static int put_round(struct journal *journal, const int64_t *tiles, size_t count)
{
    int err = 0;
    for (size_t i = 0; i < count && !err; i++)
        err = put_in_place(journal, tiles[i]);
    return err ? err : sync_folders(journal, tiles, count);
}

int thin_finish(struct journal *journal)
{
    struct buffer round = {0};
    int64_t tiles[THIN_TILES_MAX];
    int err = store_get(journal->store, OWN, ROUND, &round);
    size_t count = round.length / sizeof(tiles[0]);
    if (!err && count <= THIN_TILES_MAX) {
        memcpy(tiles, round.bytes, count * sizeof(tiles[0]));
        err = put_round(journal, tiles, count);
    }
    buffer_free(&round);
    return err == -ENOENT ? 0 : err;
}

static int put_rows(const struct thin *thin, const struct thin_answer *answer,
                    struct buffer *round)
{
    struct store *store = thin->journal->store;
    int err = 0;
    for (int i = 0; i < answer->count && !err; i++) {
        const struct thin_fate *fate = &answer->fates[i];
        struct store_tile row = thin->tiles[i].row;
        if (!fate->is_erased)
            continue;
        ASSERT(fate->index == thin->tiles[i].index);
        for (unsigned at = 0; at < TILE_WIDTH; at++)
            if (cover_has(&thin->tiles[i].erased, at))
                row.lanes[at] |= STORE_ERASED;
        row.file = fate->file;
        buffer_append(round, &fate->index, sizeof(fate->index));
        err = store_add_tile(store, fate->index, &row);
    }
    return err ? err : store_put(store, OWN, ROUND, round->bytes, round->length);
}

/* The event, the rows and the round, on disk at once or not at all. */
static int commit(const struct thin *thin, struct group *group,
                  const struct thin_answer *answer, const char *data,
                  struct buffer *round)
{
    int64_t before = group->commits;
    int err = group_enter(group);
    if (err)
        return err;
    self_record(group, "journal.thinned", data);
    if (!group->journal->is_open)
        return -ENOSPC; /* it has been logged */
    err = put_rows(thin, answer, round);
    if (err) {
        group_fail(group, err);
        return err;
    }
    group_commit(group);
    return group->commits > before ? 0 : -ENOSPC;
}

static void count_up(struct thin_score *score, const struct thin *thin,
                     const struct thin_answer *answer)
{
    for (int i = 0; i < answer->count; i++) {
        const struct thin_fate *fate = &answer->fates[i];
        score->next = fate->index + !(fate->is_erased && thin->tiles[i].is_split);
        if (!fate->is_erased) {
            score->broken = fate->index;
            continue;
        }
        score->freed += fate->freed;
        score->events += cover_count(&thin->tiles[i].erased);
    }
}

int thin_end(struct thin *thin, struct group *group, const struct buffer *result,
             struct thin_score *score)
{
    struct thin_answer answer;
    struct buffer round = {0};
    *score = (struct thin_score){.broken = -1, .next = thin->tiles[0].index};
    if (result->length < sizeof(answer))
        return -ECHILD;
    memcpy(&answer, result->bytes, sizeof(answer));
    ASSERT(!thin->journal->is_open && answer.count <= thin->count);
    int err = 0;
    if (result->length > sizeof(answer)) {
        struct buffer data = {0};
        buffer_append(&data, result->bytes + sizeof(answer),
                      result->length - sizeof(answer));
        err = commit(thin, group, &answer, buffer_text(&data), &round);
        buffer_free(&data);
    }
    if (!err)
        count_up(score, thin, &answer);
    if (!err)
        err = put_round(thin->journal, (const int64_t *)round.bytes,
                        round.length / sizeof(int64_t));
    buffer_free(&round);
    return err;
}

bool thin_is_leftover(const char *name)
{
    const char *at = strstr(name, NEW);
    return at != NULL && at > name;
}
