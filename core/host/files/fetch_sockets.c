/* fetch_sockets - see fetch_sockets.h. */
#include "host/files/fetch_sockets.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

void fetch_sockets_init(struct fetch_sockets *sockets)
{
    for (int i = 0; i < FETCH_SOCKETS_MAX; i++) {
        sockets->all[i].fd = -1;
        sockets->all[i].opener = NULL;
    }
}

int fetch_sockets_open(struct fetch_sockets *sockets, int family, int type, int protocol,
                       const void *opener)
{
    int place = 0;
    while (place < FETCH_SOCKETS_MAX && sockets->all[place].fd >= 0)
        place++;
    if (place == FETCH_SOCKETS_MAX)
        return -1;
    sockets->all[place].fd = socket(family, type | SOCK_CLOEXEC, protocol);
    sockets->all[place].opener = opener;
    return sockets->all[place].fd;
}

int fetch_sockets_close(struct fetch_sockets *sockets, int fd)
{
    for (int i = 0; i < FETCH_SOCKETS_MAX; i++)
        if (sockets->all[i].fd == fd)
            sockets->all[i].fd = -1;
    return close(fd);
}

void fetch_sockets_leave(struct fetch_sockets *sockets, const void *opener)
{
    for (int i = 0; i < FETCH_SOCKETS_MAX; i++)
        if (sockets->all[i].opener == opener)
            sockets->all[i].opener = NULL;
}

static bool has(const struct fetch_sockets *sockets, const void *opener)
{
    for (int i = 0; i < FETCH_SOCKETS_MAX; i++)
        if (sockets->all[i].fd >= 0 && sockets->all[i].opener == opener)
            return true;
    return false;
}

void fetch_sockets_shut(const struct fetch_sockets *sockets, const void *opener)
{
    if (!has(sockets, opener))
        opener = NULL;
    for (int i = 0; i < FETCH_SOCKETS_MAX; i++)
        if (sockets->all[i].fd >= 0 && sockets->all[i].opener == opener)
            shutdown(sockets->all[i].fd, SHUT_RDWR);
}

void fetch_sockets_shut_all(const struct fetch_sockets *sockets)
{
    for (int i = 0; i < FETCH_SOCKETS_MAX; i++)
        if (sockets->all[i].fd >= 0)
            shutdown(sockets->all[i].fd, SHUT_RDWR);
}
