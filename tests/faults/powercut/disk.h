/* disk - what a disk may hold after a power cut.
 *
 * Every file and every folder has what is durable and a list of what was done to it since. When the
 * power goes, each thing on the lists is there or is not, in one of these ways:
 *
 *   a file's writes   none; all; the first few, the last of them torn; each by itself; or each sector of
 *                     512 bytes by itself, so that a later write may be there without an earlier one.
 *                     Where a file grew, what did not arrive reads as zeros, as noise, or not at all.
 *   a folder's names  ordered: the first so many changes of all folders, and all of them up to the last
 *                     fsync of anything (a journaling file system). Free: each change by itself, and only
 *                     an fsync of the folder makes it durable (what POSIX promises).
 *
 * A rename is one change, also from one folder to another: then an fsync of either makes it durable.
 * Nothing else is assumed of the disk. */
#ifndef TESTS_FAULTS_POWERCUT_DISK_H
#define TESTS_FAULTS_POWERCUT_DISK_H

#include "trace.h"

struct disk;

/* The disk as `folder` is now, all of it durable. */
struct disk *disk_new(const char *folder);
void disk_free(struct disk *disk);

/* One more operation has been asked for; it stays where it is, and the next one lies behind it. */
void disk_take(struct disk *disk, const struct trace_op *op);

/* Writes into the new folder what there is after a cut now, by the choices of `random`. */
void disk_fall(struct disk *disk, const char *folder, uint64_t random);

#endif
