/* squeeze - bytes made small: one zstd frame that says how long its content is.
 *
 * The door to zstd. Its contexts are made once and kept, so this is for one thread. What is got may
 * be foreign. */
#ifndef PROOF_SQUEEZE_H
#define PROOF_SQUEEZE_H

#include <stddef.h>

#include "base/buffer.h"

/* With a checksum of the content; in two thirds of the time, but half as long again. */
enum { SQUEEZE_SUMMED = 1, SQUEEZE_QUICK = 2 };

/* Appends the frame of these bytes. */
void squeeze_put(struct buffer *out, const void *bytes, size_t length, unsigned flags);

/* Appends the content of a frame. -EBADMSG, with nothing appended, when it is not exactly one whole
 * frame of 1 to `most` bytes that says so itself. */
int squeeze_get(struct buffer *out, const void *frame, size_t length, size_t most);

/* Appends what comes out of a damaged frame before the damage, at most about `most` bytes of it.
 * Nothing vouches for it. */
void squeeze_get_torn(struct buffer *out, const void *frame, size_t length, size_t most);

#endif
