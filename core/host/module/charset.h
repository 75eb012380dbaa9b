/* charset - text of devices as UTF-8 and back: UTF-8 itself, and GB18030, which holds GBK and GB2312.
 *
 * Every byte is foreign. Nothing is refused: each byte that belongs to no letter becomes U+FFFD (in
 * GB "?") and is counted, so that half a letter at the end of a name costs the letter and not the
 * message.
 *
 * The C library loads what converts GB18030 from a file and runs it, which a confined process may not
 * do: charset_open() comes before. */
#ifndef HOST_MODULE_CHARSET_H
#define HOST_MODULE_CHARSET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

/* Makes the two calls about GB possible for the rest of the process's life; a second time it does
 * nothing. 0 or a negative errno. */
int charset_open(void);

/* Appends the bytes as UTF-8 and returns how many were replaced. */
size_t charset_read_gb(struct buffer *out, const void *bytes, size_t length);
size_t charset_read_utf8(struct buffer *out, const void *bytes, size_t length);

/* Appends the UTF-8 text as GB18030, or when `narrow` as the GBK in it, of at most two bytes a letter;
 * returns how many letters were replaced. */
size_t charset_write_gb(struct buffer *out, const void *text, size_t length, bool narrow);

/* Appends as UTF-8 what is said to be in the charset of that name, as XML and HTTP name it; `replaced`
 * counts as above. Devices that say GB and send UTF-8 are common: text that says GB, is UTF-8 and
 * has a letter of three bytes, or four to each one that was cut, is taken for that. -ENOTSUP: not a charset that is known. */
int charset_read(struct buffer *out, const char *name, const void *bytes, size_t length,
                 size_t *replaced);

#endif
