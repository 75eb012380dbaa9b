/* reserve - see reserve.h. */
#include "keeper/space/reserve.h"

#include <string.h>

#include "base/log.h"
#include "keeper/space/ahead.h"

enum {
    STEP_BYTES = 256 * 1024, /* what a commit may have to wait for */
    AHEAD_LEAST = 3 * 1024 * 1024,
    AHEAD_MOST = 16 * 1024 * 1024,
    FRAME_BYTES = 4096 + 24, /* a page in the WAL */
    TAIL_QUIET = 1024,       /* events in the tail: more of them use the pages just now */
    TAIL_BYTES = 8 * 1024 * 1024
};

void reserve_open(struct reserve *reserve, struct journal *journal, int64_t bytes)
{
    int64_t ahead = bytes / 4;
    if (ahead < AHEAD_LEAST)
        ahead = AHEAD_LEAST;
    if (ahead > AHEAD_MOST)
        ahead = AHEAD_MOST;
    *reserve =
        (struct reserve){.journal = journal, .inside = bytes - ahead, .ahead = ahead};
    int err = reserve_measure(reserve);
    if (err)
        log_warn("journal: the reserve cannot be read: %s", strerror(-err));
}

int reserve_measure(struct reserve *reserve)
{
    return store_measure(reserve->journal->store, &reserve->space);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t reserve_bytes(const struct reserve *reserve)
{
    return least(reserve->space.free, reserve->inside) +
           least(reserve->space.ahead, reserve->ahead);
}

static bool lacks_inside(const struct reserve *reserve)
{
    return reserve->space.free < reserve->inside - STEP_BYTES;
}

static bool lacks_ahead(const struct reserve *reserve)
{
    return reserve->space.ahead < reserve->ahead - STEP_BYTES;
}

bool reserve_is_whole(const struct reserve *reserve)
{
    return !lacks_inside(reserve) && !lacks_ahead(reserve);
}

static int take_step(const struct reserve *reserve)
{
    char path[JOURNAL_PATH_MAX];
    if (!lacks_ahead(reserve))
        return store_stretch(reserve->journal->store, STEP_BYTES);
    int err = journal_path(reserve->journal, path, "tail.db");
    return err ? err : ahead_stretch(path, STEP_BYTES);
}

/* Pages that the tail uses just now come back by themselves; under a load that never rests the file
 * gets longer for it, but only so far. */
static bool may_begin(const struct reserve *reserve, int64_t left)
{
    return left >= reserve->inside / 2 &&
           (reserve->journal->tail.count <= TAIL_QUIET ||
            reserve->space.file < reserve->inside / 2 * 3 + TAIL_BYTES);
}

bool reserve_fill(struct reserve *reserve, int64_t left)
{
    if (reserve_measure(reserve) != 0 || reserve_is_whole(reserve) ||
        !may_begin(reserve, left))
        return false;
    int err = take_step(reserve);
    if (err)
        log_warn("journal: the reserve for alarms cannot be made: %s", strerror(-err));
    return !err;
}

int reserve_ahead_pages(const struct reserve *reserve, int most)
{
    return (int)least((reserve->ahead - STEP_BYTES) / FRAME_BYTES * 3 / 4, most);
}
