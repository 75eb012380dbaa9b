/* socket - how sockets of plugins are set up. */
#ifndef HOST_LINES_SOCKET_H
#define HOST_LINES_SOCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "host/lines/address.h"

/* A connected TCP socket: whether small messages go at once, and after how long a peer that says
 * nothing more is taken for gone, be it that it owes us an acknowledgement or that nobody speaks. */
void socket_tune(int fd, bool nodelay, int64_t keepalive_ms);

/* A socket that does not block, bound to the address; one of SOCK_STREAM listens. 0 or a negative errno. */
int socket_bind(int *fd, const struct address *address, int type, int backlog);

/* Messages may be sent to all of a network. */
void socket_broadcast(int fd);

/* The port it is bound to. */
int socket_port(int fd);

#endif
