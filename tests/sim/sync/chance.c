/* chance - see chance.h. The generator is splitmix64: any seed is a good one. */
#include "chance.h"

static uint64_t state;

static uint64_t next(void)
{
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void chance_begin(uint64_t seed)
{
    state = seed * 0x2545f4914f6cdd1du + 1;
    next();
}

uint32_t chance_below(uint32_t bound)
{
    return (uint32_t)(((next() >> 32) * bound) >> 32);
}

int64_t chance_between(int64_t least, int64_t most)
{
    uint64_t width = (uint64_t)(most - least) + 1;
    return least + (int64_t)(next() % width);
}

bool chance_is(int per_mille)
{
    return chance_below(1000) < (uint32_t)per_mille;
}
