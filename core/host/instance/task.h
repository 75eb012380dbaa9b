/* task - a plugin's handler in a coroutine: straight code that may wait.
 *
 *     handler -> binding -> task_park() -> loop ... -> task_wake() -> finish()
 *
 * A task belongs to one timer, subscription or start and runs one handler at a time, again and
 * again in the same coroutine. Results are pushed by `finish`, inside the coroutine, never by who
 * wakes. What a binding waits for is a userdata on the waiting coroutine's own stack: closing the
 * plugin collects and cancels it. A handler that the budget has ended leaves its coroutine behind with
 * all that it would still close: nothing of it runs again. task_wake() is called from the loop only.
 *
 * What the handler gathers stays in `effects`; who owns the task commits or drops it in `over`. */
#ifndef HOST_INSTANCE_TASK_H
#define HOST_INSTANCE_TASK_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "host/instance/effects.h"

struct plugin;

struct task {
    struct plugin *plugin;
    struct effects effects;
    /* The handler has ended: well, or with what it raised in `why` (NULL: well). */
    void (*over)(struct task *task, const char *why);
    /* The handler is about to wait; NULL: nobody minds. */
    void (*waits)(struct task *task);
    lua_State *main; /* the plugin's main thread */
    lua_State *thread;
    int thread_ref;
    int64_t resumed_us; /* when its slice began */
    bool running;       /* begun and not over */
    bool waiting;
    bool is_view; /* it must not commit anything */
};

/* Makes a coroutine for a task and returns its place in the registry. May raise; nothing else of
 * opening a task does, so call this before there is anything to clean up. */
int task_reserve(lua_State *L);
/* The same from outside of Lua: LUA_NOREF when there is no memory for it. */
int task_try_reserve(lua_State *main);
/* The caller sets `over`. `main` is the plugin's main thread. */
void task_open(struct task *task, struct plugin *plugin, lua_State *main, int thread_ref);
void task_close(struct task *task, lua_State *main);

/* Runs `body` with `context` as its light userdata argument. The task does not run yet. `over` may
 * be called before this returns. */
void task_run(struct task *task, lua_CFunction body, void *context);

/* The task that runs on L, or NULL when L is no task's thread. */
struct task *task_of(lua_State *L);

/* Raises unless L may wait here: inside a sort or gsub nobody can. */
void task_check(lua_State *L);
/* The last statement of a binding: `return task_park(L, finish, context)`. */
int task_park(lua_State *L, lua_KFunction finish, void *context);
void task_wake(struct task *task);

#endif
