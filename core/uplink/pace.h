/* pace - how fast bulk may go: the bandwidth that the office allows it.
 *
 * Each publish is noted with its bytes, and takes its time of the line. Until that has passed no
 * further batch is asked for; the questions wait here, one of each lane. So the mean keeps to the
 * bandwidth, and what is once read from the journal is sent at once. Pure: the time comes in. */
#ifndef UPLINK_PACE_H
#define UPLINK_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "uplink/sync.h"

enum {
    PACE_OVERHEAD = 300,         /* of a publish: its head and those of TCP and IP */
    PACE_BATCH_LEAST = 8 * 1024, /* bytes of events asked for, however thin the line */
    PACE_AHEAD_US = 50 * 1000    /* of the line's time that may be saved up */
};

struct pace {
    int64_t bytes_a_second;          /* 0: as fast as it goes */
    int64_t free_us;                 /* when the line is free again */
    struct sync_step waiting[LANES]; /* questions that wait; id 0 none */
};

void pace_begin(struct pace *pace, int64_t bits_a_second);

/* So many bytes were published. */
void pace_spend(struct pace *pace, size_t bytes, int64_t now_us);

/* Whether the question must wait. Then it is kept, and comes out of pace_next(). */
bool pace_holds(struct pace *pace, const struct sync_step *fetch, int64_t now_us);
/* The next question that has waited long enough. */
bool pace_next(struct pace *pace, struct sync_step *fetch, int64_t now_us);
/* Whether that question waited here; it does so no more. */
bool pace_drop(struct pace *pace, uint32_t id);
/* After how long to ask pace_next() again; -1: nothing waits. */
int64_t pace_wait_ms(const struct pace *pace, int64_t now_us);

/* How many bytes of events to ask for at once: about a second's, at most `most`. */
size_t pace_batch(const struct pace *pace, size_t most);

#endif
