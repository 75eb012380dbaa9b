/* tcp - see tcp.h. Nothing here can fail in a way that matters: these are wishes and a question. */
#include "mqtt/tcp.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <sys/socket.h>

enum { UNSENT_MAX = 64 * 1024 };

void tcp_tune(int fd, int stall_ms)
{
    unsigned stall = (unsigned)stall_ms;
    int unsent = UNSENT_MAX;
    if (fd < 0)
        return;
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &stall, sizeof(stall));
    setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent));
}

void tcp_acknowledge_now(int fd)
{
    int on = 1;
    if (fd >= 0)
        setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
}

bool tcp_is_connected(int fd)
{
    struct sockaddr_storage peer;
    socklen_t length = sizeof(peer);
    return getpeername(fd, (struct sockaddr *)&peer, &length) == 0;
}
