/* inflate - what a device has packed: gzip, zlib, or raw deflate, with a bound on what comes out.
 *
 * Every byte is foreign. A megabyte of nothing packs into a kilobyte, so who unpacks says how much may
 * come out, and no byte more is held. What is cut off, or has more behind its end than blanks, is no
 * packed text. */
#ifndef HOST_MODULE_INFLATE_H
#define HOST_MODULE_INFLATE_H

#include <stddef.h>

#include "base/buffer.h"

enum inflate_form { INFLATE_NONE, INFLATE_GZIP, INFLATE_ZLIB, INFLATE_RAW };

/* Loads the library; a second time does nothing. 0 or a negative errno. Before everything else. */
int inflate_open(void);

/* Which form the first bytes are the head of; raw deflate has none, so never that. */
enum inflate_form inflate_form_of(const void *bytes, size_t length);

/* Appends what the bytes unpack to. 0, -EPROTO: they are not of that form, or -EFBIG: more than `most`
 * bytes; then nothing is appended. */
int inflate_bytes(struct buffer *out, enum inflate_form form, const void *bytes,
                  size_t length, size_t most);

#endif
