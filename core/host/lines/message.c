/* message - see message.h. */
#include "host/lines/message.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* The kernel says with a message how many it has dropped before it. */
static void read_dropped(struct msghdr *message, uint32_t *dropped)
{
    for (struct cmsghdr *note = CMSG_FIRSTHDR(message); note != NULL;
         note = CMSG_NXTHDR(message, note))
        if (note->cmsg_level == SOL_SOCKET && note->cmsg_type == SO_RXQ_OVFL)
            memcpy(dropped, CMSG_DATA(note), sizeof(*dropped));
}

ssize_t message_take(int fd, void *bytes, size_t room, struct address *from,
                     uint32_t *dropped)
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
    ssize_t length = recvmsg(fd, &message, 0);
    if (length < 0)
        return errno == EINTR ? -EAGAIN : -errno;
    from->length = message.msg_namelen;
    read_dropped(&message, dropped);
    return message.msg_flags & MSG_TRUNC ? -EMSGSIZE : length;
}

int message_send(int fd, const void *bytes, size_t length, const struct address *to)
{
    ssize_t sent = to != NULL
                       ? sendto(fd, bytes, length, MSG_NOSIGNAL, &to->is.any, to->length)
                       : send(fd, bytes, length, MSG_NOSIGNAL);
    return sent < 0 ? -errno : 0;
}
