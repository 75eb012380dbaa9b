/* slice - see slice.h. */
#include "cli/journal/slice.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proof/suite.h"

#define DAY_US (86400 * 1000000LL)

/* ---- One event */

/* The bundle, or the row, that the event is in. */
static int blame(struct slice *slice, uint64_t seq, int err)
{
    char name[TILE_PATH_ROOM];
    uint64_t tile = seq / TILE_WIDTH;
    if (seq >= slice->archive->tail.sealed) {
        finding_put(&slice->finding, "tail.db",
                    "event %" PRIu64 " is not what was recorded", seq);
        return err;
    }
    tile_path(name, -1, tile, TILE_WIDTH);
    finding_put(&slice->finding, name, "events %" PRIu64 "..%" PRIu64 ": %s",
                tile * TILE_WIDTH, tile * TILE_WIDTH + TILE_WIDTH - 1,
                err == -EBADMSG ? "damaged" : strerror(-err));
    return err;
}

/* Its leaf hash, as the tile or the row has it. */
static const struct digest *leaf_of(struct slice *slice, uint64_t seq)
{
    const struct tail *tail = &slice->archive->tail;
    int64_t tile = (int64_t)(seq / TILE_WIDTH);
    if (seq >= tail->sealed)
        return &tail_at(tail, (size_t)(seq - tail->sealed))->leaf;
    if (slice->leaves_of != tile) {
        slice->leaves_of = -1;
        if (archive_leaves(slice->archive, slice->leaves, (uint64_t)tile) != 0)
            return NULL;
        slice->leaves_of = tile;
    }
    return &slice->leaves[seq % TILE_WIDTH];
}

/* -ENODATA when it is erased. */
static int read_event(struct slice *slice, uint64_t seq, struct slice_event *event)
{
    struct digest leaf;
    event->seq = seq;
    if (tail_known(&slice->archive->tail, seq) != seq) {
        finding_put(&slice->finding, "tail.db", "does not know event %" PRIu64, seq);
        return -EBADMSG;
    }
    int err = archive_event(slice->archive, seq, &event->body, &event->length);
    if (err)
        return err == -ENODATA ? err : blame(slice, seq, err);
    const struct digest *said = leaf_of(slice, seq);
    suite_leaf(slice->archive->tail.suite, &leaf, event->body, event->length);
    if (said == NULL || !digest_equal(&leaf, said) ||
        moment_read(&event->moment, event->body, event->length) != 0)
        return blame(slice, seq, -EBADMSG);
    return 0;
}

/* ---- Where it begins and ends */

static int read_bound(struct slice *slice, const char *option, const char *text,
                      uint64_t *seq, int64_t *utc_us)
{
    char *end;
    errno = 0;
    uint64_t number = strtoull(text, &end, 10);
    if (errno == 0 && end != text && *end == '\0' && *text != '-') {
        *seq = number;
        return 0;
    }
    if (now_parse(utc_us, text) == 0)
        return 0;
    finding_put(&slice->finding, option,
                "expected a sequence or a time such as \"2026-11-21T03:00:00Z\", got "
                "\"%s\"",
                text);
    return -EINVAL;
}

/* Both are sequences, or both are times. */
static bool is_backwards(const struct slice *slice, const struct slice_wish *wish,
                         uint64_t last)
{
    if (wish->from == NULL || wish->until == NULL)
        return false;
    if (slice->from_us > 0 && slice->until_us > 0)
        return slice->from_us > slice->until_us;
    return slice->from_us == 0 && slice->until_us == 0 && slice->first > last;
}

static int read_bounds(struct slice *slice, const struct slice_wish *wish)
{
    uint64_t size = archive_size(slice->archive), last = size;
    int err = 0;
    slice->end = size;
    if (wish->from != NULL)
        err = read_bound(slice, "--from", wish->from, &slice->first, &slice->from_us);
    if (!err && wish->until != NULL)
        err = read_bound(slice, "--until", wish->until, &last, &slice->until_us);
    if (!err && is_backwards(slice, wish, last)) {
        finding_put(&slice->finding, "--until",
                    "expected what is not before --from %s, got %s", wish->from,
                    wish->until);
        return -EINVAL;
    }
    if (!err && last < size)
        slice->end = last + 1;
    return err;
}

/* When the first event from `seq` on that is still there was recorded. */
static int64_t time_from(struct slice *slice, uint64_t seq)
{
    struct slice_event event;
    for (; seq < slice->end; seq++)
        if (read_event(slice, seq, &event) == 0)
            return event.moment.utc_us;
    return INT64_MAX;
}

static int64_t time_of_last(struct slice *slice)
{
    struct slice_event event;
    for (uint64_t seq = slice->end; seq > 0; seq--)
        if (read_event(slice, seq - 1, &event) == 0)
            return event.moment.utc_us;
    return 0;
}

/* Goes back from the end, a tile at a time, to where all is older; so that a few days of a long
 * journal cost a few days. */
static void find_first(struct slice *slice)
{
    uint64_t seq = slice->end;
    while (seq > 0 && time_from(slice, seq) >= slice->from_us)
        seq = seq > TILE_WIDTH ? (seq - 1) / TILE_WIDTH * TILE_WIDTH : 0;
    slice->first = seq;
    slice->finding = (struct finding){.place = ""};
}

int slice_open(struct slice *slice, const struct slice_wish *wish)
{
    char folder[ARCHIVE_PATH_MAX];
    *slice = (struct slice){.leaves_of = -1};
    int err = archive_find(folder, wish->folder);
    if (!err)
        err = archive_open(&slice->archive, folder, &slice->finding);
    if (err)
        return err == -EINVAL ? -EIO : err;
    err = read_bounds(slice, wish);
    if (!err && wish->days > 0)
        slice->from_us = time_of_last(slice) - (int64_t)(wish->days * (double)DAY_US);
    if (!err && slice->from_us > 0)
        find_first(slice);
    slice_rewind(slice);
    if (err)
        slice_close(slice);
    return err;
}

void slice_close(struct slice *slice)
{
    archive_close(slice->archive);
    slice->archive = NULL;
}

void slice_rewind(struct slice *slice)
{
    slice->seq = slice->first;
    slice->read_until = slice->end;
    slice->read_until_us = slice->until_us > 0 ? slice->until_us : INT64_MAX;
    slice->erased = 0;
}

void slice_read_on(struct slice *slice, int64_t until_us)
{
    slice->read_until = archive_size(slice->archive);
    slice->read_until_us = until_us;
}

int slice_next(struct slice *slice, struct slice_event *event)
{
    for (; slice->seq < slice->read_until; slice->seq++) {
        int err = read_event(slice, slice->seq, event);
        if (err && err != -ENODATA)
            return err;
        if (!err && event->moment.utc_us > slice->read_until_us)
            return 0;
        slice->erased += err != 0;
        if (!err && event->moment.utc_us >= slice->from_us) {
            slice->seq++;
            return 1;
        }
    }
    return 0;
}
