/* restart - when a child that died comes back: a pure policy.
 *
 * At once the first time, then after 1 s, 2 s, ... 60 s; a minute of life starts anew. Five deaths
 * within ten minutes: quarantine, one try an hour, until one has lived a minute.
 *
 * Only deaths of its own doing count: whom somebody else killed comes back after a second, and who
 * ended because the journal took nothing (a full disk) waits longer each time, but is not to
 * blame. The uplink is never quarantined: a broker that talks nonsense can make the library that
 * reads it abort, and the city must not wait an hour for that. */
#ifndef KEEPER_CHILDREN_RESTART_H
#define KEEPER_CHILDREN_RESTART_H

#include <stdbool.h>
#include <stdint.h>

enum {
    RESTART_FIRST_MS = 1000,
    RESTART_MOST_MS = 60 * 1000,
    RESTART_GOOD_LIFE_MS = 60 * 1000,
    RESTART_DEATHS = 5,
    RESTART_WITHIN_MS = 10 * 60 * 1000,
    RESTART_QUARANTINE_MS = 60 * 60 * 1000
};

struct restart {
    int64_t deaths_us[RESTART_DEATHS]; /* monotonic, a ring */
    int count;                         /* deaths ever */
    int64_t delay_ms;                  /* the last delay */
    bool in_quarantine;
};

/* It died at `now_us` after living `life_us`: how long to wait. Sets in_quarantine. */
int64_t restart_after_death(struct restart *restart, int64_t now_us, int64_t life_us);

/* It ended because a commit was refused. */
int64_t restart_after_refusal(struct restart *restart, int64_t life_us);

/* It died, and is needed whatever makes it die: never quarantined, a minute at most. */
int64_t restart_needed(struct restart *restart, int64_t life_us);

/* Somebody who is not the keeper killed it. */
int64_t restart_after_kill(struct restart *restart);

#endif
