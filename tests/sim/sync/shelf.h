/* shelf - the city's disk: what is committed there, and its backups.
 *
 * A transaction (store.c) is a copy that takes the place of the state when it is committed; a
 * crash forgets the copy; a backup is a state that was committed once. */
#ifndef SIM_SHELF_H
#define SIM_SHELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/talk.h"

struct shelf_row {
    int64_t seq, prev;
    enum talk_lane lane;
    size_t length;
    const char *body;
};

void shelf_begin(void);

/* Keeps the committed state; the newest few are kept. */
void shelf_back_up(void);
/* The city goes on from some backup, or from nothing. */
void shelf_restore(void);

/* Of the committed state. A log that is not there: -1, NULL, 0. */
int64_t shelf_mark(const char *log, enum talk_lane lane);
const struct shelf_row *shelf_row(const char *log, int64_t seq);
int64_t shelf_verified(const char *log);
unsigned shelf_rejected(void);
/* What must not be, in words; NULL when there is nothing. `missing`: also what never came. */
const char *shelf_finding(bool missing);
/* Calls `each` for every row in the order of arrival. */
void shelf_each_row(void (*each)(const char *log, const struct shelf_row *row));

#endif
