/* opening - what the keeper stands on: its key and its journal, whatever has happened to them.
 *
 * No damage keeps the box from starting. A journal that is not what was committed is set aside whole
 * and a new log begins, which gets back what of the old one verifies (salvage.h); so does one whose
 * key is gone, since nobody could sign for it any more. What the log can do without is set aside
 * alone. Each is an alarm. Only a lack of rights, of memory or of disk is an error. */
#ifndef KEEPER_REPAIR_OPENING_H
#define KEEPER_REPAIR_OPENING_H

#include "keeper/children/group.h"
#include "keeper/config.h"
#include "keeper/journal/journal.h"

/* Whose keys of the store are the keeper's own: no instance can have that name. */
#define OPENING_OWN "@keeper"

struct opening {
    const struct config *config;
    const char *state; /* the state folder */
    struct key *key;
    struct key *city; /* whose receipts count; NULL: no city, or its key cannot be read */
    struct journal *journal;
    bool is_new_key;              /* made just now, though there had been one */
    char aside[JOURNAL_PATH_MAX]; /* where the journal before is now, or empty */
    struct buffer why;            /* and why */
};

/* Opens both. 0, or a negative errno that has been logged. */
int opening_run(struct opening *opening, const struct config *config, const char *state);
/* Records what was found, in the open group. 0 or a negative errno. */
int opening_record(struct opening *opening, struct group *group);
/* Whether the office's key is one that the city has not verified anything of yet, after the one
 * before was lost. */
bool opening_key_waits(struct journal *journal);
/* Not of key and journal. */
void opening_close(struct opening *opening);

#endif
