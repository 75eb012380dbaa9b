/* bind_time - host.now, mono, sleep, every, after: the smallest binding that waits. */
#include "base/base.h"
#include "base/now.h"
#include "host/bind/bind.h"
#include "host/instance/plugin.h"
#include "host/instance/ticker.h"

/* So long a slice may block before the loop has a turn: pings must be answered. */
enum { BREATH_US = 100000 };

static const char NAP[] = "outpost.nap";

struct nap {
    struct loop_timer timer;
    struct task *task;
};

static int time_now(lua_State *L)
{
    lua_pushnumber(L, (double)now_utc_us() / 1e6);
    return 1;
}

static int time_mono(lua_State *L)
{
    lua_pushnumber(L, (double)now_mono_us() / 1e6);
    return 1;
}

static void nap_over(struct loop_timer *timer)
{
    task_wake(container_of(timer, struct nap, timer)->task);
}

static int nap_close(lua_State *L)
{
    struct nap *nap = luaL_checkudata(L, 1, NAP);
    loop_timer_stop(&nap->timer);
    return 0;
}

static int nap_finish(lua_State *L, int status, lua_KContext context)
{
    (void)L;
    (void)status;
    (void)context;
    return 0;
}

static int time_sleep(lua_State *L)
{
    int64_t ms = bind_duration(L, 1, 0);
    task_check(L);
    struct nap *nap = lua_newuserdatauv(L, sizeof(*nap), 0);
    *nap = (struct nap){.timer.fire = nap_over, .task = task_of(L)};
    luaL_setmetatable(L, NAP); /* from here on __gc cleans up */
    loop_timer_start(plugin_of(L)->loop, &nap->timer, ms);
    return task_park(L, nap_finish, nap);
}

static int breathe_finish(lua_State *L, int status, lua_KContext results)
{
    (void)L;
    (void)status;
    return (int)results;
}

int bind_breathe(lua_State *L, int results)
{
    struct task *task = task_of(L);
    if (now_mono_us() - task->resumed_us < BREATH_US || !lua_isyieldable(L))
        return results;
    struct nap *nap = lua_newuserdatauv(L, sizeof(*nap), 0);
    *nap = (struct nap){.timer.fire = nap_over, .task = task};
    luaL_setmetatable(L, NAP);
    lua_insert(L, -results - 1);
    loop_timer_start(task->plugin->loop, &nap->timer, 0);
    return task_park(L, breathe_finish, (void *)(intptr_t)results);
}

static int new_ticker(lua_State *L, bool once)
{
    struct plugin *plugin = plugin_of(L);
    int64_t ms = bind_duration(L, 1, once ? 0 : 1);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    if (plugin->slots == PLUGIN_SLOTS_MAX)
        return luaL_error(L, "more than %d timers and subscriptions", PLUGIN_SLOTS_MAX);
    lua_settop(L, 2);
    ticker_new(L, plugin, ms, once);
    return 0;
}

static int time_every(lua_State *L)
{
    return new_ticker(L, false);
}

static int time_after(lua_State *L)
{
    return new_ticker(L, true);
}

static const luaL_Reg FUNCTIONS[] = {
    {"now", time_now},     {"mono", time_mono},   {"sleep", time_sleep},
    {"every", time_every}, {"after", time_after}, {NULL, NULL},
};

void bind_time(lua_State *L)
{
    luaL_newmetatable(L, NAP);
    lua_pushcfunction(L, nap_close);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
    luaL_setfuncs(L, FUNCTIONS, 0);
}
