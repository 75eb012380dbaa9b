/* weather - how bad the world is just now. All zero but the network's pace: fair weather. */
#ifndef SIM_WEATHER_H
#define SIM_WEATHER_H

#include <stdint.h>

#include "cable.h"

/* Of 1,000 each, when nothing else is said. */
struct weather {
    int64_t latency_us[ROADS];
    int64_t jitter_us[ROADS];
    int64_t rate[ROADS]; /* bytes a second */
    int64_t service_us;  /* the broker's thinking, at most */
    int refuse; /* a publish is answered with a reason code that is none of success */
    int refuse_office;   /* the same, of the office's only */
    int lose;            /* a publish is acknowledged and forgotten */
    int duplicate;       /* a message is queued twice */
    int reorder;         /* a message overtakes the one queued before it */
    int replay;          /* with a message an older receipt is told again */
    int turn_away;       /* a connection is refused with a reason */
    int keeper_disk;     /* a write of the keeper fails */
    int city_disk;       /* a write of the city fails */
    int64_t bandwidth;   /* bits a second that the office allows its bulk, 0 all */
    unsigned queue_most; /* messages the broker queues for a session; more are dropped */
};

extern struct weather weather;

#endif
