/* sync - what to send to the city next: a pure state machine.
 *
 * No clock, no input or output, no memory of its own but the struct: what has happened goes in with
 * the time, what shall be done comes out of sync_step(), which is asked after every call until it
 * says false, and again after sync_wait_ms(). A simulation can drive it as well as the uplink.
 *
 * A lane is fetched from the keeper in order, a batch at a time, and each batch is published at
 * once: nothing is queued here. Three numbers rule a lane: the mark (the last seq the city has by
 * its own receipt), the last seq published since the last going back, the first seq not yet
 * fetched. A PUBACK only makes room; the mark alone is progress. Whenever the mark cannot be trusted
 * to come - a new connection, a refused batch, a city that has begun anew, no receipt for a while -
 * the lane goes back to the mark and sends again. The city ignores what it has. A lane of the bulk
 * link that went back for want of a receipt sends one batch at a time until one comes, so that a
 * city that is away for days does not cost a thin line its window again and again. */
#ifndef UPLINK_SYNC_H
#define UPLINK_SYNC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/talk.h"

#ifdef SMALL_BOUNDS
enum { SYNC_FLIGHTS = 4, SYNC_BATCHES = 6, SYNC_BATCH_EVENTS = 3 };
#else
enum { SYNC_FLIGHTS = 64, SYNC_BATCHES = 256, SYNC_BATCH_EVENTS = 256 };
#endif

enum {
    SYNC_BATCH_BYTES = 120 * 1024, /* of events in a batch, as asked of the keeper */
    SYNC_FLIGHT_BYTES =
        4 * 1024 * 1024, /* beyond this no further batch is begun; sooner by pace.h */
    SYNC_PATIENCE_MS =
        30 * 1000, /* without a receipt, first; doubles with each going back */
    SYNC_PATIENCE_MOST_MS = 120 * 1000,
    SYNC_SILENCE_ALARM_MS =
        45 * 1000, /* without any PUBACK that is due: alarms are small, */
    SYNC_SILENCE_BULK_MS = 120 * 1000, /* a batch may take its time on a thin line */
    SYNC_PAUSE_MS = 1000,              /* after a refusal, first; doubles */
    SYNC_PAUSE_MOST_MS = 30 * 1000,
    SYNC_TOKEN_MOST = 0x7fffffff, /* of a batch; greater ones are free for others */
    SYNC_BEGAN_MS = 10 * 1000 /* a city that begins anew is believed once in this time */
};

/* Alarms have a link of their own; records and telemetry share the other. */
enum sync_link { SYNC_ALARM, SYNC_BULK, SYNC_LINKS };

struct sync_lane {
    bool known;      /* the keeper has told the mark */
    int64_t mark;    /* -1: the city has nothing */
    int64_t sent;    /* >= mark */
    int64_t next;    /* > sent */
    uint32_t fetch;  /* id of the FETCH under way, or 0 */
    uint32_t cancel; /* id of a FETCH that must be cancelled, or 0 */
    uint32_t
        generation; /* counts the goings back; a PUBACK of an older one is only room */
    unsigned first, count;
    int64_t
        batches[SYNC_BATCHES]; /* the last seq of each; a ring, oldest first, rising */
    unsigned waiting;          /* batches of this generation without PUBACK */
    unsigned flying;           /* batches of any generation without PUBACK */
    bool owed;                 /* something acknowledged waits for its receipt, */
    int64_t owed_ms;           /* since then, or since the last receipt */
    bool probing;              /* went back for want of a receipt, none since */
    int64_t patience_ms;
    int64_t pause_ms; /* 0: the last answer was good */
    int64_t pause_until_ms;
    uint64_t went_back;
};

struct sync_flight {
    uint32_t token;
    uint32_t generation;
    int lane;
    size_t bytes;
};

struct sync_road {
    bool up;
    unsigned flying;
    size_t bytes;
    int64_t moved_ms; /* the last PUBACK, or the publish into an empty road */
    struct sync_flight flights[SYNC_FLIGHTS];
};

struct sync {
    struct sync_lane lanes[LANES];
    struct sync_road roads[SYNC_LINKS];
    uint32_t last_id;
    uint32_t last_token;
    bool ever_began;
    int64_t began_ms;
};

enum sync_deed {
    SYNC_FETCH,  /* ask the keeper for `lane` from `from`, under `id` */
    SYNC_CANCEL, /* take the question `id` back */
    SYNC_RESET   /* the link gives no sign of life: end its connection */
};

struct sync_step {
    enum sync_deed deed;
    enum talk_lane lane;
    enum sync_link link;
    uint32_t id;
    int64_t from;
};

struct sync_entry {
    int64_t seq;
    size_t bytes;
};

/* What to publish: the first `count` entries. */
struct sync_batch {
    enum talk_lane lane;
    enum sync_link link;
    int64_t prev; /* seq of the lane's event before the first, -1 none */
    int64_t last;
    unsigned count;
    uint32_t token;
};

void sync_begin(struct sync *sync);

/* The keeper says what the city has. May go down. */
void sync_mark(struct sync *sync, enum talk_lane lane, int64_t seq, int64_t now_ms);
/* The city says that it has begun anew, so that what it had not stored may be lost. */
void sync_began(struct sync *sync, int64_t now_ms);

void sync_up(struct sync *sync, enum sync_link link, int64_t now_ms);
void sync_down(struct sync *sync, enum sync_link link);

/* The answer to fetch `id`: the entries found, and the first seq that has not been looked at.
 * 1: publish *batch now; 0: nothing to publish; -EPROTO: the answer cannot be true. */
int sync_take(struct sync *sync, uint32_t id, const struct sync_entry *entries,
              size_t count, int64_t next, struct sync_batch *batch, int64_t now_ms);

/* The broker's answer to a batch: an MQTT 5 reason code. */
void sync_acked(struct sync *sync, enum sync_link link, uint32_t token, int reason,
                int64_t now_ms);

/* The next thing to do, if there is one. */
bool sync_step(struct sync *sync, struct sync_step *step, int64_t now_ms);
/* After how long to ask again, when nothing happens before; -1: no need. */
int64_t sync_wait_ms(const struct sync *sync, int64_t now_ms);

/* Of which lane a batch without PUBACK is; -1 when there is none. */
int sync_lane_of(const struct sync *sync, enum sync_link link, uint32_t token);
enum sync_link sync_link_of(enum talk_lane lane);
/* All rules that hold between two calls. */
bool sync_is_sane(const struct sync *sync);

#endif
