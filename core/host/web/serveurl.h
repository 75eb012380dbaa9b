/* serveurl - where a server listens: http://ADDRESS[:PORT] or https://ADDRESS[:PORT], the address a
 * number, in brackets when it has colons. Pure. */
#ifndef HOST_WEB_SERVEURL_H
#define HOST_WEB_SERVEURL_H

#include <stdbool.h>
#include <sys/socket.h>

/* 0 or -EINVAL. */
int serveurl_parse(struct sockaddr_storage *address, bool *is_locked, const char *url);

#endif
