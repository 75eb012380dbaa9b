/* task - see task.h for the protocol.
 *
 * Invariant: while `waiting`, the thread has yielded inside task_park() and nothing but
 * task_wake() resumes it; while not `running`, its stack is empty.
 *
 * Rule of this file: whatever may allocate in Lua runs inside lua_resume() or lua_pcall(). An
 * error anywhere else would end the whole process. */
#include "host/instance/task.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/now.h"
#include "host/boundary/budget.h"
#include "host/instance/plugin.h"

enum { WHY_ROOM = 900, TRACE_LEVELS = 8 };

/* Every Lua thread has room for one pointer before its state; ours points at its task. */
static struct task **seat(lua_State *L)
{
    return (struct task **)lua_getextraspace(L);
}

static int push_thread(lua_State *L)
{
    lua_State *thread = lua_newthread(L);
    *seat(thread) = NULL;
    return 1;
}

int task_reserve(lua_State *L)
{
    push_thread(L);
    return luaL_ref(L, LUA_REGISTRYINDEX);
}

static int reserve(lua_State *L)
{
    lua_pushinteger(L, task_reserve(L));
    return 1;
}

int task_try_reserve(lua_State *main)
{
    lua_pushcfunction(main, reserve);
    int ref =
        lua_pcall(main, 0, 1, 0) == LUA_OK ? (int)lua_tointeger(main, -1) : LUA_NOREF;
    lua_pop(main, 1);
    return ref;
}

void task_open(struct task *task, struct plugin *plugin, lua_State *main, int thread_ref)
{
    lua_rawgeti(main, LUA_REGISTRYINDEX, thread_ref);
    task->thread = lua_tothread(main, -1);
    lua_pop(main, 1);
    task->thread_ref = thread_ref;
    task->main = main;
    task->plugin = plugin;
    *seat(task->thread) = task;
}

void task_close(struct task *task, lua_State *main)
{
    if (task->thread != NULL) {
        *seat(task->thread) = NULL;
        luaL_unref(main, LUA_REGISTRYINDEX, task->thread_ref);
    }
    task->thread = NULL;
    effects_free(&task->effects);
}

struct task *task_of(lua_State *L)
{
    return *seat(L);
}

/* Walks the dead handler's stack without Lua's allocator, which may be what failed. */
static void add_trace(lua_State *L, char *why)
{
    lua_Debug at;
    size_t length = strlen(why);
    for (int level = 0, shown = 0; shown < TRACE_LEVELS && lua_getstack(L, level, &at);
         level++) {
        lua_getinfo(L, "Sl", &at);
        if (at.currentline < 0)
            continue;
        int more =
            snprintf(why + length, WHY_ROOM - length, "%s%s:%d",
                     shown++ == 0 ? " (from " : " < ", at.short_src, at.currentline);
        if (more < 0 || (size_t)more >= WHY_ROOM - length - 2) {
            why[length] = '\0';
            break;
        }
        length += (size_t)more;
    }
    if (strstr(why, " (from ") != NULL)
        strcat(why, ")");
}

/* Only texts are shown: turning another value into one would run the plugin's code. */
static void explain(lua_State *L, char *why)
{
    if (lua_type(L, -1) == LUA_TSTRING)
        snprintf(why, WHY_ROOM / 2, "%s", lua_tostring(L, -1));
    else
        snprintf(why, WHY_ROOM / 2, "raised a %s", lua_typename(L, lua_type(L, -1)));
    add_trace(L, why);
}

/* Another coroutine in the place of one that runs without hooks now. That one is let go of first, with all
 * it held: it may be what fills the memory. A plugin without memory even for this starts anew. */
static void renew(struct task *task)
{
    lua_State *main = task->main;
    lua_pushboolean(main, 0);
    lua_rawseti(main, LUA_REGISTRYINDEX, task->thread_ref);
    task->thread = NULL;
    lua_pushcfunction(main, push_thread);
    if (lua_pcall(main, 0, 1, 0) != LUA_OK) {
        lua_pop(main, 1);
        plugin_end(task->plugin, PLUGIN_BROKEN);
        return;
    }
    task->thread = lua_tothread(main, -1);
    *seat(task->thread) = task;
    lua_rawseti(main, LUA_REGISTRYINDEX, task->thread_ref);
}

/* A handler that died is unwound, which may run its code again: inside the slice, and only while the
 * budget can still end it. */
static void unwind(struct task *task, int status, char *why)
{
    lua_State *L = task->thread;
    if (status != LUA_OK)
        explain(L, why);
    if (status != LUA_OK && !budget_is_over())
        lua_resetthread(L);
    bool is_spent = budget_is_over();
    if (!is_spent)
        lua_settop(L, 0);
    budget_end();
    if (is_spent)
        renew(task);
}

/* Resumes the thread for one slice. */
static void advance(struct task *task, int arguments)
{
    char why[WHY_ROOM];
    int results;
    lua_State *L = task->thread;
    task->waiting = false;
    budget_collect(&task->plugin->budget, task->main);
    task->resumed_us = now_mono_us();
    budget_begin(L);
    int status = lua_resume(L, NULL, arguments, &results);
    if (status == LUA_YIELD) {
        budget_end();
        ASSERT(task->waiting);
        return;
    }
    unwind(task, status, why);
    task->running = false;
    task->over(task, status == LUA_OK ? NULL : why);
}

void task_run(struct task *task, lua_CFunction body, void *context)
{
    ASSERT(!task->running);
    task->running = true;
    lua_pushcfunction(task->thread, body);
    lua_pushlightuserdata(task->thread, context);
    advance(task, 1);
}

void task_check(lua_State *L)
{
    if (task_of(L) == NULL || !lua_isyieldable(L))
        luaL_error(
            L, "cannot wait here: inside a function that sort, gsub or the like calls");
}

int task_park(lua_State *L, lua_KFunction finish, void *context)
{
    struct task *task = task_of(L);
    ASSERT(task != NULL && lua_isyieldable(L));
    if (task->waits != NULL)
        task->waits(task);
    task->waiting = true;
    return lua_yieldk(L, 0, (lua_KContext)context, finish);
}

void task_wake(struct task *task)
{
    ASSERT(task->running && task->waiting);
    advance(task, 0);
}
