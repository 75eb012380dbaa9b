/* change - one instance on its way from one version to another, and back when that is no good.
 *
 *   waits -> loads (canary.h) -> stops (the old one finishes what it is at) -> tries (trial.h)
 *     -> accepted
 *     -> leaves (the new one stops, or is killed) -> returned: the old one runs again
 *
 * The mark that a version is on trial is on disk before anything else (reload.c), so whatever ends the
 * keeper, the next one runs the version that was accepted. Store, cursors and journal are the same
 * for both, and only what was committed whole is in them: nothing is lost or done twice. A version
 * that comes where there was none returns to none. */
#ifndef KEEPER_VERSIONS_CHANGE_H
#define KEEPER_VERSIONS_CHANGE_H

#include "keeper/children/supervisor.h"
#include "keeper/versions/accepted.h"
#include "keeper/versions/trial.h"

/* One on trial that asks to be started again (exit 75: a commit was refused, or a device came that it
 * was not allowed yet) is, so often. */
enum { CHANGE_WHY_MAX = 480, CHANGE_AGAIN_MAX = 3 };

enum change_state {
    CHANGE_WAITS,
    CHANGE_LOADS,
    CHANGE_STOPS,
    CHANGE_TRIES,
    CHANGE_LEAVES,
    CHANGE_ACCEPTED, /* from here on it is over */
    CHANGE_RETURNED,
    CHANGE_REMOVED,
    CHANGE_STATES
};

struct change;

/* What all changes of a reload share. */
struct changes {
    struct loop *loop;
    struct supervisor *supervisor;
    struct group *group;
    struct accepted *accepted;
    const struct config *config; /* what is kept with the accepted versions */
    bool may_be_silent;          /* devices count for nothing in this reload */
    void (*moved)(void *owner, struct change *change); /* its state is another */
    void *owner;
};

struct change {
    struct changes *shared;
    enum change_state state;
    char instance[WORD_ID_MAX + 1];
    struct version *from; /* NULL: there is none yet */
    struct version *to;   /* NULL: it is removed */
    struct child *child;
    struct trial trial;
    struct pulse_rate former; /* of the old one's process, */
    struct pulse_rate before; /* and what of it the new one is held against */
    struct loop_timer look;
    int again;
    bool is_withdrawn; /* while the old one stops */
    enum trial_fault fault;
    char last_exit[32];
    char why[CHANGE_WHY_MAX + 1]; /* for people */
};

/* `child` runs the instance now, or NULL; `to` is held. It waits. */
void change_open(struct change *change, struct changes *shared, struct child *child,
                 struct version *to);
/* Whatever its state, nothing happens any more; what runs runs on. */
void change_close(struct change *change);

/* Goes on from where it waits: the canary was loaded, or (change_refuse) was not; or the instance is
 * removed. */
void change_begin(struct change *change);
void change_refuse(struct change *change, const char *why);
void change_remove(struct change *change);
/* Another reload comes instead: what is not decided is undone. A removal goes on. It is over then, or
 * soon. */
void change_withdraw(struct change *change);

bool change_is_over(const struct change *change);
/* "waiting", "starting", "on trial", "returning", "accepted", "returned"; "stopping", "removed". */
const char *change_state_name(const struct change *change);

/* Records plugin.returned, of a change or of a start. */
void change_record_return(struct group *group, const struct version *from,
                          const struct version *to, enum trial_fault fault,
                          const char *last_exit);

#endif
