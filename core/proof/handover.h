/* handover - the city's signed word that it holds one evidence file, whole.
 *
 * A signed note with the text
 *
 *   outpost-handover/<office>/<log>/<seq>\n      (of the first event of the commit that named the file)
 *   time <RFC 3339, UTC>\n
 *   sha256 <64 hex digits>\n sm3 <64 hex digits>\n size <bytes>\n
 */
#ifndef PROOF_HANDOVER_H
#define PROOF_HANDOVER_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/word.h"
#include "proof/key.h"
#include "proof/suite.h"

struct handover {
    char office[WORD_ID_MAX + 1];
    char log[WORD_ID_MAX + 1];
    int64_t seq;
    int64_t time_us;
    struct digest sha256;
    struct digest sm3;
    int64_t size;
};

/* Appends the signed note. */
void handover_sign(struct buffer *out, const struct handover *handover,
                   const struct key *key);

/* Reads the note; with a key also checks its signature. 0 or as note_open(). */
int handover_read(struct handover *handover, const void *note, size_t length,
                  const struct key *key);

#endif
