/* keeper - the heart: its parts, opened bottom-up, and how they end in order. */
#ifndef KEEPER_KEEPER_H
#define KEEPER_KEEPER_H

#include "keeper/blobs/blobs.h"
#include "keeper/blobs/parcels.h"
#include "keeper/blobs/recheck.h"
#include "keeper/blobs/viewing.h"
#include "keeper/captures/freezer.h"
#include "keeper/children/children.h"
#include "keeper/children/group.h"
#include "keeper/children/link.h"
#include "keeper/children/router.h"
#include "keeper/children/supervisor.h"
#include "keeper/config.h"
#include "keeper/control/asking.h"
#include "keeper/control/control.h"
#include "keeper/journal/journal.h"
#include "keeper/journal/upkeep.h"
#include "keeper/repair/opening.h"
#include "keeper/repair/salvage.h"
#include "keeper/space/storage.h"
#include "keeper/versions/reload.h"
#include "keeper/wallclock.h"

struct keeper {
    const struct config *config;   /* that of the start, or of a reload */
    const char *state;             /* the state folder */
    char folder[JOURNAL_PATH_MAX]; /* the same, absolute */
    int lock;                      /* file descriptor, -1 none */
    int64_t started_us;
    int exit_code;
    bool is_stopping;
    int failed; /* why the last group was not committed, 0 it was */
    struct loop *loop;
    struct opening opening;
    struct key *key;         /* of the opening */
    struct journal *journal; /* the same */
    struct group group;
    struct router router;
    struct link link;
    struct storage storage;
    struct blobs blobs;
    struct viewing viewing;
    struct recheck recheck;
    struct parcels parcels;
    struct upkeep upkeep;
    struct salvage salvage;
    struct scrub scrub;
    struct wallclock wallclock;
    struct children children;
    struct asking asking;
    struct supervisor supervisor;
    struct freezer freezer;
    struct reload reload;
    struct control control;
    struct loop_signal terminate;
    struct loop_signal interrupt;
};

/* Opens everything and starts the children; 0 or a negative errno that has been logged. */
int keeper_open(struct keeper *keeper, const struct config *config, const char *state,
                const char *libexec);
/* Runs until a signal or damage ends it; returns the program's exit code. */
int keeper_run(struct keeper *keeper);
void keeper_close(struct keeper *keeper);

#endif
