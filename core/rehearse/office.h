/* office - a rehearsal: the real host with one plugin, and around it an office that is all doubles.
 *
 * The plugin, its tasks, its limits, its line are the host's own. Time, the keeper and the devices are
 * in the hands of the test. The process of the plugin may die and come back; what is durable stays.
 *
 * One office plays at a time, because a host has one budget in a process: opening one ends the one
 * before. No call of this file may come from inside office_play() but the office_*_here() ones and
 * those that only look. */
#ifndef REHEARSE_OFFICE_H
#define REHEARSE_OFFICE_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "host/instance/plugin.h"
#include "host/modbus/busurl.h"
#include "rehearse/fate.h"
#include "rehearse/keeper.h"
#include "rehearse/ledger.h"
#include "rehearse/post.h"
#include "rehearse/trace.h"
#include "rehearse/unrecorded.h"
#include "rehearse/wire.h"

enum {
    OFFICE_DEVICES_MAX = 32,
    OFFICE_URL_ROOM = 256,
    OFFICE_ERRORS_MAX = 100,
    OFFICE_AGAIN_MS = 1000,  /* so long after its death the process starts again */
    OFFICE_STOP_MS = 3000,   /* it has to end in order within */
    OFFICE_ANSWER_MS = 30000 /* it has to answer within */
};

struct office_device {
    char url[OFFICE_URL_ROOM];
    struct busurl bus; /* when the url is one of a field bus */
    int ref;           /* the double, a table in the registry of the test */
};

struct office {
    struct loop *loop;
    struct plugin plugin;
    struct keeper keeper;
    struct ledger ledger;
    struct blobs blobs;
    struct fate fate;
    struct trace trace;
    struct wires wires;
    struct post post;
    struct buffer start; /* CONFIG of START; set before office_begin() */
    struct office_device devices[OFFICE_DEVICES_MAX];
    int device_count;
    struct loop_timer again;
    lua_State *L;     /* of the test, while it plays */
    bool lives;       /* the process does */
    bool ended;       /* the office is over */
    bool gone;        /* the process has ended in order, as asked */
    int deaths;       /* of the process, none of which was asked for by STOP */
    char *fault;      /* why the rehearsal cannot go on, or NULL */
    char *last_error; /* the last line that was logged as an error */
    char *errors[OFFICE_ERRORS_MAX]; /* what handlers raised, but for refusals */
    int error_count;
    long counted_errors; /* by the process that runs now */
    long raised;         /* how many errors there were */
    bool is_replay;      /* there are no devices, only what was recorded of them */
    bool has_recording;  /* and of some that was */
    struct unrecorded unrecorded;
};

/* The wall clock shows `utc_us`. Ends the office before. */
void office_open(struct office **out, int64_t utc_us);
void office_close(struct office *office);

/* The office that plays, or NULL. */
struct office *office_current(void);

/* 0, -EINVAL and what is wrong in `why`, or -E2BIG. */
int office_add_device(struct office *office, const char *url, int ref, char *why,
                      size_t room);
/* On a field bus, or the server whose url begins the one that is asked; NULL when nobody is there. */
const struct office_device *office_device_on(const struct office *office,
                                             const struct busurl *bus);
/* By its whole name without what stands behind "?". */
const struct office_device *office_device_named(const struct office *office,
                                                const char *name);
const struct office_device *office_device_at(const struct office *office,
                                             const char *url);

/* Starts the process and plays what happens at once. The following: NULL, or why the rehearsal
 * cannot go on (it cannot ever, after that). L is the test's. */
const char *office_begin(struct office *office, lua_State *L);
/* Plays so long, or until an event of the plugin becomes durable; how much is left in *left_us. */
const char *office_play(struct office *office, lua_State *L, int64_t us, bool until_news,
                        int64_t *left_us);
/* Asks the plugin, and plays until it has answered, at most as long as the keeper waits: the answer is
 * in keeper.question. */
const char *office_ask(struct office *office, lua_State *L, const char *type,
                       const char *name, const struct buffer *params,
                       const struct buffer *who);
/* Ends the process in order, or at once, and starts it again. */
const char *office_restart(struct office *office, lua_State *L, bool in_order);
/* Ends it for good. What happened can still be looked at. */
void office_end(struct office *office);

/* ---- From inside: what a double or the host's own code says. */

/* Whether the process dies here; then nothing that it does is seen any more. */
bool office_strikes_here(struct office *office, enum fate_step step, bool after);
/* Somebody asked for a device that there is not: in a replay that is counted. */
void office_missed_here(struct office *office, const char *url);
/* The test itself is wrong: the rehearsal ends with this. */
void office_fail_here(struct office *office, const char *why);
/* Runs `converse` in the test's Lua, with `exchange` as its light userdata argument. False when it
 * raised: then the rehearsal ends with that. */
bool office_ask_here(struct office *office, lua_CFunction converse, void *exchange);

#endif
