/* message - one message of UDP, into a socket and out of it. */
#ifndef HOST_LINES_MESSAGE_H
#define HOST_LINES_MESSAGE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "host/lines/address.h"

/* Its length; -EAGAIN: none there; -EMSGSIZE: one longer than `room`, which is gone; or another negative
 * errno. *dropped becomes how many the kernel has dropped on this socket, ever, when it says so. */
ssize_t message_take(int fd, void *bytes, size_t room, struct address *from,
                     uint32_t *dropped);

/* To the peer of the socket when `to` is NULL. 0 or a negative errno. */
int message_send(int fd, const void *bytes, size_t length, const struct address *to);

#endif
