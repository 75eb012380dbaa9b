/* wallclock - the clock on the wall, watched against the monotonic one.
 *
 * What each event says of its time was true when it was recorded, and stays. When the clock is set
 * that is an event, and when it is right at last after it was not, another one tells how the
 * monotonic times of this boot translate. Slewing moves both clocks alike and is no jump.
 *
 *   clock.jumped     from, to (what it would have shown, what it shows), seconds
 *   clock.corrected  boot, mono, utc: at `mono` of this boot it was `utc` */
#ifndef KEEPER_WALLCLOCK_H
#define KEEPER_WALLCLOCK_H

#include "base/now.h"
#include "keeper/children/group.h"

enum { WALLCLOCK_LOOK_MS = 1000, WALLCLOCK_JUMP_US = 1000 * 1000 };

/* What the clocks show at one moment. */
struct wallclock_sight {
    int64_t utc_us;
    int64_t mono_us;
    enum now_quality quality;
};

/* What has been said of the clock. */
struct wallclock_word {
    bool knows; /* offset_us is known */
    int64_t
        offset_us;  /* UTC minus monotonic, as the events since the last jump have it */
    bool was_wrong; /* events of this boot were recorded by a clock that was not right */
};

struct wallclock {
    struct loop *loop;
    struct group *group;
    struct loop_timer look;
    struct loop_watch set; /* the kernel says that somebody has set the clock */
    int fd;                /* -1: it cannot say so; the timer finds out */
    struct wallclock_word word, kept; /* with the open group; as committed */
};

/* Reads back what the newest events say of this boot's clock, and lifts the floor of now.h to the
 * newest time that was synchronised and to that of the city's receipt. Records nothing. */
void wallclock_open(struct wallclock *wallclock, struct loop *loop, struct group *group);
/* Looks from the next turn of the loop on. */
void wallclock_start(struct wallclock *wallclock);
void wallclock_close(struct wallclock *wallclock);

/* Records what is to be said of this sight. */
void wallclock_look(struct wallclock *wallclock, const struct wallclock_sight *sight);
/* The open group has been committed, or (err) undone: then the next look says it again. */
void wallclock_committed(struct wallclock *wallclock, int err);

#endif
