/* hex - bytes as lower-case hexadecimal digits. */
#ifndef BASE_HEX_H
#define BASE_HEX_H

#include <stddef.h>

/* Writes 2 * length digits and a NUL. */
void hex_encode(char *text, const void *bytes, size_t length);

/* Reads exactly `length` bytes from 2 * length digits, either case. 0 or -EINVAL. */
int hex_decode(void *bytes, size_t length, const char *text);

#endif
