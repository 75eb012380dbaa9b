/* rights - one datagram on a socket of ours, and the one descriptor that may go with it
 * (SCM_RIGHTS). Never waits. */
#ifndef WIRE_RIGHTS_H
#define WIRE_RIGHTS_H

#include <stddef.h>
#include <sys/types.h>

/* Sends it whole; `goes_with` (-1: nothing) stays the caller's. 0, -EAGAIN when the socket takes
 * nothing now, -EPIPE when nobody reads it any more, or another negative errno. */
int rights_send(int fd, const void *bytes, size_t length, int goes_with);

/* Takes one: its whole length, also when that is more than `room`, or a negative errno. *brought
 * becomes the descriptor that came with it, closed by exec and the caller's own, or -1. */
ssize_t rights_receive(int fd, void *bytes, size_t room, int *brought);

/* From now on nobody can send a descriptor there: who tries has -EPERM. What is received and not wanted
 * has to be closed, and closing a terminal that is held up, say, takes as long as it likes.
 * -ENOPROTOOPT before Linux 6.16. */
int rights_refuse(int fd);

#endif
