/* profile_fuzz - a profile with some mistakes in it, and any bytes as its station's registers.
 *
 * Runs in the plugins' own sandbox, from the top of the tree. What must hold, and how the bytes are
 * used, is in profile_fuzz.lua. */
#include <lauxlib.h>
#include <lua.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "host/boundary/sandbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { INSTRUCTIONS_MAX = 100 * 1000 * 1000 };

static const char *const SHEETS[] = {
    "plugins/wristband/profiles/enless.lua",
    "plugins/wristband/profiles/inveo-rfid.lua",
    "plugins/wristband/profiles/lora-modbus.lua",
    "plugins/wristband/profiles/monnit-serial.lua",
    "plugins/wristband/profiles/monnit-tcp.lua",
    "plugins/wristband/profiles/rf433-fifo.lua",
};

static struct sandbox sandbox = {.library = "lua", .plugin = "plugins/wristband"};

static void too_long(lua_State *L, lua_Debug *where)
{
    (void)where;
    luaL_error(L, "ran too long");
}

/* The chunk of upvalue `number` modulo how many there are, run anew: a fresh table. */
static int fresh_sheet(lua_State *L)
{
    int number = (int)(luaL_checkinteger(L, 1) % (lua_Integer)countof(SHEETS));
    lua_pushvalue(L, lua_upvalueindex(number + 1));
    lua_call(L, 0, 1);
    return 1;
}

static int open_sandbox(lua_State *L)
{
    sandbox_open(L, &sandbox);
    if (sandbox_load(L, "tests/fuzz/host/profile_fuzz.lua", "@profile_fuzz.lua") !=
        LUA_OK)
        return lua_error(L);
    lua_call(L, 0, 1);
    for (size_t i = 0; i < countof(SHEETS); i++)
        if (sandbox_load(L, SHEETS[i], SHEETS[i]) != LUA_OK)
            return lua_error(L);
    lua_pushcclosure(L, fresh_sheet, (int)countof(SHEETS));
    return 2;
}

/* A state with the function of profile_fuzz.lua at index 1 and fresh_sheet at 2. */
static lua_State *open_state(void)
{
    lua_State *L = luaL_newstate();
    if (L == NULL)
        abort();
    lua_pushcfunction(L, open_sandbox);
    if (lua_pcall(L, 0, 2, 0) == LUA_OK)
        return L;
    fprintf(stderr, "profile_fuzz: %s\n", lua_tostring(L, -1));
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static lua_State *L;
    if (L == NULL)
        L = open_state();
    lua_settop(L, 2);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    lua_pushlstring(L, (const char *)bytes, length);
    lua_sethook(L, too_long, LUA_MASKCOUNT, INSTRUCTIONS_MAX);
    if (lua_pcall(L, 2, 0, 0) == LUA_OK)
        return 0;
    fprintf(stderr, "profile_fuzz: %s\n", lua_tostring(L, -1));
    abort();
}
