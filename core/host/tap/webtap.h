/* webtap - HTTP on its way into the ring: heads without what is secret, devices by scheme, host, port. */
#ifndef HOST_TAP_WEBTAP_H
#define HOST_TAP_WEBTAP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "wire/ring.h"

/* "https://10.0.0.5:8443" of a URL; without user, path and query. */
void webtap_name(char name[RING_NAME_ROOM], const char *url);

/* A head, or a part of one that begins with a line; and bytes of a body. The password (NULL: none) is
 * covered wherever it stands. */
void webtap_head(const char *device, enum ring_way way, const void *bytes, size_t length,
                 const char *password);
void webtap_body(const char *device, enum ring_way way, const void *bytes, size_t length,
                 const char *password);

/* Appends a text as a path or a query has it. */
void webtap_escape(struct buffer *out, const char *text);

#endif
