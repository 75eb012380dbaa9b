/* freezer - a process that makes a blob and an event of what a ring holds: `host freeze`.
 *
 * The keeper itself looks into no ring. The process is its child with a line, and may do what that
 * takes: store a blob and commit the event `capture.recorded`. One runs at a time; of those that wait
 * each holds its ring, which may belong to a process that is dead by now. */
#ifndef KEEPER_CAPTURES_FREEZER_H
#define KEEPER_CAPTURES_FREEZER_H

#include <stdbool.h>
#include <sys/types.h>

#include "keeper/captures/reel.h"
#include "keeper/children/children.h"
#include "keeper/children/hearsay.h"

enum { FREEZER_MAX = 8, FREEZER_MS = 60 * 1000 };

struct freezer_order {
    int ring;
    struct buffer start; /* CONFIG of its START */
};

struct freezer {
    struct loop *loop;
    struct children *children;
    const char *libexec;
    struct config_event event;
    struct config_plugin plugin; /* as which it commits */
    struct json *start;          /* of the one that runs */
    struct peer peer;
    pid_t pid; /* 0: none runs, or it has been reaped */
    struct hearsay hearsay;
    bool is_out;
    struct loop_signal died;
    struct loop_timer deadline;
    struct loop_timer next;
    struct freezer_order orders[FREEZER_MAX]; /* the oldest first */
    int count;
};

void freezer_open(struct freezer *freezer, struct loop *loop, struct children *children,
                  const char *libexec);
/* Ends what runs and forgets what waits. */
void freezer_close(struct freezer *freezer);

struct loop *freezer_loop(const struct freezer *freezer);

/* What the reel's ring holds when the process begins; `who` may be NULL. 0, -EBUSY (too many wait), or
 * what duplicating met. */
int freezer_add(struct freezer *freezer, const struct reel *reel, const char *reason,
                const char *who);

#endif
