/* receipt - the city's signed word on what it holds of a log.
 *
 * A signed note with the text
 *
 *   outpost-receipt/<office>/<log>\n
 *   time <RFC 3339, UTC>\n
 *   lane alarm <seq>\n lane record <seq>\n lane telemetry <seq>\n    (the last held without a gap;
 *                                                                     no line: none)
 *   checkpoint <size> <base64 of the root>\n                          (the newest verified; optional)
 */
#ifndef PROOF_RECEIPT_H
#define PROOF_RECEIPT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/word.h"
#include "proof/key.h"
#include "proof/suite.h"

enum { RECEIPT_LANES = 3 };

struct receipt {
    char office[WORD_ID_MAX + 1];
    char log[WORD_ID_MAX + 1];
    int64_t time_us;
    int64_t lane[RECEIPT_LANES]; /* by enum talk_lane; -1 none */
    bool has_checkpoint;
    uint64_t size;
    struct digest root;
};

/* Appends the signed note. */
void receipt_sign(struct buffer *out, const struct receipt *receipt,
                  const struct key *key);

/* Reads the note; with a key also checks its signature. 0 or as note_open(). */
int receipt_read(struct receipt *receipt, const void *note, size_t length,
                 const struct key *key);

#endif
