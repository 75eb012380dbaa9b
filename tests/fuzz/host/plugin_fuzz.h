/* plugin_fuzz - a fuzzer of a plugin's parsers: any bytes to a Lua function, in the plugins' own sandbox.
 *
 * Runs from the top of the tree. The script returns a function of the bytes; what it raises ends the
 * fuzzer, and so does running on for ever. For one fuzzer, which includes this once. */
#ifndef FUZZ_PLUGIN_FUZZ_H
#define FUZZ_PLUGIN_FUZZ_H

#include <lauxlib.h>
#include <lua.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "host/boundary/sandbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

struct plugin_fuzz {
    struct sandbox sandbox;
    const char *script;
    lua_State *L;
};

enum { PLUGIN_FUZZ_INSTRUCTIONS = 50 * 1000 * 1000 };

static void plugin_fuzz_too_long(lua_State *L, lua_Debug *where)
{
    (void)where;
    luaL_error(L, "ran too long");
}

static int plugin_fuzz_load(lua_State *L)
{
    struct plugin_fuzz *fuzz = lua_touserdata(L, 1);
    sandbox_open(L, &fuzz->sandbox);
    if (sandbox_load(L, fuzz->script, fuzz->script) != LUA_OK)
        return lua_error(L);
    lua_call(L, 0, 1);
    return 1;
}

static void plugin_fuzz_check(lua_State *L, int status)
{
    if (status == LUA_OK)
        return;
    fprintf(stderr, "plugin_fuzz: %s\n", lua_tostring(L, -1));
    abort();
}

/* The function of the script stays at index 1. */
static void plugin_fuzz_open(struct plugin_fuzz *fuzz)
{
    fuzz->L = luaL_newstate();
    if (fuzz->L == NULL)
        abort();
    lua_pushcfunction(fuzz->L, plugin_fuzz_load);
    lua_pushlightuserdata(fuzz->L, fuzz);
    plugin_fuzz_check(fuzz->L, lua_pcall(fuzz->L, 1, 1, 0));
}

static int plugin_fuzz_run(struct plugin_fuzz *fuzz, const uint8_t *bytes, size_t length)
{
    if (fuzz->L == NULL)
        plugin_fuzz_open(fuzz);
    lua_State *L = fuzz->L;
    lua_settop(L, 1);
    lua_pushvalue(L, 1);
    lua_pushlstring(L, (const char *)bytes, length);
    lua_sethook(L, plugin_fuzz_too_long, LUA_MASKCOUNT, PLUGIN_FUZZ_INSTRUCTIONS);
    plugin_fuzz_check(L, lua_pcall(L, 1, 0, 0));
    return 0;
}

#endif
