/* supervisor - starts the children, restarts the dead, kills the hung, stops all in order.
 *
 * A host for each plugin instance, and the uplink when there is a city. A child that does not
 * answer PING in time is killed; when it dies comes back by the policy of restart.h. */
#ifndef KEEPER_SUPERVISOR_H
#define KEEPER_SUPERVISOR_H

#include <sys/types.h>

#include "keeper/children.h"
#include "keeper/restart.h"

enum {
    SUPERVISOR_PING_MS = 5000,
    SUPERVISOR_HOST_SILENCE_MS = 15 * 1000,
    SUPERVISOR_UPLINK_SILENCE_MS = 60 * 1000, /* it may wait for a name server */
    SUPERVISOR_LINGER_MS = 1000, /* between the end of its line and its own */
    SUPERVISOR_STOP_MS = 3000,
    SUPERVISOR_EXIT_AGAIN = 75 /* EX_TEMPFAIL: a commit was refused */
};

struct child {
    struct supervisor *supervisor;
    const struct config_plugin *plugin; /* NULL: the uplink */
    struct peer peer;
    pid_t pid; /* 0 while it does not run */
    int64_t started_us;
    int starts;
    struct restart restart;
    struct loop_timer again;
    struct loop_timer linger; /* its line is over, its end is awaited */
    bool killed;              /* by the keeper */
    char last_exit[32];
};

struct supervisor {
    struct loop *loop;
    struct children *children;
    struct group *group;
    char libexec[4096];
    struct child child[CONFIG_PLUGINS_MAX + 1];
    size_t count;
    struct loop_signal died;
    struct loop_timer ping;
    struct loop_timer deadline;
    int stopping; /* roles that are being stopped, or have been */
    void (*stopped)(void *owner);
    void *owner;
};

void supervisor_open(struct supervisor *supervisor, struct loop *loop,
                     struct children *children, struct group *group, const char *libexec);
/* Kills what still runs. */
void supervisor_close(struct supervisor *supervisor);

void supervisor_start(struct supervisor *supervisor, const struct config *config);

/* Asks the children of these roles to stop, kills them after SUPERVISOR_STOP_MS, then calls
 * `stopped`: from the loop, or at once when none of them runs. */
void supervisor_stop(struct supervisor *supervisor, int roles,
                     void (*stopped)(void *owner), void *owner);

/* "running", "starting", "waiting", "quarantined" or "stopped". */
const char *supervisor_state(const struct child *child);

#endif
