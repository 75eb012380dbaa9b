/* canary - a new version, loaded and nothing else, before anybody is touched for it.
 *
 * `host trial` gets the START of the version, is confined as a host is, loads manifest and modules,
 * and ends; start() is not run, so no device is met, and its role lets it say nothing that would
 * change anything. One at a time; it has CANARY_LOAD_MS. */
#ifndef KEEPER_VERSIONS_CANARY_H
#define KEEPER_VERSIONS_CANARY_H

#include "keeper/children/children.h"
#include "keeper/children/hearsay.h"
#include "keeper/versions/version.h"

enum { CANARY_LOAD_MS = 10 * 1000, CANARY_WHY_MAX = PEER_COMPLAINT_MAX };

struct canary {
    struct loop *loop;
    struct children *children;
    const char *libexec;
    struct version *version;
    struct peer peer;
    pid_t pid; /* 0: none runs, or it has been reaped */
    struct hearsay hearsay;
    int status;
    bool is_late;
    struct loop_signal died;
    struct loop_timer deadline;
    void (*over)(void *owner, int err, const char *why);
    void *owner;
};

void canary_open(struct canary *canary, struct loop *loop, struct children *children,
                 const char *libexec);
/* Ends what runs; `over` is not called. */
void canary_close(struct canary *canary);

/* Begins; `over` is called once from the loop: 0, or -ECHILD and why in words. */
int canary_start(struct canary *canary, struct version *version,
                 void (*over)(void *owner, int err, const char *why), void *owner);
bool canary_is_out(const struct canary *canary);

#endif
