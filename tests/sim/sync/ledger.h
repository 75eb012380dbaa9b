/* ledger - what was committed at the office: the truth that everything is counted against.
 *
 * Written by the office's disk when a transaction is on it, and by nobody else. */
#ifndef SIM_LEDGER_H
#define SIM_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "proof/suite.h"
#include "wire/talk.h"

enum { LEDGER_EVENTS = 256, LEDGER_LOGS = 4, LEDGER_NAME_ROOM = 16 };

#define LEDGER_OFFICE "office-1"

struct ledger_event {
    enum talk_lane lane;
    bool erased; /* its body is gone, and may never have reached the city */
    const char *body;
    size_t length;
    struct digest leaf;
    struct digest root; /* of the tree that ends with it */
    int64_t committed_us;
};

struct ledger_log {
    char name[LEDGER_NAME_ROOM];
    int64_t size;
    int64_t erased;
    struct ledger_event events[LEDGER_EVENTS];
};

void ledger_begin(void);
/* A new log, which is the newest one from now on; NULL when there are LEDGER_LOGS. */
struct ledger_log *ledger_add(void);
struct ledger_log *ledger_newest(void);
/* NULL: no office ever had it. */
struct ledger_log *ledger_find(const char *name);

/* The last event of the lane before `seq` whose body is there; -1 none. */
int64_t ledger_before(const struct ledger_log *log, enum talk_lane lane, int64_t seq);

#endif
