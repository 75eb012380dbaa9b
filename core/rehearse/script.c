/* script - see script.h. */
#include "rehearse/script.h"

#include <lauxlib.h>
#include <limits.h>
#include <lualib.h>
#include <stdio.h>

#include "base/base.h"
#include "host/boundary/budget.h"
#include "host/module/module.h"

struct script {
    const char *path;
    const struct rehearsal *rehearsal;
    const char *filter;
};

static void set_search_path(lua_State *L, const struct rehearsal *rehearsal)
{
    lua_getglobal(L, LUA_LOADLIBNAME);
    lua_pushfstring(L, "%s/?.lua;%s/test/?.lua;%s/?.lua;%s/test/?.lua",
                    rehearsal->library, rehearsal->library, rehearsal->folder,
                    rehearsal->folder);
    lua_setfield(L, -2, "path");
    lua_pushliteral(L, "");
    lua_setfield(L, -2, "cpath");
    lua_getfield(L, -1, "preload");
    lua_pushlightuserdata(L, (void *)rehearsal);
    lua_pushcclosure(L, rehearsal_load, 1);
    lua_setfield(L, -2, "rehearsal");
    lua_pop(L, 2);
}

static int push_module(lua_State *L)
{
    module_push(L, lua_touserdata(L, 1));
    return 1;
}

/* What the host has in C is there for tests too, whatever the plugin needs: at once, because the
 * plugin's start closes what it does not need. */
static void load_modules(lua_State *L)
{
    static const char *const NAMES[] = {"json", "gbk", "host.xml", "digest", "inflate"};
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    for (size_t i = 0; i < countof(NAMES); i++) {
        const struct module *module = module_find(NAMES[i]);
        ASSERT(module != NULL);
        lua_pushcfunction(L, push_module);
        lua_pushlightuserdata(L, (void *)module);
        if (lua_pcall(L, 1, 1, 0) == LUA_OK)
            lua_setfield(L, -2, NAMES[i]);
        else
            lua_pop(L, 1); /* this system has no charsets: who requires it hears so */
    }
    lua_pop(L, 1);
}

static void set_filter(lua_State *L, const char *filter)
{
    lua_getglobal(L, "require");
    lua_pushliteral(L, "testing");
    lua_call(L, 1, 1);
    lua_pushstring(L, filter);
    lua_setfield(L, -2, "filter");
    lua_pop(L, 1);
}

static int run(lua_State *L)
{
    const struct script *script = lua_touserdata(L, 1);
    luaL_openlibs(L);
    set_search_path(L, script->rehearsal);
    load_modules(L);
    set_filter(L, script->filter);
    if (luaL_loadfile(L, script->path) != LUA_OK)
        return lua_error(L);
    lua_call(L, 0, 1);
    if (!lua_istable(L, -1))
        return luaL_error(L, "expected to end with: return t.finish()");
    return 0;
}

void script_run(const char *path, const struct rehearsal *rehearsal, const char *filter)
{
    struct script script = {path, rehearsal, filter};
    struct budget budget = {.most_bytes = SCRIPT_MOST_BYTES};
    int failed = rehearsal->tally->failed;
    lua_State *L = budget_new_state(&budget);
    if (L == NULL)
        return;
    lua_pushcfunction(L, run);
    lua_pushlightuserdata(L, &script);
    /* finish() raises when a test has failed: those are counted and told already */
    if (lua_pcall(L, 1, 0, 0) != LUA_OK && rehearsal->tally->failed == failed) {
        const char *why = lua_tostring(L, -1);
        printf("FAILED %s: %s\n", path, why != NULL ? why : "raised what is no text");
        rehearsal->tally->failed++;
    }
    lua_close(L);
}
