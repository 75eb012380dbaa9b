/* chance - random choices that a seed repeats. */
#ifndef TESTS_FAULTS_POWERCUT_CHANCE_H
#define TESTS_FAULTS_POWERCUT_CHANCE_H

#include <stdbool.h>
#include <stdint.h>

/* splitmix64 */
static inline uint64_t chance_next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15U;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
    z = (z ^ z >> 27) * 0x94d049bb133111ebU;
    return z ^ z >> 31;
}

/* From 0 to below `bound`. */
static inline uint64_t chance_below(uint64_t *state, uint64_t bound)
{
    return chance_next(state) % bound;
}

/* True so many times in a hundred. */
static inline bool chance_is(uint64_t *state, unsigned percent)
{
    return chance_below(state, 100) < percent;
}

/* A state of its own for each (seed, place). */
static inline uint64_t chance_at(uint64_t seed, uint64_t place)
{
    uint64_t state = seed ^ place * 0xd6e8feb86659fd93U;
    chance_next(&state);
    return chance_next(&state);
}

#endif
