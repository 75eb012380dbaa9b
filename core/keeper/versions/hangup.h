/* hangup - SIGHUP: the configuration is applied as `outpost reload --no-wait` does it, by that program.
 *
 * One at a time; a signal that comes while one goes on is answered by another one behind it. What does not
 * check changes nothing, and is said. */
#ifndef KEEPER_VERSIONS_HANGUP_H
#define KEEPER_VERSIONS_HANGUP_H

#include <stdbool.h>

#include "base/loop.h"
#include "keeper/journal/errand.h"

struct hangup {
    struct loop *loop;
    struct loop_signal signal;
    struct errand errand;
    const char *program; /* outpost; NULL: nothing is done, and the signal does no harm */
    const char *config;
    const char *state;
    bool again;
};

/* The texts are borrowed until hangup_stop(). */
void hangup_start(struct hangup *hangup, struct loop *loop, const char *program,
                  const char *config, const char *state);
void hangup_stop(struct hangup *hangup);

#endif
