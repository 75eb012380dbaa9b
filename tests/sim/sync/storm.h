/* storm - the bad weather of a seed: which faults there are, and when they strike.
 *
 * Each seed has some faults and not others (its own mixture finds more than always all of them), a
 * network of its own pace, and an office that commits events whenever it likes. */
#ifndef SIM_STORM_H
#define SIM_STORM_H

#include <stdbool.h>
#include <stdint.h>

/* Draws the seed's weather and plans its faults; how long the storm will last. */
int64_t storm_begin(void);
/* Fair weather from here on: everything is whole, everything runs. */
void storm_end(void);

/* Its last traces are gone: while they are, nothing may complain. */
void storm_settle(bool is_settled);
bool storm_is_over(void);

/* A program has died in the middle of an act, or dies now; it comes back by itself. */
void storm_fell(int actor);

#endif
