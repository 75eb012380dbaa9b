/* rights - see rights.h.
 *
 * The room beside a message is rounded up, so that a second descriptor fits where one was agreed to:
 * it is closed here. What does not fit at all the system closes. */
#include "wire/rights.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/base.h"

#ifndef SO_PASSRIGHTS
enum { SO_PASSRIGHTS = 83 };
#endif

union beside {
    struct cmsghdr head; /* aligned as the system wants it */
    char room[CMSG_SPACE(sizeof(int))];
};

static void attach(struct msghdr *message, union beside *beside, int fd)
{
    *beside = (union beside){0};
    message->msg_control = beside->room;
    message->msg_controllen = sizeof(beside->room);
    struct cmsghdr *head = CMSG_FIRSTHDR(message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(fd));
    memcpy(CMSG_DATA(head), &fd, sizeof(fd));
}

int rights_send(int fd, const void *bytes, size_t length, int goes_with)
{
    union beside beside;
    struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = length};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    ssize_t sent;
    if (goes_with >= 0)
        attach(&message, &beside, goes_with);
    do
        sent = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    if (sent >= 0)
        return 0;
    if (errno == EWOULDBLOCK || errno == ENOBUFS)
        return -EAGAIN;
    return errno == ECONNRESET ? -EPIPE : -errno;
}

static int detach(struct msghdr *message)
{
    const struct cmsghdr *head = CMSG_FIRSTHDR(message);
    int fds[2] = {-1, -1};
    if (head == NULL || head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
        return -1;
    ASSERT(head->cmsg_len <= CMSG_LEN(sizeof(fds)));
    memcpy(fds, CMSG_DATA(head), head->cmsg_len - CMSG_LEN(0));
    if (fds[1] >= 0)
        close(fds[1]);
    return fds[0];
}

int rights_refuse(int fd)
{
    int passes = 0;
    return setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &passes, sizeof(passes)) == 0
               ? 0
               : -errno;
}

ssize_t rights_receive(int fd, void *bytes, size_t room, int *brought)
{
    union beside beside;
    struct iovec part = {.iov_base = bytes, .iov_len = room};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = beside.room,
                             .msg_controllen = sizeof(beside.room)};
    *brought = -1;
    ssize_t length = recvmsg(fd, &message, MSG_DONTWAIT | MSG_TRUNC | MSG_CMSG_CLOEXEC);
    if (length < 0)
        return -errno;
    *brought = detach(&message);
    return length;
}
