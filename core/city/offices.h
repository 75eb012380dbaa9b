/* offices - whose signature is believed: the public keys of the offices.
 *
 * With a file (one vkey line an office, named outpost/<office>; '#' begins a comment) only those
 * are believed. Without one the first key that an office shows is pinned in the database; another
 * one later is refused and is a finding. */
#ifndef CITY_OFFICES_H
#define CITY_OFFICES_H

#include <stdbool.h>

#include "city/store.h"
#include "proof/key.h"

enum { OFFICES_MAX = 65536, OFFICES_WHY_ROOM = 200 };

struct offices;

/* `path` may be NULL. On failure `why` names file and line. */
int offices_open(struct offices **out, struct store *store, const char *path,
                 char why[OFFICES_WHY_ROOM]);
void offices_close(struct offices *offices);

/* The office's key, or NULL; it belongs to `offices` until offices_forget(). */
const struct key *offices_key(struct offices *offices, const char *office);

enum offices_answer { OFFICES_KNOWN, OFFICES_PINNED, OFFICES_CHANGED, OFFICES_IGNORED };

/* The office shows a key line, within a transaction. */
int offices_show(struct offices *offices, const char *office, const char *verifier,
                 const char *now, enum offices_answer *answer);

/* After a rollback: what was pinned meanwhile was not. */
void offices_forget(struct offices *offices);

#endif
