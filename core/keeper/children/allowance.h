/* allowance - how much one host may say: so many messages and bytes a second. Pure.
 *
 * A second's worth is there at once, and again when a host has been quiet for a second. What goes beyond
 * is not refused: it is owed, and until that time has passed nothing more is heard from that host, whose
 * handlers wait for their commits meanwhile. So a plugin that floods the journal loses nothing, and the
 * others do not notice it. */
#ifndef KEEPER_CHILDREN_ALLOWANCE_H
#define KEEPER_CHILDREN_ALLOWANCE_H

#include <stddef.h>
#include <stdint.h>

enum { ALLOWANCE_BURST_MS = 1000 };

/* Of each host, a second. */
struct allowance_rate {
    int64_t messages;
    int64_t bytes;
};

/* Zeroed, it has said nothing yet. */
struct allowance {
    int64_t messages_us; /* monotonic: by then what was said is paid off */
    int64_t bytes_us;
};

/* It says so much, now; how many milliseconds it must wait before it says more. */
int64_t allowance_take(struct allowance *allowance, const struct allowance_rate *rate,
                       int64_t now_us, int64_t messages, int64_t bytes);

#endif
