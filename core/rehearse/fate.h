/* fate - what a test has decreed to go wrong: where the process dies, which commits are refused.
 * Pure. A zeroed struct fate lets everything be. */
#ifndef REHEARSE_FATE_H
#define REHEARSE_FATE_H

#include <stdbool.h>

/* What the process does that others see: it sends a commit, it asks a device. */
enum fate_step { FATE_COMMIT = 1, FATE_READ = 2, FATE_WRITE = 4 };

enum { FATE_TEXT_ROOM = 200 };

struct fate {
    int steps; /* 0: no death is decreed */
    bool after;
    int nth;
    bool struck; /* the process is dead, whether it knows it or not */
    int refusals;
    char refusal[FATE_TEXT_ROOM];
};

/* The process dies before or after the nth from now of these steps. */
void fate_decree(struct fate *fate, int steps, bool after, int nth);
/* This step begins, or is over: whether the process is dead now. */
bool fate_strikes(struct fate *fate, enum fate_step step, bool after);

/* So many of the next commits are refused with this text. */
void fate_refuse(struct fate *fate, int times, const char *text);
/* Why this commit is refused, or NULL. */
const char *fate_refusal(struct fate *fate);

const char *fate_step_name(enum fate_step step);

#endif
