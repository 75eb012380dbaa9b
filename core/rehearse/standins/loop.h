/* loop - stands in for base/loop.c: the same promises, in the time of the rehearsal.
 *
 * File descriptors are real, timers are not: as long as something can be read or written the clock
 * stands still; when nothing can, it jumps to the next timer. */
#ifndef REHEARSE_STANDINS_LOOP_H
#define REHEARSE_STANDINS_LOOP_H

#include "base/loop.h"

#ifdef SMALL_BOUNDS
enum { LOOP_STILL_MAX = 2000 };
#else
enum { LOOP_STILL_MAX = 100000 };
#endif

enum loop_end {
    LOOP_PLAYED,  /* it is so late, and nothing is left to do now */
    LOOP_STOPPED, /* loop_stop() was called */
    LOOP_ENOUGH,  /* `enough` became true */
    LOOP_STILL    /* LOOP_STILL_MAX things happened, and the clock never moved */
};

/* Plays until that time since boot. What is due then is played too. `enough` may be NULL. */
enum loop_end loop_play(struct loop *loop, int64_t until_us, const bool *enough);

#endif
