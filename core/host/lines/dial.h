/* dial - a socket connected to a host that is named or numbered, one address after the other.
 *
 * All of it, finding the name's address among it, is bounded by the time-out; each address has an equal
 * share of what is left. The owner keeps the memory; a zeroed dial is a stopped one. */
#ifndef HOST_LINES_DIAL_H
#define HOST_LINES_DIAL_H

#include <errno.h>
#include <stdbool.h>

#include "base/loop.h"
#include "host/lines/resolve.h"

enum { DIAL_HIDDEN = -ENOLCK }; /* /etc/hosts or /etc/resolv.conf may not be read */

struct dial {
    /* Once, from the loop. 0: `fd` is connected, does not block, and is the caller's to close; else why
     * not, as dial_why() and dial_code() say it. */
    void (*done)(struct dial *dial, int err);
    int fd;
    struct address peer; /* who was reached, or tried last */
    struct resolve resolve;

    struct loop *loop;
    struct loop_watch watch;
    struct loop_timer timer;
    int type;
    bool is_trying; /* fd is open, and ours */
    int next;       /* of the addresses found */
    int64_t until_ms;
    int err; /* of the last address */
};

/* `type` is SOCK_STREAM or SOCK_DGRAM. */
void dial_start(struct loop *loop, struct dial *dial, int type, const char *host,
                int port, int64_t timeout_ms);
void dial_stop(struct dial *dial);

/* In words; and "timeout", "refused", "unreachable", "resolve" or "denied" (the configuration does not
 * name that port). */
const char *dial_why(int err);
const char *dial_code(int err);

#endif
