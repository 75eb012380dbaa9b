/* socket - stands in for host/lines/socket.c: a port of the plugin is one at which only doubles come in. */
#include "host/lines/socket.h"

#include <sys/socket.h>

#include "rehearse/office.h"

void socket_tune(int fd, bool nodelay, int64_t keepalive_ms)
{
    (void)fd;
    (void)nodelay;
    (void)keepalive_ms;
}

int socket_bind(int *fd, const struct address *address, int type, int backlog)
{
    (void)backlog;
    if (type != SOCK_STREAM)
        return post_bind(office_current(), fd, address_port(address));
    return wire_listen(office_current(), fd, address_port(address));
}

void socket_broadcast(int fd)
{
    (void)fd;
}

int socket_port(int fd)
{
    int port = post_port(office_current(), fd);
    return port != 0 ? port : wire_port(office_current(), fd);
}
