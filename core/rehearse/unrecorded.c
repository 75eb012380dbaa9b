/* unrecorded - see unrecorded.h. */
#include "rehearse/unrecorded.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "host/bind/bind.h"
#include "rehearse/office.h"

/* What opens something, and does not wait: in an office it would succeed with nobody there. All
 * other functions of a capability ask a device. */
static const struct opener {
    const char *capability, *function;
} OPENERS[] = {
    {"modbus", "open"}, {"tcp", "listen"}, {"udp", "open"}, {"serve", "listen"}};

static bool is_opener(const char *capability, const char *function)
{
    for (size_t i = 0; i < countof(OPENERS); i++)
        if (strcmp(OPENERS[i].capability, capability) == 0 &&
            strcmp(OPENERS[i].function, function) == 0)
            return true;
    return false;
}

/* ---- Counting */

/* The URL without what may be a password in it. */
static void copy_url(char copy[UNRECORDED_URL_ROOM], const char *url)
{
    const char *begin = strstr(url, "://");
    size_t head = begin != NULL ? (size_t)(begin - url) + 3 : 0;
    size_t user = strcspn(url + head, "/@");
    if (head > 0 && url[head + user] == '@')
        snprintf(copy, UNRECORDED_URL_ROOM, "%.*s%s", (int)head, url,
                 url + head + user + 1);
    else
        snprintf(copy, UNRECORDED_URL_ROOM, "%s", url);
}

void unrecorded_count(struct unrecorded *unrecorded, const char *url)
{
    char copy[UNRECORDED_URL_ROOM];
    int at = 0;
    copy_url(copy, url);
    while (at < unrecorded->count && strcmp(unrecorded->devices[at].url, copy) != 0)
        at++;
    if (at == UNRECORDED_URLS_MAX) {
        at--;
        strcpy(unrecorded->devices[at].url, "others");
    } else if (at == unrecorded->count) {
        strcpy(unrecorded->devices[unrecorded->count++].url, copy);
    }
    unrecorded->devices[at].asked++;
}

/* ---- What a plugin gets */

/* The URL is the second upvalue, or it is asked for by name, or in a table as `url`. */
static const char *url_of(lua_State *L)
{
    if (lua_type(L, lua_upvalueindex(2)) == LUA_TSTRING)
        return lua_tostring(L, lua_upvalueindex(2));
    if (lua_istable(L, 1))
        lua_getfield(L, 1, "url");
    else
        lua_pushvalue(L, 1);
    return lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "a device";
}

static int answer_nothing(lua_State *L)
{
    struct office *office = office_current();
    lua_settop(L, 1);
    unrecorded_count(&office->unrecorded, url_of(L));
    return bind_fail(L, "unrecorded", "no recording of this device");
}

static int close_handle(lua_State *L)
{
    (void)L;
    return 0;
}

static void push_handle(lua_State *L, const char *capability);

static int open_handle(lua_State *L)
{
    lua_settop(L, 1);
    lua_pushstring(L, url_of(L));
    lua_replace(L, 1);
    lua_settop(L, 1);
    push_handle(L, lua_tostring(L, lua_upvalueindex(1)));
    return 1;
}

/* __index of a capability (no second upvalue) and of a handle: every name is a function. */
static int find_function(lua_State *L)
{
    const char *capability = lua_tostring(L, lua_upvalueindex(1));
    const char *name = luaL_checkstring(L, 2);
    bool is_handle = !lua_isnil(L, lua_upvalueindex(2));
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushvalue(L, lua_upvalueindex(2));
    if (is_handle && strcmp(name, "close") == 0)
        lua_pushcfunction(L, close_handle);
    else if (!is_handle && is_opener(capability, name))
        lua_pushcclosure(L, open_handle, 2);
    else
        lua_pushcclosure(L, answer_nothing, 2);
    return 1;
}

/* A table that answers every name with a function. The URL of a handle is on top, nil for none, and
 * is replaced by it. */
static void push_handle(lua_State *L, const char *capability)
{
    lua_newtable(L);
    lua_createtable(L, 0, 3);
    lua_pushstring(L, capability);
    lua_pushvalue(L, -4);
    lua_pushcclosure(L, find_function, 2);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, close_handle);
    lua_setfield(L, -2, "__close");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
    lua_remove(L, -2);
}

static void bind_capability(lua_State *L, const char *capability)
{
    lua_pushnil(L);
    push_handle(L, capability);
    lua_setfield(L, -2, capability);
}

#define BIND(capability)                                                                 \
    static void bind_##capability##_unrecorded(lua_State *L)                             \
    {                                                                                    \
        bind_capability(L, #capability);                                                 \
    }

BIND(modbus)
BIND(tcp)
BIND(udp)
BIND(serial)
BIND(http)
BIND(ftp)
BIND(serve)
BIND(folder)

static const struct capability {
    const char *name;
    capability_bind *bind;
} CAPABILITIES[] = {
    {"modbus", bind_modbus_unrecorded}, {"tcp", bind_tcp_unrecorded},
    {"udp", bind_udp_unrecorded},       {"serial", bind_serial_unrecorded},
    {"http", bind_http_unrecorded},     {"serve", bind_serve_unrecorded},
    {"ftp", bind_ftp_unrecorded},       {"folder", bind_folder_unrecorded},
};

capability_bind *unrecorded_find(const char *name)
{
    for (size_t i = 0; i < countof(CAPABILITIES); i++)
        if (strcmp(CAPABILITIES[i].name, name) == 0)
            return CAPABILITIES[i].bind;
    return NULL;
}
