/* prove - `outpost-city prove`: one stored event, proven to somebody else. */
#ifndef CITY_PROVE_H
#define CITY_PROVE_H

#include <stdint.h>

#include "base/buffer.h"
#include "city/store.h"

/* Appends the proof, in the format of `outpost prove`. -ENOENT (no such event), -EAGAIN (no
 * verified checkpoint covers it yet), -ENODATA (the office has erased what the path would need),
 * or the errno of reading. */
int prove_event(struct buffer *out, struct store *store, const char *office,
                const char *log, int64_t seq);

int prove_run(int argc, char **argv);

#endif
