/* datagram - see datagram.h.
 *
 * Invariant: the timer runs exactly while somebody waits, the watch not longer than that. */
#include "host/lines/datagram.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/base.h"
#include "host/lines/message.h"

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

ssize_t datagram_take(struct datagram *datagram, void *bytes, size_t room,
                      struct address *from, uint32_t *lost)
{
    uint32_t dropped = datagram->lost;
    *lost = 0;
    if (!datagram->is_open)
        return -ECANCELED;
    ssize_t length = message_take(datagram->fd, bytes, room, from, &dropped);
    *lost = dropped - datagram->lost;
    datagram->lost = dropped;
    return length;
}

int datagram_send(struct datagram *datagram, const void *bytes, size_t length,
                  const struct address *to)
{
    return datagram->is_open ? message_send(datagram->fd, bytes, length, to) : -ECANCELED;
}
