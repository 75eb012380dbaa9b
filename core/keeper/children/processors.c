/* processors - see processors.h. It costs time, not truth, when the kernel refuses. */
#include "keeper/children/processors.h"

#include <sched.h>

static cpu_set_t all, last;

void processors_divide(void)
{
    cpu_set_t others;
    int found = -1;
    CPU_ZERO(&others);
    if (sched_getaffinity(0, sizeof(all), &all) != 0 || CPU_COUNT(&all) < 2)
        return;
    for (int i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &all))
            found = i;
    CPU_SET(found, &last);
    CPU_XOR(&others, &all, &last);
    sched_setaffinity(0, sizeof(others), &others);
}

void processors_take_last(void)
{
    if (CPU_COUNT(&last) > 0)
        sched_setaffinity(0, sizeof(last), &last);
}

void processors_take_all(void)
{
    if (CPU_COUNT(&last) > 0)
        sched_setaffinity(0, sizeof(all), &all);
}
