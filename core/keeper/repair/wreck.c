/* wreck - see wreck.h.
 *
 * Two parts: up to `end`, which a signature or a tile vouches for, every event is found or lost;
 * beyond it only rows of tail.db can be, and what is missing at the very end nobody can know.
 *
 * A proof of inclusion of the first leaf of a tile holds the hash over all its other leaves, so one
 * proof is enough for the whole tile. */
#include "keeper/repair/wreck.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/file.h"
#include "base/mem.h"
#include "keeper/journal/event.h"
#include "keeper/journal/store.h"
#include "proof/bundle.h"
#include "proof/checkpoint.h"
#include "proof/note.h"
#include "proof/path.h"
#include "proof/receipt.h"

enum {
    PATH_ROOM = 4096,
    BUNDLE_FILE_MAX = 32 * 1024 * 1024,
    TILE_FILE_MAX = TILE_WIDTH * DIGEST_BYTES,
    TILES_A_CALL = 8,    /* looked into */
    PASSED_A_CALL = 512, /* passed over by what tail.db says of them */
    ROWS_A_CALL = 2048,
    GAP_MAX = 1024 /* beyond the end: rows missing in a row */
};

/* What is known of the 256 events of the tile being read. */
struct sheet {
    int64_t index;          /* -1 none */
    unsigned known, proven; /* of the leaves, from the left */
    struct digest leaves[TILE_WIDTH];
    bool has_row, has_bundle, is_digest;
    struct store_tile row;
    struct bundle bundle;
};

struct wreck {
    char folder[PATH_ROOM];
    char office[WORD_ID_MAX + 1];
    char log[WORD_ID_MAX + 1];
    const struct suite *suite;
    struct store *store;          /* NULL: tail.db cannot be read at all */
    struct checkpoint checkpoint; /* size 0: none that is signed */
    int64_t marks[LANES];
    int64_t end;
    int64_t receipt_us; /* when the receipt that the marks are of was given */
    int missed;         /* rows in a row that could not be read */
    struct sheet sheet;
};

static int read_file(const struct wreck *wreck, struct buffer *out, const char *name,
                     size_t most)
{
    char path[PATH_ROOM];
    int err = file_join(path, sizeof(path), wreck->folder, name);
    return err ? err : file_read(out, path, most);
}

/* ---- Whose log it was, and how far it went */

static bool take_origin(struct wreck *wreck, const char *origin)
{
    const char *office = strchr(origin, '/');
    const char *log = office ? strchr(office + 1, '/') : NULL;
    size_t length = log ? (size_t)(log - office - 1) : 0;
    if (log == NULL || length > WORD_ID_MAX || !word_is_id(log + 1))
        return false;
    memcpy(wreck->office, office + 1, length);
    wreck->office[length] = '\0';
    strcpy(wreck->log, log + 1);
    return word_is_id(wreck->office);
}

static struct key *own_key(const struct wreck *wreck)
{
    struct key *key;
    char path[PATH_ROOM];
    if (file_join(path, sizeof(path), wreck->folder, "key.pub") != 0 ||
        key_load_verifier(&key, path) != 0)
        return NULL;
    return key;
}

static void read_checkpoint(struct wreck *wreck, const struct key *key)
{
    struct checkpoint *checkpoint = &wreck->checkpoint;
    struct buffer note = {0};
    struct key *own = own_key(wreck);
    int err = read_file(wreck, &note, "checkpoint", NOTE_MAX);
    if (!err)
        err = checkpoint_read(checkpoint, note.bytes, note.length, key);
    if (err && own != NULL && note.length > 0)
        err = checkpoint_read(checkpoint, note.bytes, note.length, own);
    if (err || checkpoint->size > INT64_MAX / 2 ||
        !take_origin(wreck, checkpoint->origin))
        checkpoint->size = 0;
    else
        wreck->suite = checkpoint->suite;
    key_free(own);
    buffer_free(&note);
}

static void read_log(struct wreck *wreck)
{
    struct store_log log;
    if (wreck->store == NULL || store_get_log(wreck->store, &log) != 0 ||
        !word_is_id(log.office) || !word_is_id(log.log))
        return;
    if (wreck->log[0] == '\0') {
        strcpy(wreck->office, log.office);
        strcpy(wreck->log, log.log);
    }
    if (wreck->suite == NULL)
        wreck->suite = suite_named(log.suite);
}

static void raise_end(struct wreck *wreck, uint64_t size)
{
    if (size <= INT64_MAX / 2 && (int64_t)size > wreck->end)
        wreck->end = (int64_t)size;
}

/* The newest one with the city's signature counts. */
static void take_receipt(struct wreck *wreck, const struct buffer *note,
                         const struct key *city)
{
    struct receipt receipt;
    if (city == NULL || note->length == 0 ||
        receipt_read(&receipt, note->bytes, note->length, city) != 0)
        return;
    if (wreck->log[0] == '\0') {
        strcpy(wreck->office, receipt.office);
        strcpy(wreck->log, receipt.log);
    }
    if (strcmp(receipt.log, wreck->log) != 0 || receipt.time_us < wreck->receipt_us)
        return;
    wreck->receipt_us = receipt.time_us;
    memcpy(wreck->marks, receipt.lane, sizeof(wreck->marks));
    if (receipt.has_checkpoint)
        raise_end(wreck, receipt.size);
    for (int lane = 0; lane < LANES; lane++)
        raise_end(wreck, (uint64_t)(receipt.lane[lane] + 1));
}

static void read_receipts(struct wreck *wreck, const struct key *city)
{
    struct buffer beside = {0}, row = {0};
    for (int lane = 0; lane < LANES; lane++)
        wreck->marks[lane] = -1;
    if (read_file(wreck, &beside, "receipt", NOTE_MAX) == 0)
        take_receipt(wreck, &beside, city);
    if (wreck->store != NULL && store_get_receipt(wreck->store, &row) == 0)
        take_receipt(wreck, &row, city);
    buffer_free(&beside);
    buffer_free(&row);
}

static bool has_tile(const struct wreck *wreck, int level, uint64_t index)
{
    char name[TILE_PATH_ROOM], path[PATH_ROOM];
    tile_path(name, level, index, TILE_WIDTH);
    return file_join(path, sizeof(path), wreck->folder, name) == 0 && file_exists(path);
}

/* Tiles may have been sealed since the newest checkpoint. */
static void find_end(struct wreck *wreck)
{
    raise_end(wreck, wreck->checkpoint.size);
    uint64_t index = (uint64_t)wreck->end / TILE_WIDTH;
    while (has_tile(wreck, 0, index) || has_tile(wreck, -1, index))
        index++;
    raise_end(wreck, index * TILE_WIDTH);
}

int wreck_open(struct wreck **out, const char *folder, const struct key *key,
               const struct key *city)
{
    char path[PATH_ROOM];
    struct wreck *wreck = mem_new(struct wreck);
    wreck->sheet.index = -1;
    snprintf(wreck->folder, sizeof(wreck->folder), "%s", folder);
    if (file_join(path, sizeof(path), folder, "tail.db") != 0 ||
        store_open_wreck(&wreck->store, path) != 0)
        wreck->store = NULL;
    read_checkpoint(wreck, key);
    read_log(wreck);
    read_receipts(wreck, city);
    if (wreck->log[0] == '\0') {
        wreck_close(wreck);
        return -EBADMSG;
    }
    if (wreck->suite == NULL)
        wreck->suite = suite_named("sha256+ed25519");
    find_end(wreck);
    *out = wreck;
    return 0;
}

static void close_sheet(struct sheet *sheet)
{
    if (sheet->has_bundle)
        bundle_close(&sheet->bundle);
    *sheet = (struct sheet){.index = -1};
}

void wreck_close(struct wreck *wreck)
{
    if (wreck == NULL)
        return;
    close_sheet(&wreck->sheet);
    store_close(wreck->store);
    mem_free(wreck);
}

const char *wreck_office(const struct wreck *wreck)
{
    return wreck->office;
}

const char *wreck_log(const struct wreck *wreck)
{
    return wreck->log;
}

int64_t wreck_first(const struct wreck *wreck)
{
    int64_t first = wreck->marks[0];
    for (int lane = 1; lane < LANES; lane++)
        first = wreck->marks[lane] < first ? wreck->marks[lane] : first;
    return first + 1;
}

/* ---- One tile */

/* The tile being read is what the sheet says; a partial one may have become full since. */
static int read_tile(void *owner, struct buffer *out, int level, uint64_t index,
                     unsigned width)
{
    const struct wreck *wreck = owner;
    const struct sheet *sheet = &wreck->sheet;
    char name[TILE_PATH_ROOM];
    size_t before = out->length;
    if (level == 0 && (int64_t)index == sheet->index) {
        buffer_append(out, sheet->leaves, width * sizeof(sheet->leaves[0]));
        return 0;
    }
    tile_path(name, level, index, width);
    int err = read_file(wreck, out, name, TILE_FILE_MAX);
    if (!err || width == TILE_WIDTH)
        return err;
    tile_path(name, level, index, TILE_WIDTH);
    err = read_file(wreck, out, name, TILE_FILE_MAX);
    if (!err && out->length - before >= width * DIGEST_BYTES)
        out->length = before + width * DIGEST_BYTES;
    return err;
}

/* Whether the sheet's leaves are those that the signed checkpoint covers. */
static bool is_signed(struct wreck *wreck)
{
    const struct sheet *sheet = &wreck->sheet;
    struct tile_source source = {.read = read_tile,
                                 .owner = wreck,
                                 .suite = wreck->suite,
                                 .size = wreck->checkpoint.size};
    struct buffer proof = {0};
    uint64_t first = (uint64_t)sheet->index * TILE_WIDTH;
    if (tile_width(0, (uint64_t)sheet->index, source.size) > sheet->known ||
        first >= source.size)
        return false;
    int err = tile_prove_inclusion(&source, &proof, first, source.size);
    if (!err)
        err = path_check_inclusion(wreck->suite, &sheet->leaves[0], first, source.size,
                                   (const struct digest *)proof.bytes,
                                   proof.length / DIGEST_BYTES, &wreck->checkpoint.root);
    buffer_free(&proof);
    return err == 0;
}

static void read_leaves(struct wreck *wreck)
{
    struct sheet *sheet = &wreck->sheet;
    struct buffer tile = {0};
    char name[TILE_PATH_ROOM];
    uint64_t index = (uint64_t)sheet->index;
    unsigned width = tile_width(0, index, wreck->checkpoint.size);
    tile_path(name, 0, index, TILE_WIDTH);
    int err = read_file(wreck, &tile, name, TILE_FILE_MAX);
    if (err && width > 0 && width < TILE_WIDTH) {
        tile_path(name, 0, index, width);
        err = read_file(wreck, &tile, name, TILE_FILE_MAX);
    }
    if (!err && tile.length % DIGEST_BYTES == 0) {
        sheet->known = (unsigned)(tile.length / DIGEST_BYTES);
        memcpy(sheet->leaves, tile.bytes, tile.length);
    }
    buffer_free(&tile);
}

static void read_bundle(struct wreck *wreck)
{
    struct sheet *sheet = &wreck->sheet;
    struct buffer file = {0};
    struct digest digest;
    char name[TILE_PATH_ROOM];
    tile_path(name, -1, (uint64_t)sheet->index, TILE_WIDTH);
    if (read_file(wreck, &file, name, BUNDLE_FILE_MAX) == 0) {
        suite_hash(suite_named("sha256+ed25519"), &digest, file.bytes, file.length);
        sheet->is_digest = sheet->has_row && digest_equal(&digest, &sheet->row.file);
        sheet->has_bundle =
            bundle_open_torn(&sheet->bundle, file.bytes, file.length) == 0;
    }
    buffer_free(&file);
}

/* The leaves once more, out of a whole bundle, for a hash tile that is not what was signed. */
static bool make_leaves(struct wreck *wreck)
{
    struct sheet *sheet = &wreck->sheet;
    struct digest leaves[TILE_WIDTH];
    if (!sheet->has_bundle || sheet->bundle.count != TILE_WIDTH)
        return false;
    memcpy(leaves, sheet->leaves, sizeof(leaves));
    for (unsigned i = 0; i < TILE_WIDTH; i++) {
        size_t length;
        const void *body = bundle_entry(&sheet->bundle, i, &length);
        if (length > 0)
            suite_leaf(wreck->suite, &leaves[i], body, length);
        else if (i >= sheet->known)
            return false;
    }
    unsigned known = sheet->known;
    struct digest before[TILE_WIDTH];
    memcpy(before, sheet->leaves, sizeof(before));
    memcpy(sheet->leaves, leaves, sizeof(leaves));
    sheet->known = TILE_WIDTH;
    if (is_signed(wreck))
        return true;
    memcpy(sheet->leaves, before, sizeof(before));
    sheet->known = known;
    return false;
}

static void open_sheet(struct wreck *wreck, int64_t index)
{
    struct sheet *sheet = &wreck->sheet;
    if (sheet->index == index)
        return;
    close_sheet(sheet);
    sheet->index = index;
    sheet->has_row =
        wreck->store != NULL && store_get_tile(wreck->store, index, &sheet->row) == 0;
    read_leaves(wreck);
    read_bundle(wreck);
    if (is_signed(wreck) || make_leaves(wreck))
        sheet->proven = tile_width(0, (uint64_t)index, wreck->checkpoint.size);
}

/* ---- One event */

static bool is_confirmed(const struct wreck *wreck, int64_t seq, int lane)
{
    return lane < LANES && seq <= wreck->marks[lane];
}

/* The lane that the body itself names; LANES when it is not that event. */
static int lane_of(const struct wreck *wreck, int64_t seq, const void *body,
                   size_t length)
{
    struct event_stamp stamp = {wreck->office, wreck->log, seq};
    for (int lane = 0; lane < LANES; lane++)
        if (event_is(&stamp, (enum talk_lane)lane, body, length))
            return lane;
    return LANES;
}

/* Takes the body when its bytes are vouched for: by the tile's leaf, else by `own` (the row's leaf,
 * or NULL) or `otherwise` (its bundle's digest). */
static bool take_body(struct wreck *wreck, struct wreck_event *event, const void *body,
                      size_t length, const struct digest *own, bool otherwise)
{
    const struct sheet *sheet = &wreck->sheet;
    unsigned at = (unsigned)(event->seq % TILE_WIDTH);
    bool is_here = event->seq / TILE_WIDTH == sheet->index;
    suite_leaf(wreck->suite, &event->leaf, body, length);
    bool fits =
        is_here && at < sheet->known && digest_equal(&event->leaf, &sheet->leaves[at]);
    event->is_proven = fits && at < sheet->proven;
    bool is_settled = is_here && at < sheet->proven; /* any other body is another event */
    if (!fits && !is_settled)
        fits = (own != NULL && digest_equal(&event->leaf, own)) || otherwise;
    int lane = fits ? lane_of(wreck, event->seq, body, length) : LANES;
    if (lane == LANES)
        return false;
    event->lane = lane;
    event->body = body;
    event->length = length;
    event->is_lost = false;
    return true;
}

struct look {
    struct wreck *wreck;
    struct wreck_event *event;
    int (*each)(void *owner, const struct wreck_event *event);
    void *owner;
    int result; /* of `each`, when it was called */
    bool was_row, was_told;
};

static int tell(struct look *look)
{
    look->was_told = true;
    if (is_confirmed(look->wreck, look->event->seq, look->event->lane))
        return 0;
    look->result = look->each(look->owner, look->event);
    return look->result;
}

/* A row is only valid during its call, so it is told from here. */
static int take_row(void *owner, const struct store_event *row)
{
    struct look *look = owner;
    look->was_row = true;
    if (row->seq == look->event->seq &&
        take_body(look->wreck, look->event, row->body, row->length, &row->leaf, false))
        tell(look);
    return 1;
}

static bool is_erased(const struct sheet *sheet, unsigned at, size_t length)
{
    if (sheet->has_row)
        return sheet->row.lanes[at] & STORE_ERASED;
    return sheet->has_bundle && at < sheet->bundle.count && length == 0;
}

/* Finds one event below the end, or says that it is lost. */
static int look_for(struct look *look)
{
    struct wreck *wreck = look->wreck;
    const struct sheet *sheet = &wreck->sheet;
    struct wreck_event *event = look->event;
    unsigned at = (unsigned)(event->seq % TILE_WIDTH);
    size_t length = 0;
    const void *body = sheet->has_bundle && at < sheet->bundle.count
                           ? bundle_entry(&sheet->bundle, at, &length)
                           : NULL;
    if (is_erased(sheet, at, length))
        return 0;
    if (length > 0 && take_body(wreck, event, body, length, NULL, sheet->is_digest))
        return tell(look);
    if (wreck->store != NULL)
        store_each_event(wreck->store, event->seq, 1, take_row, look);
    if (look->was_told)
        return look->result;
    if (sheet->has_row && (sheet->row.lanes[at] & ~STORE_ERASED) < LANES)
        event->lane = sheet->row.lanes[at] & ~STORE_ERASED;
    return event->seq < wreck_first(wreck) ? 0 : tell(look);
}

/* Whether tail.db says of every event of the tile that it is at the city or erased. */
static bool is_passed(const struct wreck *wreck, int64_t index)
{
    struct store_tile row;
    if (wreck->store == NULL || store_get_tile(wreck->store, index, &row) != 0)
        return false;
    for (int i = 0; i < TILE_WIDTH; i++)
        if (!(row.lanes[i] & STORE_ERASED) &&
            !is_confirmed(wreck, index * TILE_WIDTH + i, row.lanes[i]))
            return false;
    return true;
}

static int read_known(struct wreck *wreck, int64_t *next,
                      int (*each)(void *owner, const struct wreck_event *event),
                      void *owner)
{
    int opened = 0, passed = 0;
    while (*next < wreck->end) {
        int64_t index = *next / TILE_WIDTH;
        if (*next % TILE_WIDTH == 0 && wreck->sheet.index != index &&
            is_passed(wreck, index)) {
            *next += TILE_WIDTH;
            if (++passed == PASSED_A_CALL)
                return 1;
            continue;
        }
        if (wreck->sheet.index != index && opened++ == TILES_A_CALL)
            return 1;
        open_sheet(wreck, index);
        struct wreck_event event = {.seq = *next, .lane = LANES, .is_lost = true};
        struct look look = {
            .wreck = wreck, .event = &event, .each = each, .owner = owner};
        if (look_for(&look) != 0)
            return 1;
        ++*next;
    }
    return 0;
}

/* ---- Beyond the end: rows alone */

struct rows {
    struct look look;
    int64_t *next;
    int left;
};

/* What is missing before a row that verifies is lost. */
static int tell_gap(struct rows *rows, int64_t until)
{
    for (; *rows->next < until; ++*rows->next) {
        struct wreck_event event = {.seq = *rows->next, .lane = LANES, .is_lost = true};
        if (rows->look.each(rows->look.owner, &event) != 0)
            return 1;
    }
    return 0;
}

static int take_beyond(void *owner, const struct store_event *row)
{
    struct rows *rows = owner;
    struct wreck_event event = {.seq = row->seq, .lane = LANES, .is_lost = true};
    if (rows->left-- == 0)
        return 1;
    if (row->seq < *rows->next || row->seq - *rows->next > GAP_MAX)
        return 2; /* no sequence of this log */
    if (!take_body(rows->look.wreck, &event, row->body, row->length, &row->leaf, false))
        return 0; /* a gap, if another follows */
    if (tell_gap(rows, row->seq) != 0)
        return 1;
    rows->look.event = &event;
    if (tell(&rows->look) != 0)
        return 1;
    *rows->next = row->seq + 1;
    rows->look.wreck->missed = 0;
    return 0;
}

/* 1 when there is more. */
static int read_beyond(struct wreck *wreck, int64_t *next,
                       int (*each)(void *owner, const struct wreck_event *event),
                       void *owner)
{
    struct rows rows = {.look = {.wreck = wreck, .each = each, .owner = owner},
                        .next = next,
                        .left = ROWS_A_CALL};
    int64_t from = *next;
    if (wreck->store == NULL)
        return 0;
    int err = store_each_event(wreck->store, from, ROWS_A_CALL + 1, take_beyond, &rows);
    while (err < 0 && wreck->missed < GAP_MAX) { /* a page that cannot be read */
        from = *next + ++wreck->missed;
        err = store_each_event(wreck->store, from, ROWS_A_CALL, take_beyond, &rows);
    }
    return err == 1;
}

int wreck_read(struct wreck *wreck, int64_t *next,
               int (*each)(void *owner, const struct wreck_event *event), void *owner)
{
    if (*next < wreck->end && read_known(wreck, next, each, owner) != 0)
        return 0;
    return read_beyond(wreck, next, each, owner) ? 0 : 1;
}
