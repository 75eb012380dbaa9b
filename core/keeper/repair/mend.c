/* mend - see mend.h.
 *
 * Rule of this file: nothing is written that does not lead to a hash that was known before: that of
 * the full tile above, or the root over the edge in tail.db. */
#include "keeper/repair/mend.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/file.h"
#include "base/mem.h"
#include "keeper/journal/shelf.h"
#include "keeper/repair/damage.h"
#include "proof/erasure.h"

enum { LEVELS = 8, BUNDLE_FILE_MAX = 32 * 1024 * 1024 };

/* The content of a hash tile that may take the place of its file. */
struct guess {
    int level;
    uint64_t index;
    struct digest hashes[TILE_WIDTH];
};

struct mend {
    const struct journal *journal;
    int count;
    struct guess *guesses[MEND_TILES_MAX];
};

static void drop_guesses(struct mend *mend)
{
    while (mend->count > 0)
        mem_free(mend->guesses[--mend->count]);
}

static void put_guess(struct mend *mend, int level, uint64_t index,
                      const struct digest hashes[TILE_WIDTH])
{
    if (mend->count == MEND_TILES_MAX)
        return; /* then the root will not fit */
    struct guess *guess = mem_new(struct guess);
    guess->level = level;
    guess->index = index;
    memcpy(guess->hashes, hashes, sizeof(guess->hashes));
    mend->guesses[mend->count++] = guess;
}

/* A full tile: as it is guessed, else its file. */
static int read_full(const struct mend *mend, struct digest hashes[TILE_WIDTH], int level,
                     uint64_t index)
{
    for (int i = 0; i < mend->count; i++)
        if (mend->guesses[i]->level == level && mend->guesses[i]->index == index) {
            memcpy(hashes, mend->guesses[i]->hashes,
                   TILE_WIDTH * sizeof(mend->guesses[i]->hashes[0]));
            return 0;
        }
    return journal_read_hashes(mend->journal, hashes, level, index);
}

static void fold(const struct mend *mend, struct digest *root,
                 const struct digest hashes[TILE_WIDTH])
{
    struct tree tree;
    tree_begin(&tree, mend->journal->suite);
    for (int i = 0; i < TILE_WIDTH; i++)
        tree_append(&tree, &hashes[i]);
    tree_root(&tree, root);
}

/* The first hashes of a tile, from the full tiles below it. */
static int fold_children(const struct mend *mend, struct digest *hashes, int level,
                         uint64_t index, unsigned width)
{
    struct digest below[TILE_WIDTH];
    int err = 0;
    for (unsigned i = 0; i < width && !err; i++) {
        err = read_full(mend, below, level - 1, index * TILE_WIDTH + i);
        if (!err)
            fold(mend, &hashes[i], below);
    }
    return err;
}

static int read_tile(void *owner, struct buffer *out, int level, uint64_t index,
                     unsigned width)
{
    const struct mend *mend = owner;
    struct digest hashes[TILE_WIDTH];
    int err = width == TILE_WIDTH ? read_full(mend, hashes, level, index)
                                  : fold_children(mend, hashes, level, index, width);
    if (!err)
        buffer_append(out, hashes, width * sizeof(hashes[0]));
    return err;
}

static bool is_sound(struct mend *mend)
{
    const struct tree *sealed = &mend->journal->sealed;
    struct tile_source source = {
        .read = read_tile, .owner = mend, .suite = sealed->suite, .size = sealed->size};
    struct digest root, expected;
    tree_root(sealed, &expected);
    return tile_root(&source, &root, source.size) == 0 && digest_equal(&root, &expected);
}

/* ---- Bundles */

static int open_bundle(const struct journal *journal, struct bundle *bundle,
                       int64_t index, struct digest *digest)
{
    char name[TILE_PATH_ROOM], path[JOURNAL_PATH_MAX];
    struct buffer file = {0};
    tile_path(name, -1, (uint64_t)index, TILE_WIDTH);
    *bundle = (struct bundle){.count = 0};
    int err = journal_path(journal, path, name);
    if (!err)
        err = file_read(&file, path, BUNDLE_FILE_MAX);
    suite_hash(suite_named("sha256+ed25519"), digest, file.bytes, file.length);
    if (!err)
        err = bundle_open_torn(bundle, file.bytes, file.length);
    buffer_free(&file);
    return err;
}

/* The leaves that the bundle gives, and for what is erased those of `had` (NULL: not known). */
static int make_leaves(const struct journal *journal, struct digest leaves[TILE_WIDTH],
                       int64_t index, const struct digest *had)
{
    struct bundle bundle;
    struct digest digest;
    int err = open_bundle(journal, &bundle, index, &digest);
    if (!err && bundle.count != TILE_WIDTH)
        err = -EBADMSG;
    for (unsigned i = 0; i < TILE_WIDTH && !err; i++) {
        size_t length;
        const void *body = bundle_entry(&bundle, i, &length);
        if (length > 0)
            suite_leaf(journal->suite, &leaves[i], body, length);
        else if (had != NULL)
            leaves[i] = had[i];
        else
            err = -EBADMSG;
    }
    bundle_close(&bundle);
    return err;
}

/* ---- The edge */

static uint64_t full_tiles(const struct mend *mend, int level)
{
    int bits = 8 * (level + 1);
    return bits < 64 ? mend->journal->sealed.size >> bits : 0;
}

static uint64_t first_on_edge(const struct mend *mend, int level)
{
    return full_tiles(mend, level) / TILE_WIDTH * TILE_WIDTH;
}

/* Guesses each hash tile on the edge that is not what its bundle says. */
static void guess_leaves(struct mend *mend)
{
    struct digest had[TILE_WIDTH], made[TILE_WIDTH];
    for (uint64_t n = first_on_edge(mend, 0); n < full_tiles(mend, 0); n++) {
        bool is_read = journal_read_hashes(mend->journal, had, 0, n) == 0;
        if (make_leaves(mend->journal, made, (int64_t)n, is_read ? had : NULL) != 0)
            continue;
        if (!is_read || memcmp(had, made, sizeof(had)) != 0)
            put_guess(mend, 0, n, made);
    }
}

/* Guesses each upper tile on the edge that cannot be read or (`changed`) is not what lies below. */
static void guess_upper(struct mend *mend, bool changed)
{
    struct digest had[TILE_WIDTH], made[TILE_WIDTH];
    for (int level = 1; level < LEVELS; level++)
        for (uint64_t n = first_on_edge(mend, level); n < full_tiles(mend, level); n++) {
            bool is_read = read_full(mend, had, level, n) == 0;
            if ((is_read && !changed) ||
                fold_children(mend, made, level, n, TILE_WIDTH) != 0)
                continue;
            if (!is_read || memcmp(had, made, sizeof(had)) != 0)
                put_guess(mend, level, n, made);
        }
}

static int put_file(const struct mend *mend, struct shelf *shelf,
                    const struct guess *guess, struct buffer *names)
{
    char name[TILE_PATH_ROOM];
    tile_path(name, guess->level, guess->index, TILE_WIDTH);
    if (shelf_has(shelf, guess->level, guess->index, TILE_WIDTH)) {
        int err = damage_keep(mend->journal->folder, name, true);
        if (err)
            return err;
    }
    buffer_printf(names, "%s%s", names->length ? ", " : "", name);
    return shelf_put(shelf, guess->level, guess->index, TILE_WIDTH, guess->hashes,
                     sizeof(guess->hashes));
}

static int put_files(const struct mend *mend, struct buffer *names)
{
    struct shelf shelf;
    int err = 0;
    shelf_begin(&shelf, mend->journal->folder, mend->journal->suite);
    for (int i = 0; i < mend->count && !err; i++)
        err = put_file(mend, &shelf, mend->guesses[i], names);
    return err ? err : shelf_sync(&shelf);
}

int mend_edge(const struct journal *journal, struct buffer *names)
{
    struct mend mend = {.journal = journal};
    if (is_sound(&mend))
        return 0;
    guess_leaves(&mend);
    guess_upper(&mend, false);
    bool sound = is_sound(&mend);
    if (!sound) {
        guess_upper(&mend, true);
        sound = is_sound(&mend);
    }
    int err = sound ? put_files(&mend, names) : -EBADMSG;
    drop_guesses(&mend);
    return err ? err : 1;
}

/* ---- One tile */

/* Whether a tile has the hash that the one above says. On the edge the root has vouched for it. */
static int fits_above(const struct mend *mend, int level, uint64_t index,
                      const struct digest hashes[TILE_WIDTH])
{
    struct digest above[TILE_WIDTH], root;
    if (index >= first_on_edge(mend, level))
        return 1;
    int err = read_full(mend, above, level + 1, index / TILE_WIDTH);
    if (err)
        return err;
    fold(mend, &root, hashes);
    return digest_equal(&root, &above[index % TILE_WIDTH]);
}

/* An upper tile of a level that is not on the edge, made anew when it has to be. */
static int check_upper(const struct journal *journal, int level, uint64_t index,
                       struct buffer *names)
{
    struct mend mend = {.journal = journal};
    struct digest hashes[TILE_WIDTH];
    if (level == LEVELS || index >= full_tiles(&mend, level))
        return 0; /* there is none: it is on the edge */
    int err = check_upper(journal, level + 1, index / TILE_WIDTH, names);
    if (err)
        return err;
    if (journal_read_hashes(journal, hashes, level, index) == 0 &&
        fits_above(&mend, level, index, hashes) == 1)
        return 0;
    err = fold_children(&mend, hashes, level, index, TILE_WIDTH);
    if (err)
        return err;
    if (fits_above(&mend, level, index, hashes) != 1)
        return -EBADMSG;
    put_guess(&mend, level, index, hashes);
    err = put_files(&mend, names);
    drop_guesses(&mend);
    return err;
}

/* 1: the leaves are those of the log; 0: nobody knows them any more. */
static int find_leaves(const struct journal *journal, int64_t index,
                       struct digest leaves[TILE_WIDTH], struct buffer *names)
{
    struct mend mend = {.journal = journal};
    struct digest had[TILE_WIDTH];
    uint64_t n = (uint64_t)index;
    bool is_read = journal_read_hashes(journal, leaves, 0, n) == 0;
    if (is_read && fits_above(&mend, 0, n, leaves) == 1)
        return 1;
    int err = check_upper(journal, 1, n / TILE_WIDTH, names);
    if (err)
        return err;
    if (is_read && fits_above(&mend, 0, n, leaves) == 1)
        return 1;
    memcpy(had, leaves, sizeof(had));
    if (make_leaves(journal, leaves, index, is_read ? had : NULL) != 0 ||
        fits_above(&mend, 0, n, leaves) != 1)
        return 0;
    put_guess(&mend, 0, n, leaves);
    err = put_files(&mend, names);
    drop_guesses(&mend);
    return err ? err : 1;
}

static bool is_erased(const struct mend_tile *tile, unsigned at)
{
    return tile->has_row && (tile->row.lanes[at] & STORE_ERASED);
}

static int lane_of(const struct journal *journal, int64_t seq, const void *body,
                   size_t length)
{
    struct event_stamp stamp = {journal->log.office, journal->log.log, seq};
    for (int lane = 0; lane < LANES; lane++)
        if (event_is(&stamp, (enum talk_lane)lane, body, length))
            return lane;
    return LANES;
}

/* The entries that have their leaf, and nothing in the place of the others. `good` says which. */
static void filter(const struct journal *journal, const struct mend_tile *tile,
                   const struct bundle *bundle, const struct digest leaves[TILE_WIDTH],
                   struct buffer *plain, struct cover *good, bool *is_clean)
{
    *is_clean = bundle->count == TILE_WIDTH;
    for (unsigned i = 0; i < TILE_WIDTH; i++) {
        size_t length = 0;
        struct digest leaf;
        const void *body =
            i < bundle->count ? bundle_entry(bundle, i, &length) : (const void *)"";
        suite_leaf(journal->suite, &leaf, body, length);
        bool fits = length > 0 && digest_equal(&leaf, &leaves[i]);
        if (fits)
            cover_put(good, i);
        *is_clean &= fits != is_erased(tile, i);
        bundle_add(plain, body, fits && !is_erased(tile, i) ? length : 0);
    }
}

static void take_lanes(const struct journal *journal, struct mend_tile *tile,
                       const struct bundle *bundle, const struct cover *good)
{
    for (unsigned i = 0; i < TILE_WIDTH; i++) {
        size_t length;
        int64_t seq = tile->index * TILE_WIDTH + i;
        int lane = tile->has_row ? tile->row.lanes[i] & ~STORE_ERASED : LANES;
        bool erased = is_erased(tile, i);
        if (cover_has(good, i)) {
            const void *body = bundle_entry(bundle, i, &length);
            lane = lane_of(journal, seq, body, length);
        }
        if (lane >= LANES)
            lane = LANE_RECORD; /* nobody knows */
        if (!cover_has(good, i) && !erased)
            cover_put(&tile->lost, i);
        erased |= !cover_has(good, i);
        tile->row.lanes[i] = (uint8_t)(lane | (erased ? STORE_ERASED : 0));
    }
}

static bool is_all_erased(const struct store_tile *row)
{
    for (int i = 0; i < TILE_WIDTH; i++)
        if (!(row->lanes[i] & STORE_ERASED))
            return false;
    return true;
}

static void pack(struct buffer *file, const struct store_tile *row,
                 const struct buffer *plain)
{
    if (!is_all_erased(row))
        bundle_pack(file, plain);
}

static void tell_lost(const struct journal *journal, const struct mend_tile *tile,
                      const struct digest leaves[TILE_WIDTH], struct buffer *told)
{
    struct erasure_tile *said = mem_new(struct erasure_tile);
    erasure_make(said, (uint64_t)tile->index, &tile->lost, journal->suite, leaves);
    erasure_print(told, said);
    mem_free(said);
}

/* Bundle and row, the leaves being known. */
static void look_inside(const struct journal *journal, struct mend_tile *tile,
                        const struct digest leaves[TILE_WIDTH], struct buffer *told)
{
    struct bundle bundle;
    struct buffer plain = {0}, file = {0};
    struct cover good = {0};
    struct digest digest;
    struct store_tile before = tile->row;
    bool is_clean;
    bool was_gone = tile->has_row && is_all_erased(&tile->row);
    int err = open_bundle(journal, &bundle, tile->index, &digest);
    filter(journal, tile, &bundle, leaves, &plain, &good, &is_clean);
    take_lanes(journal, tile, &bundle, &good);
    bool same_lanes =
        tile->has_row && memcmp(before.lanes, tile->row.lanes, TILE_WIDTH) == 0;
    is_clean = err == -ENOENT ? was_gone : is_clean && !was_gone;
    if (is_clean) {
        tile->row.file =
            digest; /* what a whole bundle is packed to may differ by library */
        bool same_file = digest_equal(&before.file, &digest);
        tile->state = same_lanes && same_file ? MEND_SOUND : MEND_ROW;
    } else {
        pack(&file, &tile->row, &plain);
        suite_hash(suite_named("sha256+ed25519"), &tile->row.file, file.bytes,
                   file.length);
        tile->state = cover_count(&tile->lost) > 0 ? MEND_LOST : MEND_BUNDLE;
    }
    if (tile->state == MEND_LOST)
        tell_lost(journal, tile, leaves, told);
    bundle_close(&bundle);
    buffer_free(&plain);
    buffer_free(&file);
}

/* Neither hash tile nor bundle: one hash in the tile above stands for all 256. */
static int lose_all(const struct journal *journal, struct mend_tile *tile,
                    struct buffer *told)
{
    struct digest above[TILE_WIDTH];
    if (tile->has_row && is_all_erased(&tile->row))
        return 0; /* that has been said */
    int err = journal_read_hashes(journal, above, 1, (uint64_t)tile->index / TILE_WIDTH);
    if (err)
        return err;
    for (unsigned i = 0; i < TILE_WIDTH; i++) {
        int lane = tile->has_row ? tile->row.lanes[i] & ~STORE_ERASED : LANES;
        tile->row.lanes[i] =
            (uint8_t)((lane < LANES ? lane : (int)LANE_RECORD) | STORE_ERASED);
        cover_put(&tile->lost, i);
    }
    suite_hash(suite_named("sha256+ed25519"), &tile->row.file, "", 0);
    tile->state = MEND_LOST;
    tile->is_hash_lost = true;
    struct erasure_tile *said = mem_new(struct erasure_tile);
    said->n = (uint64_t)tile->index;
    err = erasure_set(said, &tile->lost, &above[tile->index % TILE_WIDTH], DIGEST_BYTES);
    if (!err)
        erasure_print(told, said);
    mem_free(said);
    return err;
}

int mend_look(const struct journal *journal, struct mend_tile *tile, struct buffer *names,
              struct buffer *told)
{
    struct digest leaves[TILE_WIDTH];
    tile->state = MEND_SOUND;
    tile->is_hash_lost = false;
    tile->lost = (struct cover){0};
    int known = find_leaves(journal, tile->index, leaves, names);
    if (known < 0)
        return known;
    if (known == 0)
        return lose_all(journal, tile, told);
    look_inside(journal, tile, leaves, told);
    return 0;
}

/* ---- The new bundle */

static void forget_bundle(struct journal *journal, int64_t index)
{
    if (journal->bundle_index != index)
        return;
    bundle_close(&journal->bundle);
    journal->bundle_index = -1;
}

/* An erasure that a cut left unfinished is no damage, and no copy of it may stay. */
static bool is_whole(const struct bundle *bundle, const struct cover *good)
{
    for (unsigned i = 0; i < bundle->count; i++) {
        size_t length;
        bundle_entry(bundle, i, &length);
        if (length > 0 && !cover_has(good, i))
            return false;
    }
    return bundle->count == TILE_WIDTH;
}

static int remove_bundle(const struct journal *journal, const char *name)
{
    char path[JOURNAL_PATH_MAX];
    int err = journal_path(journal, path, name);
    if (!err && unlink(path) != 0)
        err = -errno;
    return err ? err : file_sync_name(path);
}

static int replace(struct journal *journal, const struct mend_tile *tile,
                   const struct buffer *file, bool keeps)
{
    char name[TILE_PATH_ROOM];
    struct shelf shelf;
    shelf_begin(&shelf, journal->folder, journal->suite);
    tile_path(name, -1, (uint64_t)tile->index, TILE_WIDTH);
    bool stays = file->length > 0;
    int err = 0;
    if (shelf_has(&shelf, -1, (uint64_t)tile->index, TILE_WIDTH)) {
        if (keeps)
            err = damage_keep(journal->folder, name, stays);
        else if (!stays)
            err = remove_bundle(journal, name);
    }
    if (!err && stays)
        err = shelf_put(&shelf, -1, (uint64_t)tile->index, TILE_WIDTH, file->bytes,
                        file->length);
    return err ? err : shelf_sync(&shelf);
}

int mend_put(struct journal *journal, const struct mend_tile *tile)
{
    struct bundle bundle;
    struct buffer plain = {0}, file = {0};
    struct cover good = {0};
    struct digest digest, leaves[TILE_WIDTH];
    bool is_clean;
    struct mend_tile now = *tile;
    int err = tile->is_hash_lost
                  ? 0
                  : journal_read_hashes(journal, leaves, 0, (uint64_t)tile->index);
    forget_bundle(journal, tile->index);
    if (err)
        return err;
    now.has_row = true;
    open_bundle(journal, &bundle, tile->index, &digest);
    if (!tile->is_hash_lost)
        filter(journal, &now, &bundle, leaves, &plain, &good, &is_clean);
    pack(&file, &tile->row, &plain);
    err = replace(journal, tile, &file, !is_whole(&bundle, &good));
    bundle_close(&bundle);
    buffer_free(&plain);
    buffer_free(&file);
    return err;
}
