/* pace - how fast bulk may go: no faster than the office allows it, and never so fast that the line
 * fills up before an alarm.
 *
 * Each publish is noted with its bytes, and takes its time of the bandwidth. Until that has passed no
 * further batch is asked for; the questions wait here, one of each lane. So the mean keeps to the
 * bandwidth, and what is once read from the journal is sent at once.
 *
 * What is sent faster than the line carries it stands in a queue, in a modem or at a provider, and a
 * live alarm stands behind it. PUBACKs that take ever longer tell of such a queue: so many bytes are
 * under way as keep that delay below PACE_DELAY_US above the shortest time seen, and no more.
 *
 * Pure: the time comes in. */
#ifndef UPLINK_PACE_H
#define UPLINK_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "uplink/sync.h"

enum {
    PACE_OVERHEAD = 300,         /* of a publish: its head and those of TCP and IP */
    PACE_BATCH_LEAST = 8 * 1024, /* bytes of events asked for, however thin the line */
    PACE_AHEAD_US = 50 * 1000,   /* of the line's time that may be saved up */
    PACE_DELAY_US = 200 * 1000,
    PACE_CARRIED_WIDE = 256 * 1024,
    PACE_WINDOW_FIRST = 4 * 1024,
    PACE_WINDOW_LEAST = 1, /* one batch, then */
    PACE_WINDOW_MOST = 4 * 1024 * 1024
};

struct pace_flight {
    uint32_t token;
    size_t bytes;
    int64_t sent_us;
    bool alone; /* nothing else was under way */
};

struct pace {
    int64_t bytes_a_second;          /* 0: as fast as it goes */
    int64_t free_us;                 /* when the line is free again */
    struct sync_step waiting[LANES]; /* questions that wait; id 0 none */
    unsigned flying;
    struct pace_flight flights[SYNC_FLIGHTS];
    int64_t under_way, window; /* bytes */
    int64_t carried;           /* bytes of this connection */
    int64_t shortest_us;       /* of this connection, 0: none seen */
    int64_t
        shrunk_us; /* when the window last became smaller, or first too large; 0: never */
};

void pace_begin(struct pace *pace, int64_t bits_a_second);

/* A connection has begun or ended: nothing is under way, and nothing known of the line. */
void pace_anew(struct pace *pace);

/* So many bytes were published. */
void pace_spend(struct pace *pace, size_t bytes, int64_t now_us);
/* They were a batch, whose PUBACK will be told with that token. */
void pace_sent(struct pace *pace, uint32_t token, size_t bytes, int64_t now_us);
void pace_acked(struct pace *pace, uint32_t token, int64_t now_us);

/* Whether the line has carried much, and no queue was ever felt: bytes are cheap on it, time is not. */
bool pace_is_wide(const struct pace *pace);
/* Whether the question must wait. Then it is kept, and comes out of pace_next(). */
bool pace_holds(struct pace *pace, const struct sync_step *fetch, int64_t now_us);
/* The next question that has waited long enough. */
bool pace_next(struct pace *pace, struct sync_step *fetch, int64_t now_us);
/* Whether that question waited here; it does so no more. */
bool pace_drop(struct pace *pace, uint32_t id);
/* After how long to ask pace_next() again; -1: nothing waits, or for a PUBACK. */
int64_t pace_wait_ms(const struct pace *pace, int64_t now_us);

/* How many bytes of events to ask for at once: about a second's and some of what may be under way,
 * at most `most`. */
size_t pace_batch(const struct pace *pace, size_t most);

#endif
