/* plugin - one running instance: its Lua state, its line to the keeper and all that it owns.
 *
 * Life: the keeper's START loads plugin.lua and runs its start() as a handler; when that has ended
 * and its effects are durable, timers and subscriptions begin. What cannot start ends the process
 * with one line that says why; so does a commit refused behind a handler that has returned,
 * because the plugin's memory would then know more than the journal. */
#ifndef HOST_INSTANCE_PLUGIN_H
#define HOST_INSTANCE_PLUGIN_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "base/word.h"
#include "host/boundary/budget.h"
#include "host/boundary/sandbox.h"
#include "host/instance/commit.h"
#include "host/instance/complaint.h"
#include "host/instance/keeperline.h"
#include "host/instance/metrics.h"
#include "host/instance/task.h"

enum { PLUGIN_NAME_ROOM = 2 * WORD_ID_MAX + 8, PLUGIN_SLOTS_MAX = 256 };

/* Exit codes: ended as told; cannot start; started anew from what is durable will do. */
enum { PLUGIN_ENDED = 0, PLUGIN_BROKEN = 1, PLUGIN_AGAIN = 75 };

struct boundary;
struct asked;
struct ticker;
struct subscription;
struct listener;

struct plugin {
    struct loop *loop;
    struct keeperline *line;
    struct commits commits;
    struct budget budget;
    struct sandbox sandbox;
    struct metrics metrics;
    struct boundary *boundary; /* raised when START comes; NULL: there is none */
    lua_State *L;
    char name[PLUGIN_NAME_ROOM]; /* "wristband gate", for logs */
    char *folder;
    char *library;
    int start_ref;   /* the function start, until it has begun */
    int config_ref;  /* what start gets as config */
    int host_ref;    /* the table host */
    int events_ref;  /* event type -> schema of its data */
    int actions_ref; /* name -> declaration */
    int views_ref;
    int self_ref; /* what start returned */
    struct task starting;
    struct commit start_commit;
    struct ticker *tickers;
    struct subscription *subscriptions;
    struct listener *listeners;
    int slots;           /* tickers, subscriptions and listeners there are */
    struct asked *asked; /* questions in work */
    int asked_count;
    struct complaint asked_complaint;
    bool started;
    bool was_refused; /* a commit was, so what fails next may be its doing */
    bool stopping;
    bool
        is_trial; /* set by who opens it: it is loaded, and ends well when that can be done */
    int64_t reads;     /* answers of devices, */
    int64_t unheard;   /* questions to them since the last one, without an answer, */
    int64_t raised;    /* and errors of handlers: for PONG */
    int64_t frozen_ms; /* when FREEZE was last said; 0: never */
    int exit_code;
    int log_tokens; /* lines the plugin may still log now */
    int64_t log_tokens_ms;
    struct loop_timer health;
    struct loop_timer stop;
    int stop_looks;
};

/* Takes over `fd`, the line to the keeper. */
int plugin_open(struct plugin *plugin, struct loop *loop, int fd);
void plugin_close(struct plugin *plugin);

/* Ends the loop; the program exits with `code`. */
void plugin_end(struct plugin *plugin, int code);

/* The plugin whose task runs on L; raises outside of a task. */
struct plugin *plugin_of(lua_State *L);

/* Logs and counts what a handler raised, once a minute when it repeats itself. */
void plugin_complain(struct plugin *plugin, struct complaint *complaint,
                     const char *handler, const char *why);
/* A device has answered, and well. Whoever binds a kind of device says so: by this the keeper tells
 * whether a new version of a plugin still reads what the old one did. */
void plugin_heard(struct plugin *plugin);
/* One that was asked has not answered, or has refused: a login, a request. Not of what merely waits for
 * devices that speak when they like. */
void plugin_unheard(struct plugin *plugin);

/* A handler that has returned cannot be told: ends the process. */
void plugin_refuse(struct plugin *plugin, const char *handler, const char *text);

/* Milliseconds since boot. */
int64_t plugin_now_ms(void);

#endif
