/* stall - whether what is sent comes to anything: pure, like sync.
 *
 * A broker can take everything and hand on nothing, and a city can have stopped; neither ends a
 * connection. What has happened goes in with the time; stall_look() says when somebody has to
 * know, and when it is over. Being offline is no stall: the status says that. */
#ifndef UPLINK_STALL_H
#define UPLINK_STALL_H

#include <stdbool.h>
#include <stdint.h>

#include "uplink/sync.h"

enum {
    STALL_PATIENCE_MS =
        45 * 1000,             /* connected, acknowledged by the broker, and no receipt */
    STALL_LOOK_MS = 5 * 1000,  /* how often to look */
    STALL_LEAST_MS = 60 * 1000 /* between the beginnings of two that are told */
};

enum stall_cause {
    STALL_NONE,
    STALL_RECEIPT, /* the broker acknowledges, but no receipt comes from the city */
    STALL_REFUSED, /* the broker refuses, by its reason code */
    STALL_SILENT   /* the broker does not acknowledge */
};

enum stall_news { STALL_QUIET, STALL_BEGINS, STALL_ENDS };

struct stall {
    bool up[SYNC_LINKS];
    bool silent[SYNC_LINKS];
    bool owes[LANES];       /* acknowledged, and no receipt yet */
    int64_t owed_ms[LANES]; /* while connected, since the last receipt that moved it */
    int refusal[LANES];     /* an MQTT 5 reason code, 0 none */
    int64_t looked_ms;
    bool told;
    bool ever_told;
    int64_t told_ms;
    enum stall_cause cause; /* of what was told last, */
    enum talk_lane lane;    /* in which lane, */
    int reason;             /* with which reason code, 0 none */
};

void stall_begin(struct stall *stall, int64_t now_ms);
void stall_link(struct stall *stall, enum sync_link link, bool up, int64_t now_ms);
/* The broker's answer to a batch; `owes`: something that was sent is still without a receipt, which
 * may overtake the answer, for it comes over the other connection. */
void stall_acked(struct stall *stall, enum talk_lane lane, int reason, bool owes,
                 int64_t now_ms);
/* The city has more of the lane; `owes`: something acknowledged is still without a receipt. */
void stall_marked(struct stall *stall, enum talk_lane lane, bool owes, int64_t now_ms);
/* The connection was given up because no acknowledgement came. */
void stall_silent(struct stall *stall, enum sync_link link);

/* To be asked after each of the above, and every STALL_LOOK_MS. */
enum stall_news stall_look(struct stall *stall, int64_t now_ms);
/* The cause of what was told last, for people. */
void stall_why(const struct stall *stall, char why[TALK_STALL_MAX + 1]);

#endif
