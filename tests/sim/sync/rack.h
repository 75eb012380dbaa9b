/* rack - how the city's disk is kept in memory: between shelf.c and store.c only.
 *
 * Invariant: `rack_now` is what was committed last; `rack_open` is what the transaction under way
 * would make of it. Bodies and notes belong to the world and never change, so that a copy of the
 * state is a copy of everything. */
#ifndef SIM_RACK_H
#define SIM_RACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ledger.h"
#include "shelf.h"

enum {
    RACK_RUNS = LEDGER_EVENTS,
    RACK_TILES = LEDGER_EVENTS / 256 + 1,
    RACK_FINDINGS = 8,
    RACK_TIME_ROOM = 32
};

struct blob {
    const char *bytes;
    size_t length;
};

struct run {
    int64_t prev, last;
};

struct record {
    char name[LEDGER_NAME_ROOM];
    char touched[RACK_TIME_ROOM];
    char suite[32];
    int64_t size;
    struct blob edge, verified, aim, newest;
    bool broken;
    struct blob tiles[RACK_TILES];
    int64_t marks[LANES];
    unsigned run_count[LANES];
    struct run runs[LANES][RACK_RUNS];
    const struct shelf_row *rows[LEDGER_EVENTS];
};

struct finding {
    char kind[12], log[LEDGER_NAME_ROOM];
    int64_t seq;
};

struct state {
    unsigned rejected, finding_count;
    struct finding findings[RACK_FINDINGS];
    bool office_known;
    struct blob verifier, status, early;
    unsigned arrival_count;
    uint16_t arrivals[LEDGER_LOGS * LEDGER_EVENTS]; /* log * LEDGER_EVENTS + seq */
    unsigned count;
    struct record records[LEDGER_LOGS];
};

extern struct state rack_now, rack_open;

void rack_copy(struct state *to, const struct state *from);
struct record *rack_find(struct state *state, const char *log);

#endif
