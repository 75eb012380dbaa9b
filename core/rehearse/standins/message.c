/* message - stands in for host/lines/message.c: at a port where everybody is heard, who sent a message and whom
 * it is for stands in front of it (post.h). */
#include "host/lines/message.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "rehearse/office.h"

ssize_t message_take(int fd, void *bytes, size_t room, struct address *from,
                     uint32_t *dropped)
{
    struct iovec parts[] = {{from, sizeof(*from)}, {bytes, room}};
    bool is_post = post_has(office_current(), fd);
    struct msghdr message = {.msg_iov = is_post ? parts : parts + 1,
                             .msg_iovlen = is_post ? 2 : 1};
    (void)dropped; /* no double sends more than there is room for */
    *from = (struct address){.is.any.sa_family = AF_INET};
    ssize_t length = recvmsg(fd, &message, 0);
    if (length < 0)
        return errno == EINTR ? -EAGAIN : -errno;
    if (message.msg_flags & MSG_TRUNC)
        return -EMSGSIZE;
    return is_post ? length - (ssize_t)sizeof(*from) : length;
}

int message_send(int fd, const void *bytes, size_t length, const struct address *to)
{
    struct iovec parts[] = {{(void *)(uintptr_t)to, sizeof(*to)},
                            {(void *)(uintptr_t)bytes, length}};
    struct msghdr message = {.msg_iov = to != NULL ? parts : parts + 1,
                             .msg_iovlen = to != NULL ? 2 : 1};
    return sendmsg(fd, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}
