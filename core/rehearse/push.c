/* push - see push.h.
 *
 * The texts of the request belong to its table, which the userdata keeps. */
#include "rehearse/push.h"

#include <lauxlib.h>
#include <string.h>

#include "rehearse/server.h"

static const char PUSH[] = "outpost.push";

static struct server_push *check_push(lua_State *L)
{
    return luaL_checkudata(L, 1, PUSH);
}

static int drop(lua_State *L)
{
    struct server_push *push = check_push(L);
    server_push_drop(push);
    buffer_free(&push->headers);
    buffer_free(&push->query);
    buffer_free(&push->said);
    buffer_free(&push->answer);
    return 0;
}

/* The member of the request, the table at `index`. */
static const char *text_in(lua_State *L, int index, const char *name,
                           const char *otherwise)
{
    if (lua_getfield(L, index, name) == LUA_TSTRING)
        otherwise = lua_tostring(L, -1);
    else if (!lua_isnil(L, -1))
        luaL_error(L, "push: %s: expected a text", name);
    lua_pop(L, 1);
    return otherwise;
}

static void add_pairs(lua_State *L, int index, const char *name, struct buffer *pairs)
{
    if (lua_getfield(L, index, name) != LUA_TNIL) {
        luaL_checktype(L, -1, LUA_TTABLE);
        lua_pushnil(L);
        while (lua_next(L, -2)) {
            size_t named, valued;
            lua_pushvalue(L, -2);
            const char *key = luaL_tolstring(L, -1, &named);
            const char *value = luaL_tolstring(L, -3, &valued);
            buffer_append(pairs, key, strlen(key) + 1);
            buffer_append(pairs, value, strlen(value) + 1);
            lua_pop(L, 4);
        }
    }
    lua_pop(L, 1);
}

int push_send(lua_State *L)
{
    const char *url = luaL_checkstring(L, 2);
    luaL_checktype(L, 3, LUA_TTABLE);
    lua_settop(L, 3);
    struct server_push *push = lua_newuserdatauv(L, sizeof(*push), 1);
    memset(push, 0, sizeof(*push));
    luaL_setmetatable(L, PUSH); /* from here on __gc cleans up */
    lua_pushvalue(L, 3);
    lua_setiuservalue(L, 4, 1);
    push->body = text_in(L, 3, "body", NULL);
    push->method = text_in(L, 3, "method", push->body != NULL ? "POST" : "GET");
    push->path = text_in(L, 3, "path", "/");
    push->peer = text_in(L, 3, "peer", "192.0.2.9");
    push->user = text_in(L, 3, "user", NULL);
    push->password = text_in(L, 3, "password", NULL);
    if (lua_getfield(L, 3, "body") == LUA_TSTRING)
        push->body_length = lua_rawlen(L, -1);
    lua_pop(L, 1);
    add_pairs(L, 3, "headers", &push->headers);
    add_pairs(L, 3, "query", &push->query);
    if (!server_push(push, url))
        lua_pushnil(L);
    return 1;
}

static int answer(lua_State *L)
{
    const struct server_push *push = check_push(L);
    const char *at = push->said.bytes, *last = at + push->said.length;
    if (!push->over)
        return 0;
    if (push->status == 0) {
        lua_pushboolean(L, 0);
        return 1;
    }
    lua_createtable(L, 0, 3);
    lua_pushinteger(L, push->status);
    lua_setfield(L, -2, "status");
    lua_pushlstring(L, push->answer.bytes, push->answer.length);
    lua_setfield(L, -2, "body");
    lua_newtable(L);
    while (at < last) {
        const char *value = at + strlen(at) + 1;
        lua_pushstring(L, value);
        lua_setfield(L, -2, at);
        at = value + strlen(value) + 1;
    }
    lua_setfield(L, -2, "headers");
    return 1;
}

void push_open(lua_State *L)
{
    static const luaL_Reg METHODS[] = {{"answer", answer}, {"__gc", drop}, {NULL, NULL}};
    luaL_newmetatable(L, PUSH);
    luaL_setfuncs(L, METHODS, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}
