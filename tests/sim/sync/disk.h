/* disk - the office's disk: what of the journal a crash leaves, and the journal's part of what the
 * keeper asks. */
#ifndef SIM_DISK_H
#define SIM_DISK_H

#include "keeper/journal/journal.h"
#include "ledger.h"

void disk_begin(void);
/* A new log, without a mark. False when there were enough. */
bool disk_renew(void);

/* Fills the journal from what is on disk. */
void disk_load(struct journal *journal);
void disk_unload(struct journal *journal);

/* Adds an event to the open transaction; false when there is no room. */
bool disk_add(struct journal *journal, enum talk_lane lane, unsigned bytes);
/* Erases bodies of telemetry, oldest first, of what is sealed. */
void disk_erase(unsigned count);
/* Everything that is committed is sealed. */
void disk_seal(struct journal *journal);

int64_t disk_mark(enum talk_lane lane);

#endif
