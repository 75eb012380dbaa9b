/* clock - virtual time, and what shall happen when: the scheduler of a simulation.
 *
 * Nothing happens but from clock_step(), one thing at a time, in the order of its time. Each thing
 * happens in the name of an actor: memory that is asked for meanwhile is the actor's, and an actor
 * that dies in the middle of it (actor_risk()) ends it. */
#ifndef SIM_CLOCK_H
#define SIM_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "actor.h"

enum { CLOCK_SECOND = 1000 * 1000, CLOCK_MS = 1000 };

void clock_begin(void);

int64_t clock_us(void);

/* Plans a call at that time (now, when it has passed); a ticket that is never 0. */
uint64_t clock_at(int64_t at_us, enum actor actor, void (*fire)(void *owner),
                  void *owner);
uint64_t clock_after(int64_t us, enum actor actor, void (*fire)(void *owner),
                     void *owner);
/* 0 and tickets that are over are fine. */
void clock_cancel(uint64_t ticket);
/* Cancels all that is planned for an actor. */
void clock_forget(enum actor actor);

/* Lets the next thing happen; false when nothing is planned. */
bool clock_step(void);
uint64_t clock_steps(void);

#endif
