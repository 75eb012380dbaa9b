/* checker - what must always hold, whatever happens; the first time it does not ends the seed. */
#ifndef SIM_CHECKER_H
#define SIM_CHECKER_H

#include <stdbool.h>
#include <stdint.h>

#include "cable.h"
#include "ledger.h"

void checker_begin(void);

/* Something must not have been: keeps the first words of it. */
void checker_violated(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* What was violated, or NULL. */
const char *checker_verdict(void);

/* A client has published a message; so many of its publishes are without PUBACK now. */
void checker_published(enum road road, const struct letter *letter, unsigned flying);
/* The city's disk holds a new state; `news` events are in it for the first time. */
void checker_stored(void);
/* The office has committed, or has learned what the city has. */
void checker_marked(void);

/* Whether the city has all that the office still holds, and the office knows it. */
bool checker_is_synced(void);
/* Whether it has verified all that the office has signed; always, once a body is erased. */
bool checker_is_verified(void);
/* The events of the newest log that the city should have and has not. */
int64_t checker_missing(void);
/* At the end: every row of the city's, compared and counted. */
void checker_count(void);

#endif
