/* reload - `outpost reload`: a new configuration, or new code, while the keeper runs.
 *
 * A reader says RELOAD with a configuration that has been checked. Snapshots of all code that it names
 * are taken by an errand; versions are compared; an instance whose version is the same is not touched
 * at all. The others change one by one (change.h): each is loaded by the canary, one at a time, and is
 * then on trial by itself. What office, storage or the city's key would need is refused before
 * anything is touched; another line to the city starts the uplink anew.
 *
 * One reload at a time. One that comes meanwhile waits its turn, or ends the other (INSTEAD), whose
 * undecided changes are then undone; of those that wait the newest is taken. A reload goes on when who
 * asked goes away, and ends, undecided changes not accepted, when the keeper stops. */
#ifndef KEEPER_VERSIONS_RELOAD_H
#define KEEPER_VERSIONS_RELOAD_H

#include "keeper/journal/errand.h"
#include "keeper/versions/canary.h"
#include "keeper/versions/change.h"
#include "keeper/versions/lineup.h"
#include "keeper/versions/outcome.h"

/* Whoever has said a part of a configuration says the rest within this. */
enum { RELOAD_HEAR_MS = 10 * 1000 };

enum reload_phase {
    RELOAD_RESTS,
    RELOAD_KEEPS, /* snapshots are taken */
    RELOAD_WORKS
};

/* Who asks for one. */
struct reload_call {
    struct peer *reader; /* NULL: gone */
    uint32_t id;
    bool may_be_silent;
};

/* What is being heard, or waits its turn. */
struct reload_wish {
    bool is_there;
    bool is_whole;
    struct reload_call call;
    struct buffer parts;
};

struct reload {
    enum reload_phase phase;
    const char *state;
    const struct config *current;
    struct config *taken; /* the current one, when it came by a reload */
    struct config *next;
    struct reload_call call; /* of the one under way */
    struct reload_wish wish;
    struct loop_timer patience; /* with a wish that is not whole */
    struct outcome outcome;     /* of the last one */
    struct errand errand;
    struct canary canary;
    struct changes changes;
    struct accepted accepted;
    struct change change[2 * CONFIG_PLUGINS_MAX];
    size_t count;
    size_t loading; /* the change that the canary is out for */
    struct loop_rest rest;
    bool is_stopped;
    /* Another configuration is the current one. */
    void (*took)(void *owner, const struct config *config);
    void *owner;
};

/* Nothing is read or written yet. `state` is the absolute state folder. */
void reload_open(struct reload *reload, struct supervisor *supervisor,
                 const struct config *config, const char *state);
void reload_close(struct reload *reload);

/* Starts what the configuration asks for: accepted.h says which versions. */
void reload_start(struct reload *reload);
/* The keeper stops: nothing more is changed. */
void reload_stop(struct reload *reload);

/* RELOAD came. 0, or -EPROTO. */
int reload_hear(struct reload *reload, struct peer *peer, const struct frame *frame);
void reload_forget(struct reload *reload, const struct peer *peer);

/* Appends how it goes and how the last one ended, as one JSON object. */
void reload_print(const struct reload *reload, struct buffer *out);

#endif
