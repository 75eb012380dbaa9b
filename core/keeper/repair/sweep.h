/* sweep - what a keeper that was cut off has left in its journal folder.
 *
 * That is: files half written ("NAME.123.new"), and the partial hash tiles of checkpoints that
 * have been replaced. They lie where the log was growing; folders of older tiles are not looked
 * at. Not while an errand runs: it writes such files. */
#ifndef KEEPER_REPAIR_SWEEP_H
#define KEEPER_REPAIR_SWEEP_H

#include <stdint.h>

/* Removes it; `size` is that of the newest checkpoint (0: none), whose partial tiles stay. What
 * cannot be removed stays too: it does no harm, and `outpost verify` names it. */
void sweep_journal(const char *folder, uint64_t size);

#endif
