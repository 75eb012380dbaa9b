/* keepsake - a text kept in a file behind its own hash: it comes back to the byte, or not at all.
 *
 * The file, mode 0600, is a line with the SHA-256 of what follows, then the text. */
#ifndef PROOF_KEEPSAKE_H
#define PROOF_KEEPSAKE_H

#include "base/buffer.h"

/* Keeps it durably, when it is another than the one kept. 0 or a negative errno. */
int keepsake_put(const char *path, const struct buffer *text);

/* Appends it. -ENOENT when there is none, -EBADMSG when it is not what was kept, -EFBIG when it has
 * more than `most` bytes. */
int keepsake_get(struct buffer *text, const char *path, size_t most);

#endif
