/* supervisor - starts the children, restarts the dead, kills the hung, stops all in order.
 *
 * A host for each plugin instance; the appliance's own programs: the uplink when there is a city, and
 * the courier when files go there. A child that does not
 * answer PING in time is killed; when it dies comes back by the policy of restart.h, unless
 * somebody has asked to decide (`ended`), as a reload does. */
#ifndef KEEPER_CHILDREN_SUPERVISOR_H
#define KEEPER_CHILDREN_SUPERVISOR_H

#include <sys/types.h>

#include "keeper/captures/reel.h"
#include "keeper/children/children.h"
#include "keeper/children/hearsay.h"
#include "keeper/children/restart.h"
#include "keeper/versions/pulse.h"
#include "keeper/versions/version.h"

enum {
    SUPERVISOR_PING_MS = 5000,
    SUPERVISOR_HOST_SILENCE_MS = 15 * 1000,
    SUPERVISOR_OWN_SILENCE_MS = 60 * 1000, /* the uplink may wait for a name server */
    SUPERVISOR_LINGER_MS = 1000,           /* between the end of its line and its own */
    SUPERVISOR_STOP_MS = 3000,
    SUPERVISOR_OWN_MAX = 2, /* uplink and courier */
    SUPERVISOR_YOUNG_MS = 60 * 1000,
    SUPERVISOR_UNHEARD =
        3, /* questions in a row: so many without an answer, and it is away */
    SUPERVISOR_EXIT_AGAIN = 75 /* EX_TEMPFAIL: a commit was refused */
};

struct child {
    struct supervisor *supervisor;      /* NULL: the place is free */
    struct version *version;            /* of a host */
    const struct config_plugin *plugin; /* of the version; NULL: one of our own */
    struct peer peer;
    struct reel reel;       /* of a host */
    struct hearsay hearsay; /* the same */
    pid_t pid;              /* 0 while it does not run */
    int64_t started_us;
    int starts;
    struct restart restart;
    struct pulse pulse;
    struct pulse_rate former; /* of the last process whose devices answered */
    struct loop_timer again;
    struct loop_timer linger; /* its line is over, its end is awaited */
    struct loop_timer halt;   /* it was told to stop */
    bool killed;              /* by the keeper */
    char last_exit[32];
    /* It has ended, whyever: what happens is the owner's business. NULL: restart.h decides. Not
     * called once its role is being stopped. */
    void (*ended)(struct child *child);
    void *owner;
};

struct supervisor {
    struct loop *loop;
    struct children *children;
    struct group *group;
    struct freezer
        *freezer; /* set before the first is added; NULL: nothing is recorded */
    char libexec[4096];
    struct child child[CONFIG_PLUGINS_MAX + SUPERVISOR_OWN_MAX];
    size_t count; /* places that have been used */
    struct loop_signal died;
    struct loop_timer ping;
    struct loop_timer deadline;
    /* A host would be quarantined: true when something else has been done. NULL: nobody is asked. */
    bool (*quarantines)(void *owner, struct child *child);
    void *quarantines_owner;
    int stopping; /* roles that are being stopped, or have been */
    void (*stopped)(void *owner);
    void *owner;
};

void supervisor_open(struct supervisor *supervisor, struct loop *loop,
                     struct children *children, struct group *group, const char *libexec);
/* Kills what still runs. */
void supervisor_close(struct supervisor *supervisor);

/* Starts a host of that version, which it holds. NULL beyond CONFIG_PLUGINS_MAX children. */
struct child *supervisor_add(struct supervisor *supervisor, struct version *version);
/* Starts the uplink or the courier. */
struct child *supervisor_add_own(struct supervisor *supervisor, enum peer_role role);
/* The host of that instance, the uplink, the courier; NULL when there is none. */
struct child *supervisor_find(struct supervisor *supervisor, const char *instance);
struct child *supervisor_find_own(struct supervisor *supervisor, enum peer_role role);
/* Watches those there are, and will be. */
void supervisor_watch(struct supervisor *supervisor);

/* How often its devices answered lately: now, or, while it is too young for that, before. */
struct pulse_rate supervisor_rate(struct child *child);

/* Asks one child to stop, and kills it after SUPERVISOR_STOP_MS; `ended`, which must be set, is told:
 * from the loop, or at once when it does not run. */
void supervisor_halt(struct child *child);
/* Kills one child that is beyond asking; `ended` is told as above. */
void supervisor_kill(struct child *child);
/* One that does not run is started: with another version, or (NULL) with its own. */
void supervisor_renew(struct child *child, struct version *version);
/* The same, when another was tried meanwhile, whose devices are no measure for this one's: `former` is
 * what supervisor_rate() said of it before. */
void supervisor_restore(struct child *child, struct version *version,
                        const struct pulse_rate *former);
/* One that does not run is forgotten. */
void supervisor_drop(struct child *child);

/* Asks the children of these roles to stop, kills them after SUPERVISOR_STOP_MS, then calls
 * `stopped`: from the loop, or at once when none of them runs. */
void supervisor_stop(struct supervisor *supervisor, int roles,
                     void (*stopped)(void *owner), void *owner);

/* "running", "starting", "waiting", "quarantined" or "stopped". */
const char *supervisor_state(const struct child *child);

#endif
