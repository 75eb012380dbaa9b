/* turn - what the simulation is told by the loops of its programs (loop.c), and the hands of
 * their wall clocks. */
#ifndef SIM_TURN_H
#define SIM_TURN_H

#include "actor.h"

/* Called by loop_run(); the program ends when it returns. */
void turn_on_run(void (*wait)(void));
/* Called in the world's name after an actor's loop_stop(). */
void turn_on_stop(enum actor actor, void (*end)(void *owner));
/* SIGTERM, or what else the actor waits for. */
void turn_signal(enum actor actor);
/* How wrong an actor's wall clock is. */
void turn_set_utc(enum actor actor, int64_t offset_us);

#endif
