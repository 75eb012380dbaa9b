/* storage - see storage.h.
 *
 * Invariant: `used` is measured at least every STORAGE_EVENTS events and every STORAGE_TICK_MS; what
 * was decided by it holds until it is measured again. */
#include "keeper/space/storage.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/base.h"
#include "base/log.h"
#include "base/now.h"
#include "keeper/self.h"
#include "keeper/space/usage.h"

/* No plugin instance has the empty name. */
static const char OWN[] = "", GAP[] = "refused", LOW[] = "low";

enum { TAIL_LONG = 4096 };

static void tick(struct loop_timer *timer);

static bool is_full(const struct storage *storage)
{
    return storage->is_quota_full || storage->is_disk_full;
}

static const char *full_of(const struct storage *storage)
{
    return storage->is_disk_full ? "disk" : "quota";
}

/* Without the room inside the files that only alarms and records may use. */
static int64_t taken(const struct storage *storage)
{
    return storage->used - reserve_bytes(&storage->reserve);
}

static int quota_percent_now(const struct storage *storage)
{
    return quota_percent(storage->used, storage->quota.most);
}

static int disk_percent_now(const struct storage *storage)
{
    return quota_percent(storage->disk_size - storage->disk_left, storage->disk_size);
}

/* What the keeper before has said, and what it still had to say. */
static void read_own(const struct storage *storage, const char *key, void *value,
                     size_t length)
{
    struct buffer bytes = {0};
    if (store_get(storage->journal->store, OWN, key, &bytes) == 0 &&
        bytes.length == length)
        memcpy(value, bytes.bytes, length);
    buffer_free(&bytes);
}

void storage_open(struct storage *storage, struct loop *loop, struct group *group,
                  const struct config *config)
{
    *storage = (struct storage){.loop = loop,
                                .journal = group->journal,
                                .group = group,
                                .tick.fire = tick,
                                .quota = {config->quota, config->reserve},
                                .keep_ms = config->keep_ms,
                                .files = -1,
                                .used = -1};
    reserve_open(&storage->reserve, storage->journal, config->reserve);
    read_own(storage, GAP, &storage->gap_from_us, sizeof(storage->gap_from_us));
    read_own(storage, LOW, storage->told, sizeof(storage->told));
    growth_add(&storage->growth, 0, now_mono_us());
}

void storage_close(struct storage *storage)
{
    loop_timer_stop(&storage->tick);
}

/* ---- What is so. */

static void measure(struct storage *storage)
{
    struct statvfs disk;
    if (statvfs(storage->journal->folder, &disk) == 0) {
        storage->disk_left = (int64_t)disk.f_bavail * (int64_t)disk.f_frsize;
        storage->disk_size =
            (int64_t)(disk.f_blocks - disk.f_bfree + disk.f_bavail) *
            (int64_t)disk.f_frsize; /* without what only root may use, as df(1) */
    }
    int err = reserve_measure(&storage->reserve);
    if (err)
        log_warn("journal: its size cannot be read: %s", strerror(-err));
    storage->measured = storage->journal->size;
    storage->used =
        storage->files < 0 || err
            ? storage->used
            : storage->files + storage->reserve.space.file + storage->reserve.space.ahead;
}

/* Bytes of bundles that the city has, and that could go. */
static int64_t spare_bytes(const struct storage *storage)
{
    const struct journal *journal = storage->journal;
    int64_t tiles = (int64_t)journal->sealed.size / TILE_WIDTH;
    int64_t had = (journal->marks[LANE_TELEMETRY] + 1) / TILE_WIDTH;
    had = had < tiles ? had : tiles;
    if (had <= storage->thin_from || storage->files < 0)
        return 0;
    double each = (double)(storage->files - tiles * TILE_WIDTH * DIGEST_BYTES) /
                  (double)(tiles - storage->thin_from);
    return each > 0 ? (int64_t)(each * (double)(had - storage->thin_from)) : 0;
}

int64_t storage_days(const struct storage *storage)
{
    if (storage->used < 0)
        return -1;
    int64_t room = quota_room(&storage->quota) - taken(storage);
    int64_t disk = storage->disk_left - storage->quota.reserve;
    return quota_days((room < disk ? room : disk) + spare_bytes(storage),
                      growth_per_day(&storage->growth, now_mono_us()));
}

/* ---- What is said. */

static void tell_low(struct storage *storage, const char *of, int percent, int *told)
{
    char data[160], days[64] = "";
    int before = *told;
    *told = quota_level(percent, before);
    if (*told != before && group_enter(storage->group) == 0 &&
        store_put(storage->journal->store, OWN, LOW, storage->told,
                  sizeof(storage->told)) == 0)
        group_ask(storage->group, 1, false);
    if (*told <= before)
        return;
    int64_t left = storage_days(storage);
    if (left >= 0)
        snprintf(days, sizeof(days), ",\"days_left\":%" PRId64, left);
    snprintf(data, sizeof(data), "{\"of\":\"%s\",\"percent\":%d%s}", of, *told, days);
    log_warn("journal: the %s is %d %% full", of, percent);
    self_record(storage->group, "storage.low", data);
}

static void tell_gap(struct storage *storage)
{
    char data[256], from[NOW_TEXT_ROOM], until[NOW_TEXT_ROOM];
    if (storage->gap_from_us == 0)
        return;
    now_format(from, storage->gap_from_us);
    now_format(until, now_utc_us());
    snprintf(data, sizeof(data),
             "{\"from\":\"%s\",\"until\":\"%s\",\"cause\":\"storage full\","
             "\"lane\":\"telemetry\"}",
             from, until);
    self_record(storage->group, "gap.recorded", data);
    if (storage->journal->is_open && store_remove(storage->journal->store, OWN, GAP) == 0)
        storage->gap_from_us = 0;
}

static void tell_full(struct storage *storage, bool was_full)
{
    char data[96];
    if (is_full(storage) && !was_full) {
        snprintf(data, sizeof(data), "{\"of\":\"%s\",\"refused\":\"telemetry\"}",
                 full_of(storage));
        log_warn("journal: the %s is full: telemetry is refused, alarms and records go "
                 "on within the reserve",
                 full_of(storage));
        self_record(storage->group, "storage.full", data);
    } else if (!is_full(storage) && was_full) {
        log_info("journal: there is room again: telemetry is taken");
        self_record(storage->group, "storage.back", "{}");
    }
    if (!is_full(storage))
        tell_gap(storage);
}

/* ---- What follows. */

/* Of the quota telemetry is refused only when there is nothing left to be thinned: until then who
 * commits waits for the thinning. What is refused stays so for a while. */
static void judge_room(struct storage *storage)
{
    bool holds =
        is_full(storage) && now_mono_us() - storage->full_us < STORAGE_HOLD_MS * 1000LL;
    bool disk =
        quota_disk_refuses(&storage->quota, storage->disk_left, storage->is_disk_full);
    bool quota = storage->used >= 0 && (storage->has_nothing || storage->is_quota_full) &&
                 quota_refuses(&storage->quota, taken(storage), storage->is_quota_full);
    if (!is_full(storage) && (disk || quota))
        storage->full_us = now_mono_us();
    storage->is_disk_full = disk || (holds && storage->is_disk_full);
    storage->is_quota_full = quota || (holds && storage->is_quota_full);
}

static void judge(struct storage *storage)
{
    bool was_full = is_full(storage);
    judge_room(storage);
    if (storage->used >= 0) {
        storage->thins = quota_thins(&storage->quota, taken(storage), storage->thins);
        tell_low(storage, "quota", quota_percent_now(storage), &storage->told[0]);
    }
    tell_low(storage, "disk", disk_percent_now(storage), &storage->told[1]);
    tell_full(storage, was_full);
    if (storage_wants_thinning(storage) || storage_wants_count(storage))
        storage->wanted(storage->owner);
}

/* The reserve is made outside of transactions, and while nothing else is going on. */
static void tick(struct loop_timer *timer)
{
    struct storage *storage = container_of(timer, struct storage, tick);
    group_commit(storage->group);
    measure(storage);
    bool fills = !is_full(storage) && !storage->journal->is_open &&
                 reserve_fill(&storage->reserve, storage->disk_left);
    judge(storage);
    loop_timer_start(storage->loop, &storage->tick,
                     fills ? STORAGE_FILL_MS : STORAGE_TICK_MS);
}

void storage_start(struct storage *storage)
{
    measure(storage);
    judge(storage);
    loop_timer_start(storage->loop, &storage->tick, STORAGE_FILL_MS);
}

/* That telemetry was refused is remembered across a restart. */
int storage_admit(struct storage *storage)
{
    if (!is_full(storage))
        return 0;
    if (storage->gap_from_us == 0) {
        storage->gap_from_us = now_utc_us();
        if (group_enter(storage->group) == 0 &&
            store_put(storage->journal->store, OWN, GAP, &storage->gap_from_us,
                      sizeof(storage->gap_from_us)) == 0)
            group_ask(storage->group, 1, false);
    }
    return -ENOSPC;
}

/* Before it is started and after it is closed nothing is said. */
static bool is_started(const struct storage *storage)
{
    return loop_timer_is_running(&storage->tick);
}

void storage_committed(struct storage *storage)
{
    if (!is_started(storage) ||
        storage->journal->size - storage->measured < STORAGE_EVENTS)
        return;
    measure(storage);
    judge(storage);
}

void storage_shortage(struct storage *storage)
{
    if (!is_started(storage))
        return;
    measure(storage);
    judge(storage);
}

/* The tail may take an eighth of the quota: its file never gets shorter again. */
bool storage_is_behind(const struct storage *storage)
{
    const struct store_space *space = &storage->reserve.space;
    bool is_long = storage->journal->tail.count > TAIL_LONG &&
                   space->file - space->free > storage->quota.most / 8;
    return is_started(storage) && !is_full(storage) &&
           (is_long || (storage_wants_thinning(storage) &&
                        quota_refuses(&storage->quota, taken(storage), true)));
}

bool storage_wants_count(const struct storage *storage)
{
    return storage->files < 0;
}

void storage_counted(struct storage *storage, int64_t files)
{
    storage->files = files;
    measure(storage);
    judge(storage);
}

bool storage_wants_thinning(const struct storage *storage)
{
    return storage->thins && !storage->has_nothing && storage->used >= 0;
}

void storage_thinned(struct storage *storage, int err, const struct thin_score *score)
{
    if (err == -ENOENT)
        storage->has_nothing = true;
    if (err)
        return;
    if (score->broken >= 0)
        log_warn("journal: tile %" PRId64 " is not what was sealed; it is not thinned",
                 score->broken);
    storage->thin_from = score->next;
    storage->thinned += score->events;
    storage->files -= score->freed;
    measure(storage);
    judge(storage);
}

void storage_sealed(struct storage *storage, int64_t from, int64_t until)
{
    int64_t bytes = usage_of_tiles(storage->journal, from, until);
    growth_add(&storage->growth, bytes, now_mono_us());
    storage->has_nothing = false;
    if (storage->files >= 0)
        storage->files += bytes;
}

void storage_print(const struct storage *storage, struct buffer *out)
{
    const struct reserve *reserve = &storage->reserve;
    buffer_printf(out,
                  "{\"used\":%" PRId64 ",\"quota\":%" PRId64 ",\"percent\":%d,"
                  "\"disk_left\":%" PRId64 ",\"disk_percent\":%d,\"days_left\":%" PRId64
                  ",\"thinned\":%" PRId64
                  ",\"full\":\"%s\",\"reserve\":{\"bytes\":%" PRId64 ",\"of\":%" PRId64
                  ",\"is_whole\":%s}}",
                  storage->used, storage->quota.most, quota_percent_now(storage),
                  storage->disk_left, disk_percent_now(storage), storage_days(storage),
                  storage->thinned, is_full(storage) ? full_of(storage) : "",
                  reserve_bytes(reserve), storage->quota.reserve,
                  reserve_is_whole(reserve) ? "true" : "false");
}
