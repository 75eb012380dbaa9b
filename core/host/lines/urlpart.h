/* urlpart - the pieces that addresses of devices are made of. Pure. */
#ifndef HOST_LINES_URLPART_H
#define HOST_LINES_URLPART_H

#include <stdbool.h>
#include <stddef.h>

enum { URLPART_ROOM = 128 };

/* Copies `length` bytes as a text; false when they are none or too many. */
bool urlpart_copy(char *to, size_t room, const char *from, size_t length);

bool urlpart_number(const char *text, int least, int most, int *number);

/* Reads host, host:port, [address] or [address]:port into `host` (URLPART_ROOM bytes) and, when it is
 * named, *port. NULL, or what was expected. */
const char *urlpart_host(char *host, int *port, const char *text, size_t length);

/* Calls `set` for each name=value of "a=1&b=2" (NULL: none) until it answers nonzero, which is then
 * returned; -EINVAL and the piece in `piece` (URLPART_ROOM bytes) when it is none of that form. */
int urlpart_options(const char *text, char *piece,
                    int (*set)(void *owner, const char *name, const char *value),
                    void *owner);

#endif
