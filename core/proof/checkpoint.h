/* checkpoint - the statement of a log about itself: origin, size, root (C2SP tlog-checkpoint).
 *
 *   outpost/<office>/<log>\n<size>\n<base64 of the root>\n
 *
 * and, as one extension line, "suite sm3+sm2" when the suite is not the default. */
#ifndef PROOF_CHECKPOINT_H
#define PROOF_CHECKPOINT_H

#include <stdint.h>

#include "base/buffer.h"
#include "proof/key.h"
#include "proof/suite.h"

enum { CHECKPOINT_ORIGIN_MAX = 160 };

struct checkpoint {
    char origin[CHECKPOINT_ORIGIN_MAX + 1];
    const struct suite *suite;
    uint64_t size;
    struct digest root;
};

/* "outpost/<office>/<log>". -ENAMETOOLONG. */
int checkpoint_origin(char origin[CHECKPOINT_ORIGIN_MAX + 1], const char *office,
                      const char *log);

/* Appends the signed note. */
void checkpoint_sign(struct buffer *out, const struct checkpoint *checkpoint,
                     const struct key *key);

/* Reads the note; with a key also checks its signature. 0 or as note_open(). */
int checkpoint_read(struct checkpoint *checkpoint, const void *note, size_t length,
                    const struct key *key);

#endif
