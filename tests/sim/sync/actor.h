/* actor - the programs of a simulation, and how they die.
 *
 * An actor's memory is what mem.h was asked for while it acted; when it dies, all of it goes, and
 * so does all that the clock had planned for it. It can die between two acts, or at any of the
 * points of an act where it touches the world. */
#ifndef SIM_ACTOR_H
#define SIM_ACTOR_H

#include <stdbool.h>
#include <stdint.h>

enum actor { ACTOR_WORLD, ACTOR_KEEPER, ACTOR_UPLINK, ACTOR_CITY, ACTORS };

/* Forgets everything of all; `died` is told, in the world's name, of each death within an act. */
void actor_begin(void (*died)(enum actor actor));

/* Calls fire(owner) in the name of the actor. */
void actor_act(enum actor actor, void (*fire)(void *owner), void *owner);
enum actor actor_now(void);

/* The actor dies at the so-and-so-manieth point from now. */
void actor_doom(enum actor actor, int points);
/* A point at which it may die; then this does not return. */
void actor_risk(void);
/* Memory and plans of the actor are gone. */
void actor_wipe(enum actor actor);

/* Memory of the world, until actor_begin(). */
void *actor_keep(const void *bytes, uint64_t length);

#endif
