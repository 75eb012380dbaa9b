/* ftptap - the conversation with a file server on its way into the ring: commands and replies without the
 * password. What lies in folders goes there as it comes; the files themselves never do. */
#ifndef HOST_TAP_FTPTAP_H
#define HOST_TAP_FTPTAP_H

#include <stddef.h>
#include <stdint.h>

#include "wire/ring.h"

/* A command or a reply, or what is there of it. The password (NULL: none) is covered wherever it stands. */
void ftptap_line(const char *device, enum ring_way way, const void *bytes, size_t length,
                 const char *password);

/* SFTP is no lines, and the library tells none of it: instead what is asked, and how it ended, in words of
 * ours. `size` is left out when it is negative. */
void ftptap_ask(const char *device, const char *what, const char *path, int64_t from);
void ftptap_end(const char *device, const char *how, int64_t size);

#endif
