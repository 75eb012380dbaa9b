/* socket - see socket.h. */
#include "host/lines/socket.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PROBES = 3 };

/* An option that a kernel does not know is done without. */
static void set(int fd, int level, int name, int value)
{
    (void)setsockopt(fd, level, name, &value, sizeof(value));
}

static int seconds(int64_t ms)
{
    return ms < 1000 ? 1 : (int)(ms / 1000);
}

void socket_tune(int fd, bool nodelay, int64_t keepalive_ms)
{
    set(fd, IPPROTO_TCP, TCP_NODELAY, nodelay);
    set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set(fd, IPPROTO_TCP, TCP_KEEPIDLE, seconds(keepalive_ms / 2));
    set(fd, IPPROTO_TCP, TCP_KEEPINTVL, seconds(keepalive_ms / (2 * PROBES)));
    set(fd, IPPROTO_TCP, TCP_KEEPCNT, PROBES);
    set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, (int)keepalive_ms);
}

static int bind_it(int fd, const struct address *address, int type, int backlog)
{
    if (type == SOCK_STREAM)
        set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (bind(fd, &address->is.any, address->length) != 0)
        return -errno;
    return type == SOCK_STREAM && listen(fd, backlog) != 0 ? -errno : 0;
}

int socket_bind(int *fd, const struct address *address, int type, int backlog)
{
    int made = socket(address->is.any.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (made < 0)
        return -errno;
    int err = bind_it(made, address, type, backlog);
    if (err)
        close(made);
    else
        *fd = made;
    return err;
}

void socket_broadcast(int fd)
{
    set(fd, SOL_SOCKET, SO_BROADCAST, 1);
}

int socket_port(int fd)
{
    struct address address = {.length = sizeof(address.is)};
    if (getsockname(fd, &address.is.any, &address.length) != 0)
        return 0;
    return address_port(&address);
}
