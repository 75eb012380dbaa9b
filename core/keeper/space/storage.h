/* storage - how much room the journal takes and has: who may still write, what has to go, and what
 * people are told of it.
 *
 * Telemetry is not taken while the quota or the disk is at its end; alarms and records go
 * on within the reserve. The first refusal raises storage.full, the end is storage.back, and what
 * was missed is one gap.recorded, also across a restart. storage.low is told at 70, 85 and 95
 * percent of quota and disk. */
#ifndef KEEPER_SPACE_STORAGE_H
#define KEEPER_SPACE_STORAGE_H

#include <stdbool.h>

#include "base/loop.h"
#include "keeper/children/group.h"
#include "keeper/config.h"
#include "keeper/space/growth.h"
#include "keeper/space/quota.h"
#include "keeper/space/reserve.h"
#include "keeper/space/thin.h"

enum {
    STORAGE_TICK_MS = 5000,
    STORAGE_FILL_MS = 100,
    STORAGE_HOLD_MS = 10000, /* at least so long telemetry is refused, once it is */
    STORAGE_EVENTS = 256
};

struct storage {
    struct loop *loop;
    struct journal *journal;
    struct group *group;
    struct loop_timer tick;
    struct quota quota;
    int64_t keep_ms;
    struct reserve reserve;
    struct growth growth;
    int64_t files; /* bytes on disk beside tail.db and its WAL; -1 not counted yet */
    int64_t used;  /* bytes on disk of all, or -1 */
    int64_t disk_left;
    int64_t disk_size;
    int64_t measured; /* events committed when it was measured */
    int told[2];      /* levels of quota and disk that were told, in percent */
    bool thins;
    bool has_nothing;    /* no telemetry is left that could be thinned */
    bool is_quota_full;  /* telemetry is refused, */
    bool is_disk_full;   /* and why */
    int64_t full_us;     /* since when, monotonic */
    int64_t thin_from;   /* the first tile that may have telemetry */
    int64_t thinned;     /* events, since the start */
    int64_t gap_from_us; /* when telemetry was refused first; 0 it was not */
    /* Room has to be made or counted: see storage_wants_thinning() and storage_wants_count(). */
    void (*wanted)(void *owner);
    void *owner;
};

void storage_open(struct storage *storage, struct loop *loop, struct group *group,
                  const struct config *config);
void storage_close(struct storage *storage);
/* Measures for the first time and says what there is to say. */
void storage_start(struct storage *storage);

/* Whether what has telemetry and neither alarm nor record may be written: 0 or -ENOSPC. */
int storage_admit(struct storage *storage);
/* A group has been committed. */
void storage_committed(struct storage *storage);

/* A group did not find room. */
void storage_shortage(struct storage *storage);

/* More is committed than is sealed and thinned: who commits should wait for the errand. */
bool storage_is_behind(const struct storage *storage);

bool storage_wants_count(const struct storage *storage);
void storage_counted(struct storage *storage, int64_t files);
bool storage_wants_thinning(const struct storage *storage);
void storage_thinned(struct storage *storage, int err, const struct thin_score *score);
/* Tiles [from, until) have become files. */
void storage_sealed(struct storage *storage, int64_t from, int64_t until);

/* Days until telemetry must be thinned that the city does not have; -1 not known. */
int64_t storage_days(const struct storage *storage);
/* Appends the object for the report. */
void storage_print(const struct storage *storage, struct buffer *out);

#endif
