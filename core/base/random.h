/* random - unpredictable bytes from the kernel. */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Never fails: without the kernel's random source the process aborts. */
void random_bytes(void *bytes, size_t length);

/* Evenly from 0 to below `bound`, which is at least 1. */
uint32_t random_below(uint32_t bound);

#endif
