/* bareloop - what the host's Lua and Modbus are measured against: the bare libraries.
 *
 *   bareloop rule RULE.LUA EVENTS          decode, handler, encode, with lua-cjson; CPU seconds
 *   bareloop turn TURNS                    a tight loop without any guard; seconds
 *   bareloop modbus PORT POLLS             125 registers over TCP; seconds
 *
 * Prints one JSON object. */
#include <lauxlib.h>
#include <lua-cjson.h>
#include <lua.h>
#include <lualib.h>
#include <modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/base.h"

static const char EVENT[] =
    "{\"type\":\"bench.reading\",\"subject\":\"device/wristband/B-0193\",\"sequence\":"
    "\"0000000000000001\",\"data\":{\"band\":\"B-0193\",\"rssi\":-71,\"age\":3,\"raw\":"
    "\"%s\"}}";

static const char DRIVER[] = "local rule, event, count = ...\n"
                             "local decode, encode = cjson.decode, cjson.encode\n"
                             "local handler = rule(function(result) return "
                             "encode(result.data) end, \"rule.plain\")\n"
                             "for i = 1, count do handler(decode(event)) end\n";

static const char TURN[] =
    "local count = ...\nlocal sum = 0\n"
    "for i = 1, count do sum = (sum * 31 + i) % 1000003 end\nreturn sum\n";

static double seconds_now(clockid_t clock)
{
    struct timespec at;
    clock_gettime(clock, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static lua_State *open_lua(void)
{
    lua_State *L = luaL_newstate();
    ASSERT(L != NULL);
    luaL_openlibs(L);
    luaL_requiref(L, "cjson", luaopen_cjson, 1);
    lua_pop(L, 1);
    return L;
}

static double run_rule(const char *path, int count)
{
    char raw[301], event[1024];
    memset(raw, 'x', 300);
    raw[300] = '\0';
    snprintf(event, sizeof(event), EVENT, raw);
    lua_State *L = open_lua();
    ASSERT(luaL_loadstring(L, DRIVER) == LUA_OK);
    ASSERT(luaL_dofile(L, path) == LUA_OK);
    lua_settop(L, 2);
    lua_pushstring(L, event);
    lua_pushinteger(L, count);
    double began = seconds_now(CLOCK_PROCESS_CPUTIME_ID);
    ASSERT(lua_pcall(L, 3, 0, 0) == LUA_OK);
    double took = seconds_now(CLOCK_PROCESS_CPUTIME_ID) - began;
    lua_close(L);
    return took;
}

static double run_turn(int count)
{
    lua_State *L = open_lua();
    ASSERT(luaL_loadstring(L, TURN) == LUA_OK);
    lua_pushinteger(L, count);
    double began = seconds_now(CLOCK_MONOTONIC);
    ASSERT(lua_pcall(L, 1, 1, 0) == LUA_OK);
    double took = seconds_now(CLOCK_MONOTONIC) - began;
    lua_close(L);
    return took;
}

static double run_modbus(int port, int polls)
{
    uint16_t words[125];
    modbus_t *bus = modbus_new_tcp("127.0.0.1", port);
    ASSERT(bus != NULL && modbus_set_slave(bus, 1) == 0 && modbus_connect(bus) == 0);
    double began = seconds_now(CLOCK_MONOTONIC);
    for (int i = 0; i < polls; i++)
        ASSERT(modbus_read_registers(bus, 0, 125, words) == 125);
    double took = seconds_now(CLOCK_MONOTONIC) - began;
    modbus_close(bus);
    modbus_free(bus);
    return took;
}

int main(int argc, char **argv)
{
    double took = 0;
    if (argc == 4 && strcmp(argv[1], "rule") == 0)
        took = run_rule(argv[2], atoi(argv[3]));
    else if (argc == 3 && strcmp(argv[1], "turn") == 0)
        took = run_turn(atoi(argv[2]));
    else if (argc == 4 && strcmp(argv[1], "modbus") == 0)
        took = run_modbus(atoi(argv[2]), atoi(argv[3]));
    else
        return fputs("usage: bareloop rule FILE N | turn N | modbus PORT N\n", stderr), 2;
    printf("{\"seconds\":%.6f}\n", took);
    return 0;
}
