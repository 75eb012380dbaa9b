/* datagram - see datagram.h.
 *
 * Invariant: the timer runs exactly while somebody waits, the watch not longer than that. */
#include "host/datagram.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/base.h"

static void end_wait(struct datagram *datagram, int err)
{
    loop_watch_stop(&datagram->watch);
    loop_timer_stop(&datagram->timer);
    datagram->is_waiting = false;
    datagram->err = err;
    datagram->came(datagram);
}

static void readable(struct loop_watch *watch, bool read, bool write)
{
    (void)read;
    (void)write;
    end_wait(container_of(watch, struct datagram, watch), 0);
}

static void too_late(struct loop_timer *timer)
{
    struct datagram *datagram = container_of(timer, struct datagram, timer);
    end_wait(datagram, datagram->is_open ? -ETIMEDOUT : -ECANCELED);
}

void datagram_open(struct datagram *datagram, struct loop *loop, int fd,
                   bool is_connected)
{
    int queue = DATAGRAM_QUEUE, on = 1;
    ASSERT(!datagram->is_open);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &queue, sizeof(queue));
    (void)setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on));
    datagram->loop = loop;
    datagram->fd = fd;
    datagram->is_open = true;
    datagram->is_connected = is_connected;
    datagram->watch.ready = readable;
    datagram->timer.fire = too_late;
}

void datagram_close(struct datagram *datagram)
{
    if (!datagram->is_open)
        return;
    loop_watch_stop(&datagram->watch);
    close(datagram->fd);
    datagram->is_open = false;
    if (datagram->is_waiting)
        loop_timer_start(datagram->loop, &datagram->timer, 0);
}

void datagram_drop(struct datagram *datagram)
{
    datagram_close(datagram);
    loop_timer_stop(&datagram->timer);
    datagram->is_waiting = false;
}

int datagram_wait(struct datagram *datagram, int64_t timeout_ms)
{
    if (datagram->is_waiting)
        return -EBUSY;
    if (!datagram->is_open)
        return -ECANCELED;
    datagram->is_waiting = true;
    loop_watch_start(datagram->loop, &datagram->watch, datagram->fd, true, false);
    loop_timer_start(datagram->loop, &datagram->timer, timeout_ms);
    return -EINPROGRESS;
}

/* The kernel says with a message how many it has dropped before it, ever. */
static uint32_t newly_lost(struct datagram *datagram, struct msghdr *message)
{
    uint32_t total = datagram->lost;
    for (struct cmsghdr *note = CMSG_FIRSTHDR(message); note != NULL;
         note = CMSG_NXTHDR(message, note))
        if (note->cmsg_level == SOL_SOCKET && note->cmsg_type == SO_RXQ_OVFL)
            memcpy(&total, CMSG_DATA(note), sizeof(total));
    uint32_t more = total - datagram->lost;
    datagram->lost = total;
    return more;
}

ssize_t datagram_take(struct datagram *datagram, void *bytes, size_t room,
                      struct address *from, uint32_t *lost)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(uint32_t))];
    } notes;
    struct iovec part = {.iov_base = bytes, .iov_len = room};
    struct msghdr message = {.msg_name = &from->is.any,
                             .msg_namelen = sizeof(from->is),
                             .msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &notes,
                             .msg_controllen = sizeof(notes)};
    *lost = 0;
    if (!datagram->is_open)
        return -ECANCELED;
    ssize_t length = recvmsg(datagram->fd, &message, 0);
    if (length < 0)
        return errno == EINTR ? -EAGAIN : -errno;
    from->length = message.msg_namelen;
    *lost = newly_lost(datagram, &message);
    return message.msg_flags & MSG_TRUNC ? -EMSGSIZE : length;
}

int datagram_send(struct datagram *datagram, const void *bytes, size_t length,
                  const struct address *to)
{
    if (!datagram->is_open)
        return -ECANCELED;
    ssize_t sent = to != NULL ? sendto(datagram->fd, bytes, length, MSG_NOSIGNAL,
                                       &to->is.any, to->length)
                              : send(datagram->fd, bytes, length, MSG_NOSIGNAL);
    return sent < 0 ? -errno : 0;
}
