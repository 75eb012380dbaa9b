/* base64 - RFC 4648, strict: padded, no white space, and no spare bits set. */
#ifndef PROOF_BASE64_H
#define PROOF_BASE64_H

#include <stddef.h>

#include "base/buffer.h"

void base64_encode(struct buffer *out, const void *bytes, size_t length);

/* Appends the bytes. 0, or -EPROTO and nothing is appended. */
int base64_decode(struct buffer *out, const char *text, size_t length);

#endif
