/* headers - the head of an HTTP message, or of one part of it: names and values, in order. Pure.
 *
 * A zeroed struct headers is an empty one. Names are kept in small letters, values without the
 * blanks around them; a line that is none is passed over. The caller bounds what it adds. */
#ifndef HOST_WEB_HEADERS_H
#define HOST_WEB_HEADERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

struct headers {
    struct buffer text; /* name NUL value NUL ... */
};

/* Takes one line, with or without its end. */
void headers_add(struct headers *headers, const char *line, size_t length);

/* The first value of that name (in small letters), or NULL. */
const char *headers_find(const struct headers *headers, const char *name);

/* One after the other, from *at = 0; false after the last. */
bool headers_next(const struct headers *headers, size_t *at, const char **name,
                  const char **value);

void headers_clear(struct headers *headers);
void headers_free(struct headers *headers);

#endif
