/* scan - see scan.h.
 *
 * Rule of this file: no call opens more than SCAN_BUNDLES bundles, or a further one after SCAN_BYTES,
 * or looks at more than SCAN_TILES tiles, so that a reader far behind does not hold up a commit; it
 * comes again. (Here 4 MiB take 5 ms. Fewer would make each answer about a rare lane a small one.) */
#include "keeper/journal/scan.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "base/file.h"

#ifdef SMALL_BOUNDS
enum { SCAN_BUNDLES = 4, SCAN_BYTES = 1024 * 1024 };
#else
enum { SCAN_BUNDLES = 32, SCAN_BYTES = 4 * 1024 * 1024 };
#endif

enum { SCAN_TILES = 64, SCAN_ROWS = 1024, BUNDLE_FILE_MAX = 32 * 1024 * 1024 };

struct scan {
    struct journal *journal;
    const struct scan_filter *filter;
    int64_t *seq;
    int (*each)(void *owner, const struct store_event *event);
    void *owner;
    bool enough;
    int bundles;  /* opened so far */
    size_t bytes; /* of them, unpacked */
};

static bool wants(const struct scan_filter *filter, const struct store_event *event)
{
    char type[WORD_TYPE_MAX + 1];
    if (filter->lane >= 0 && (int)event->lane != filter->lane)
        return false;
    if (filter->pattern == NULL || strcmp(filter->pattern, "*") == 0)
        return true;
    return event_type(type, event->body, event->length) == 0 &&
           word_matches(filter->pattern, type);
}

/* Nonzero when the reader has enough. */
static int offer(void *owner, const struct store_event *event)
{
    struct scan *scan = owner;
    if (event->seq >= scan->journal->size)
        return 1; /* of a transaction that is still open */
    if (wants(scan->filter, event) && scan->each(scan->owner, event) != 0) {
        scan->enough = true;
        return 1;
    }
    *scan->seq = event->seq + 1;
    return 0;
}

static int open_bundle(struct journal *journal, int64_t index)
{
    char name[TILE_PATH_ROOM], path[JOURNAL_PATH_MAX];
    struct buffer file = {0};
    if (journal->bundle_index == index)
        return 0;
    journal->bundle_index = -1;
    tile_path(name, -1, (uint64_t)index, TILE_WIDTH);
    int err = journal_path(journal, path, name);
    if (!err)
        err = file_read(&file, path, BUNDLE_FILE_MAX);
    if (!err)
        err = bundle_reopen(&journal->bundle, file.bytes, file.length);
    buffer_free(&file);
    if (err)
        return err;
    if (journal->bundle.count != TILE_WIDTH) {
        bundle_close(&journal->bundle);
        return -EBADMSG;
    }
    journal->bundle_index = index;
    return 0;
}

/* The next event of the tile that is not erased, and maybe of the lane; TILE_WIDTH: none. */
static int64_t next_in_tile(const struct scan *scan, const struct store_tile *tile,
                            int64_t at)
{
    int lane = scan->filter->lane;
    while (at < TILE_WIDTH &&
           ((tile->lanes[at] & STORE_ERASED) || (lane >= 0 && tile->lanes[at] != lane)))
        at++;
    return at;
}

static int offer_entry(struct scan *scan, const struct store_tile *tile, int64_t index,
                       int64_t at)
{
    struct store_event event = {.seq = index * TILE_WIDTH + at,
                                .lane = (enum talk_lane)tile->lanes[at]};
    event.body = bundle_entry(&scan->journal->bundle, (unsigned)at, &event.length);
    return event.length == 0 ? -EBADMSG : offer(scan, &event);
}

/* What is erased is passed over; a tile with nothing that is wanted is not even opened. */
static int scan_tile(struct scan *scan, int64_t index)
{
    struct store_tile tile;
    int err = store_get_tile(scan->journal->store, index, &tile);
    if (err)
        return err;
    int64_t at = next_in_tile(scan, &tile, *scan->seq % TILE_WIDTH);
    if (at < TILE_WIDTH) {
        scan->bundles++;
        err = open_bundle(scan->journal, index);
        scan->bytes += scan->journal->bundle.plain.length;
    }
    for (; at < TILE_WIDTH && !err; at = next_in_tile(scan, &tile, at + 1))
        err = offer_entry(scan, &tile, index, at);
    if (!err)
        *scan->seq = (index + 1) * TILE_WIDTH;
    return err;
}

/* Skips to the next bundle with the wanted lane; the end of the sealed ones when there is none. */
static int next_bundle(struct scan *scan, int64_t *index)
{
    int64_t end = scan->journal->tail.base / TILE_WIDTH;
    int err = 0;
    *index = *scan->seq / TILE_WIDTH;
    if (scan->filter->lane >= 0)
        err = store_find_tile(scan->journal->store, *index,
                              (enum talk_lane)scan->filter->lane, index);
    if (err == -ENOENT || *index > end)
        *index = end;
    return err == -ENOENT ? 0 : err;
}

static int scan_sealed(struct scan *scan)
{
    for (int looked = 0; *scan->seq < scan->journal->tail.base; looked++) {
        int64_t index;
        int err = next_bundle(scan, &index);
        if (err)
            return err;
        if (index * TILE_WIDTH > *scan->seq)
            *scan->seq = index * TILE_WIDTH;
        if (*scan->seq >= scan->journal->tail.base)
            return 0;
        if (scan->bundles == SCAN_BUNDLES || scan->bytes >= SCAN_BYTES ||
            looked == SCAN_TILES)
            return 1;
        err = scan_tile(scan, index);
        if (err)
            return err;
    }
    return 0;
}

/* Skips in memory what the tail need not read from the store. */
static int64_t next_in_tail(const struct scan *scan)
{
    int64_t seq = *scan->seq;
    while (scan->filter->lane >= 0 && seq < scan->journal->size &&
           (int)tail_lane(&scan->journal->tail, seq) != scan->filter->lane)
        seq++;
    return seq;
}

static int scan_tail(struct scan *scan)
{
    while (!scan->enough) {
        *scan->seq = next_in_tail(scan);
        int64_t from = *scan->seq;
        if (from >= scan->journal->size)
            return 0;
        int err = store_each_event(scan->journal->store, from, SCAN_ROWS, offer, scan);
        if (err)
            return err;
        if (*scan->seq == from)
            return -EBADMSG; /* the row is not there */
    }
    return 0;
}

int scan_events(struct journal *journal, const struct scan_filter *filter, int64_t *seq,
                int (*each)(void *owner, const struct store_event *event), void *owner)
{
    struct scan scan = {
        .journal = journal, .filter = filter, .seq = seq, .each = each, .owner = owner};
    ASSERT(*seq >= 0);
    int err = scan_sealed(&scan);
    if (!err)
        err = scan_tail(&scan);
    return err > 0 ? 0 : err;
}
