/* random - see random.h. Stands in for base/random.c, with SplitMix64: the same on every machine. */
#include "rehearse/standins/random.h"

#include "base/random.h"

static uint64_t state;

void random_begin(void)
{
    state = 0;
}

static unsigned char next_byte(void)
{
    state += 0x9e3779b97f4a7c15;
    uint64_t mixed = (state ^ state >> 30) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
    return (unsigned char)(mixed >> 56);
}

void random_bytes(void *bytes, size_t length)
{
    unsigned char *to = bytes;
    for (size_t i = 0; i < length; i++)
        to[i] = next_byte();
}

uint32_t random_below(uint32_t bound)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++)
        value = value << 8 | next_byte();
    return value % bound;
}
