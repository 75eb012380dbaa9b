/* world - one seed from its beginning to its verdict. */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include <stdint.h>

/* What was violated, or NULL; the text is valid until the next call. */
const char *world_run(uint64_t seed);

#endif
