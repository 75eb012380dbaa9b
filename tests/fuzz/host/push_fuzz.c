/* push_fuzz - any bytes as what a ZKTeco terminal posts (plugins/face-zkpush).
 *
 * Runs in the plugins' own sandbox, from the top of the tree. What must hold is in push_fuzz.lua. */
#include <lauxlib.h>
#include <lua.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "host/boundary/sandbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { INSTRUCTIONS_MAX = 20 * 1000 * 1000 };

static struct sandbox sandbox = {.library = "lua", .plugin = "plugins/face-zkpush"};

static void too_long(lua_State *L, lua_Debug *where)
{
    (void)where;
    luaL_error(L, "ran too long");
}

static int open_sandbox(lua_State *L)
{
    sandbox_open(L, &sandbox);
    if (sandbox_load(L, "tests/fuzz/host/push_fuzz.lua", "@push_fuzz.lua") != LUA_OK)
        return lua_error(L);
    lua_call(L, 0, 1);
    return 1;
}

/* A state with the function of push_fuzz.lua at index 1. */
static lua_State *open_state(void)
{
    lua_State *L = luaL_newstate();
    if (L == NULL)
        abort();
    lua_pushcfunction(L, open_sandbox);
    if (lua_pcall(L, 0, 1, 0) == LUA_OK)
        return L;
    fprintf(stderr, "push_fuzz: %s\n", lua_tostring(L, -1));
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static lua_State *L;
    if (L == NULL)
        L = open_state();
    lua_settop(L, 1);
    lua_pushvalue(L, 1);
    lua_pushlstring(L, (const char *)bytes, length);
    lua_sethook(L, too_long, LUA_MASKCOUNT, INSTRUCTIONS_MAX);
    if (lua_pcall(L, 1, 0, 0) == LUA_OK)
        return 0;
    fprintf(stderr, "push_fuzz: %s\n", lua_tostring(L, -1));
    abort();
}
