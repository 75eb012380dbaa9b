/* chance - the one source of chance of a simulation: all that happens follows from its seed. */
#ifndef SIM_CHANCE_H
#define SIM_CHANCE_H

#include <stdbool.h>
#include <stdint.h>

void chance_begin(uint64_t seed);

/* Evenly from 0 to below `bound`, which is at least 1. */
uint32_t chance_below(uint32_t bound);
/* Evenly from `least` to `most`. */
int64_t chance_between(int64_t least, int64_t most);
/* True in so many of 1,000 cases. */
bool chance_is(int per_mille);

#endif
