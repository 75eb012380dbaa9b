/* random - stands in for base/random.c: what is unpredictable elsewhere follows from the seed. */
#include "base/random.h"

#include "chance.h"

void random_bytes(void *bytes, size_t length)
{
    unsigned char *at = bytes;
    for (size_t i = 0; i < length; i++)
        at[i] = (unsigned char)chance_below(256);
}

uint32_t random_below(uint32_t bound)
{
    return chance_below(bound);
}
