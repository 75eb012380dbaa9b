/* audit - `outpost-city verify`: everything stored is checked once more, offline.
 *
 * Each event's row must say what its body says; each body up to the verified size must have the
 * leaf that was verified; the leaves, and the hashes that the office gave in place of those it
 * erased, must make the root of every stored checkpoint; and the office must have signed those. */
#ifndef CITY_AUDIT_H
#define CITY_AUDIT_H

#include <stdint.h>

#include "base/word.h"
#include "city/offices.h"
#include "city/store.h"

enum { AUDIT_WHAT_ROOM = 240 };

struct audit_report {
    int64_t logs, events, verified;
    int64_t erased; /* never came, because the office had erased them */
    int64_t
        beneath; /* came, but stand beneath a hash in place of erased ones: not verified */
    /* What was found when it came: all of it, and "2 missing, 1 root". */
    int64_t findings;
    char kinds[AUDIT_WHAT_ROOM];
    /* The first bad place, when there is one. */
    char office[WORD_ID_MAX + 1];
    char log[WORD_ID_MAX + 1];
    int64_t seq;
    char what[AUDIT_WHAT_ROOM];
};

/* What was erased of one log. */
struct audit_erased {
    const char *office, *log;
    int64_t events; /* that never came */
    struct store_orders by;
};

/* `erased` is told of each log of which something was; or NULL. 0: what is stored is as it was verified (findings there may be); -EBADMSG: report->what says what is not; else the errno of reading. */
int audit_database(struct audit_report *report, struct store *store,
                   struct offices *offices,
                   void (*erased)(const struct audit_erased *erased));

int audit_run(int argc, char **argv);

#endif
