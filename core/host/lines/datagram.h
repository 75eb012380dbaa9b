/* datagram - a UDP port: whole messages, one reader waiting on it at a time.
 *
 * What nobody reads waits in the kernel, at most DATAGRAM_QUEUE bytes of it; what comes then is dropped
 * there, and counted. The owner keeps the memory; a zeroed datagram is a closed one. */
#ifndef HOST_LINES_DATAGRAM_H
#define HOST_LINES_DATAGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/loop.h"
#include "host/lines/address.h"

enum { DATAGRAM_MAX = 65507, DATAGRAM_QUEUE = 256 * 1024 };

struct datagram {
    void (*came)(struct datagram *datagram);

    struct loop *loop;
    bool is_open;
    bool is_connected;
    bool is_waiting;
    int fd;
    int err;       /* of the wait: 0, -ETIMEDOUT or -ECANCELED */
    uint32_t lost; /* by the kernel, as it counts */
    struct loop_watch watch;
    struct loop_timer timer;
};

/* Takes over `fd`, which does not block. */
void datagram_open(struct datagram *datagram, struct loop *loop, int fd,
                   bool is_connected);
/* Who waits is told -ECANCELED. */
void datagram_close(struct datagram *datagram);
/* The same without telling anybody: the memory goes. */
void datagram_drop(struct datagram *datagram);

/* Waits until there is something to take: -EINPROGRESS, then `came` is called from the loop once;
 * or at once -EBUSY or -ECANCELED (closed). */
int datagram_wait(struct datagram *datagram, int64_t timeout_ms);

/* Takes one: its length; -EAGAIN: none there; -EMSGSIZE: one longer than `room`, which is gone; or what
 * an earlier one met (-ECONNREFUSED ...). *lost is how many the kernel has dropped since the last. */
ssize_t datagram_take(struct datagram *datagram, void *bytes, size_t room,
                      struct address *from, uint32_t *lost);

/* To the peer it is connected to when `to` is NULL. 0 or a negative errno. */
int datagram_send(struct datagram *datagram, const void *bytes, size_t length,
                  const struct address *to);

#endif
