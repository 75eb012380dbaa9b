/* bind - see bind.h. */
#include "host/bind/bind.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/duration.h"
#include "host/bind/capability.h"
#include "host/module/module.h"

/* What every plugin has; the others are capabilities. */
static void (*const BASICS[])(lua_State *L) = {
    bind_log, bind_time, bind_emit, bind_store, bind_journal, bind_metrics, bind_random};

/* The list `needs` is not on top, the table host is. */
static void bind_needs(lua_State *L, int needs)
{
    lua_Integer count = lua_istable(L, needs) ? luaL_len(L, needs) : 0;
    for (lua_Integer i = 1; i <= count; i++) {
        lua_geti(L, needs, i);
        const char *name = lua_tostring(L, -1);
        void (*bind)(lua_State *) = name != NULL ? capability_find(name) : NULL;
        if (bind == NULL && name != NULL && module_is_need(name)) {
            lua_pop(L, 1);
            continue;
        }
        if (bind == NULL)
            luaL_error(L, "needs: there is no capability \"%s\"",
                       name != NULL ? name : "?");
        lua_pop(L, 1);
        bind(L);
    }
}

void bind_host(lua_State *L, int needs)
{
    needs = lua_absindex(L, needs);
    lua_createtable(L, 0, 16);
    for (size_t i = 0; i < countof(BASICS); i++)
        BASICS[i](L);
    bind_needs(L, needs);
}

void bind_class(lua_State *L, const char *name, const luaL_Reg *methods,
                lua_CFunction close)
{
    luaL_newmetatable(L, name);
    lua_newtable(L);
    luaL_setfuncs(L, methods, 0);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, close);
    lua_setfield(L, -2, "__gc");
    lua_pushcfunction(L, close);
    lua_setfield(L, -2, "__close");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}

int bind_fail(lua_State *L, const char *code, const char *format, ...)
{
    char message[400];
    va_list values;
    va_start(values, format);
    vsnprintf(message, sizeof(message), format, values);
    va_end(values);
    lua_pushnil(L);
    lua_pushstring(L, message);
    lua_pushstring(L, code);
    return 3;
}

int64_t bind_duration(lua_State *L, int argument, int64_t least)
{
    int64_t ms = -1;
    if (lua_type(L, argument) == LUA_TNUMBER)
        ms = luaL_checkinteger(L, argument);
    else if (duration_parse(&ms, luaL_checkstring(L, argument)) != 0)
        luaL_argerror(L, argument,
                      "expected milliseconds or a text such as \"1s\" or \"250ms\"");
    luaL_argcheck(L, ms >= least && ms <= 3650LL * 86400000, argument,
                  "too short or too long");
    return ms;
}

static bool is_among(const char *name, const char *const *names)
{
    while (*names != NULL && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

void bind_options(lua_State *L, int argument, const char *const *names)
{
    if (lua_isnil(L, argument))
        return;
    luaL_checktype(L, argument, LUA_TTABLE);
    for (lua_pushnil(L); lua_next(L, argument); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING)
            luaL_argerror(L, argument, "expected options by name");
        if (!is_among(lua_tostring(L, -2), names))
            luaL_error(L, "there is no option \"%s\"", lua_tostring(L, -2));
    }
}

int64_t bind_duration_in(lua_State *L, int options, const char *name, int64_t least,
                         int64_t most, int64_t otherwise)
{
    int64_t ms = otherwise;
    if (lua_isnil(L, options))
        return ms;
    if (lua_getfield(L, options, name) == LUA_TNUMBER)
        ms = lua_isinteger(L, -1) ? lua_tointeger(L, -1) : -1;
    else if (!lua_isnil(L, -1) &&
             (!lua_isstring(L, -1) || duration_parse(&ms, lua_tostring(L, -1)) != 0))
        ms = -1;
    lua_pop(L, 1);
    if (ms < least || ms > most)
        luaL_error(L, "%s: expected a duration from %d ms to %d s, such as \"1s\"", name,
                   (int)least, (int)(most / 1000));
    return ms;
}

bool bind_flag_in(lua_State *L, int options, const char *name, bool otherwise)
{
    if (lua_isnil(L, options))
        return otherwise;
    int type = lua_getfield(L, options, name);
    if (type != LUA_TNIL && type != LUA_TBOOLEAN)
        luaL_error(L, "%s: expected true or false", name);
    bool flag = type == LUA_TNIL ? otherwise : lua_toboolean(L, -1);
    lua_pop(L, 1);
    return flag;
}
