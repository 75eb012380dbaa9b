/* storm - the bad weather of a seed: which faults there are, and when they strike.
 *
 * Each seed has some faults and not others (its own mixture finds more than always all of them), a
 * network of its own pace, and an office that commits events whenever it likes. */
#ifndef SIM_STORM_H
#define SIM_STORM_H

#include <stdint.h>

/* Draws the seed's weather and plans its faults; how long the storm will last. */
int64_t storm_begin(void);
/* Fair weather from here on: everything is whole, everything runs. */
void storm_end(void);

/* Whether it blows; programs that die are started again at once when it does not. */
void storm_fell(int actor);

#endif
