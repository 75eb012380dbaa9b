/* script - for fuzzers of what is written in Lua: a script in the plugins' own sandbox that is handed
 * the bytes. Runs from the top of the tree. The script returns the function that takes them; what
 * must not be it raises, and so does one that runs too long. */
#ifndef FUZZ_HOST_SCRIPT_H
#define FUZZ_HOST_SCRIPT_H

#include <lauxlib.h>
#include <lua.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "host/boundary/sandbox.h"

struct script {
    const char *path;
    struct sandbox sandbox;
    int instructions_max;
    lua_State *L; /* NULL at first; the script's function is at index 1 */
};

static void script_too_long(lua_State *L, lua_Debug *where)
{
    (void)where;
    luaL_error(L, "ran too long");
}

static int script_open(lua_State *L)
{
    struct script *script = lua_touserdata(L, 1);
    sandbox_open(L, &script->sandbox);
    if (sandbox_load(L, script->path, script->path) != LUA_OK)
        return lua_error(L);
    lua_call(L, 0, 1);
    return 1;
}

static void script_check(lua_State *L, const struct script *script, int status)
{
    if (status == LUA_OK)
        return;
    fprintf(stderr, "%s: %s\n", script->path, lua_tostring(L, -1));
    abort();
}

/* For LLVMFuzzerTestOneInput(). */
static int script_run(struct script *script, const uint8_t *bytes, size_t length)
{
    lua_State *L = script->L;
    if (L == NULL) {
        L = script->L = luaL_newstate();
        if (L == NULL)
            abort();
        lua_pushcfunction(L, script_open);
        lua_pushlightuserdata(L, script);
        script_check(L, script, lua_pcall(L, 1, 1, 0));
    }
    lua_settop(L, 1);
    lua_pushvalue(L, 1);
    lua_pushlstring(L, (const char *)bytes, length);
    lua_sethook(L, script_too_long, LUA_MASKCOUNT, script->instructions_max);
    script_check(L, script, lua_pcall(L, 1, 0, 0));
    lua_sethook(L, NULL, 0, 0);
    lua_gc(L, LUA_GCCOLLECT,
           0); /* what is left over would be looked at as a leak, which takes long */
    return 0;
}

#endif
