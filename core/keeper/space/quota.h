/* quota - what to do when the journal's room gets scarce: pure, sizes in and decisions out.
 *
 * `taken` is what the journal's files take on disk, without the room inside them that is kept free
 * for alarms and records. Of the quota the last `reserve` bytes are only for those. */
#ifndef KEEPER_SPACE_QUOTA_H
#define KEEPER_SPACE_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

struct quota {
    int64_t most; /* bytes the journal may take */
    int64_t reserve;
};

/* Up to where telemetry may go. */
int64_t quota_room(const struct quota *quota);

/* Whether telemetry has to be thinned; once begun, until there is some air again. */
bool quota_thins(const struct quota *quota, int64_t taken, bool thins);

/* Whether telemetry is refused: by the quota, and on a disk with `left` bytes. Each with a step
 * between no and yes, so that it does not change with every event. */
bool quota_refuses(const struct quota *quota, int64_t taken, bool refuses);
bool quota_disk_refuses(const struct quota *quota, int64_t left, bool refuses);

int quota_percent(int64_t taken, int64_t most);

/* The level (0, 70, 85 or 95 percent) that holds now, when `told` was the last one. It falls only
 * when the percentage is clearly below. */
int quota_level(int percent, int told);

/* Days until `room` bytes are full, at so many bytes a day; -1 when the growth is not known. */
int64_t quota_days(int64_t room, int64_t bytes_per_day);

#endif
