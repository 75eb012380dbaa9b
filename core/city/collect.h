/* collect - the heart of the city: messages of the offices in, rows and receipts out.
 *
 * Messages gather in one transaction; collect_commit() ends it, verifies what can be verified, and
 * then tells for every office concerned its receipt. An event is known by (office, log, seq): one
 * that comes again is ignored, one that comes again with other bytes is a finding, and the first
 * stays. A batch that cannot be read is kept as evidence of that and stops nothing.
 *
 * Knows no broker and no loop. */
#ifndef CITY_COLLECT_H
#define CITY_COLLECT_H

#include <stdbool.h>
#include <stddef.h>

#include "city/offices.h"
#include "city/store.h"
#include "mqtt/mqtt.h"
#include "proof/key.h"

enum {
    COLLECT_EVENTS = 8192, /* in one transaction; then it is time to commit */
    COLLECT_LOGS = 256,    /* with news in one transaction */
    COLLECT_RUNS = 4096, /* ahead of what is missing, of one lane; more must come again */
    COLLECT_BUDGET = 4096 /* events verified for one log at one commit */
};

struct collect;

struct collect_calls {
    /* A receipt to be published, retained; `began`: the first of this process. */
    void (*receipt)(void *owner, const char *office, const void *note, size_t length,
                    bool began);
};

/* Everything is borrowed until collect_close(). */
void collect_open(struct collect **out, struct store *store, struct offices *offices,
                  const struct key *key, const struct collect_calls *calls, void *owner);
void collect_close(struct collect *collect);

/* Takes one message. 0, also when it was refused and noted; or the errno of storing: then nothing
 * since the last commit is kept, and no receipt will speak of it. */
int collect_message(struct collect *collect, const struct mqtt_message *message);

/* Whether it is time to commit, and whether there is anything to do for collect_commit(). */
bool collect_is_full(const struct collect *collect);
bool collect_has_work(const struct collect *collect);

/* Verifies, commits, tells receipts. What is left to verify makes collect_has_work() true again. */
int collect_commit(struct collect *collect);

/* Commits what is open, and tells the receipt of every office's newest log, marked as the first of
 * this process, so that the offices send again what a broker took but this city never stored. */
int collect_begin(struct collect *collect);

#endif
