/* retry - how long to wait before the next attempt to connect: pure.
 *
 * Anywhere (full jitter) up to a bound that doubles with each end in a row, and grows as far as
 * the end was dear to the broker:
 *
 *   absent       no TCP connection came about: refused, no route, no answer, no name. It costs the
 *                broker nothing, so the bound stays at RETRY_SOON_MOST_MS: whoever comes back is
 *                found within that time, after ten minutes as after ten seconds.
 *   broke        a connection that had worked. A broker that died comes back: the same bound.
 *   turned away  the broker took the TCP connection and then did not answer, refused, or threw us
 *                out. It is overloaded or set against us: up to RETRY_LATE_MOST_MS.
 *
 * What the bounds mean for a city: when the broker of N offices comes back, all of them arrive
 * within 3 s, evenly. A broker that takes fewer than N / 3 TLS handshakes a second lets some wait
 * too long for the answer; those count as turned away and spread themselves over up to 30 s, so
 * the crowd thins by itself. */
#ifndef MQTT_RETRY_H
#define MQTT_RETRY_H

#include <stdbool.h>
#include <stdint.h>

enum {
    RETRY_LEAST_MS = 100,
    RETRY_FIRST_MS = 1000,
    RETRY_SOON_MOST_MS = 3 * 1000,
    RETRY_LATE_MOST_MS = 30 * 1000,
    RETRY_GOOD_LIFE_MS = 60 * 1000 /* a connection that lived so long starts anew */
};

enum retry_end { RETRY_ABSENT, RETRY_BROKE, RETRY_TURNED_AWAY };

/* All zero at the beginning. */
struct retry {
    uint32_t soon_ms, late_ms; /* the last bounds, 0 none */
};

/* An attempt or a connection is over that had been up for `life_ms`: the bound of the wait. */
uint32_t retry_bound_ms(struct retry *retry, enum retry_end end, int64_t life_ms);

/* Anywhere from RETRY_LEAST_MS up to the bound. */
uint32_t retry_wait_ms(uint32_t bound_ms);

#endif
