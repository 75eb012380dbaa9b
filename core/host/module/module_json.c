/* module_json - require "json": what a device says in JSON as Lua values, and back. See value.h. */
#include <lauxlib.h>

#include "host/bind/value.h"
#include "host/module/module.h"

enum { JSON_BYTES_MAX = 1024 * 1024 };

static int decode(lua_State *L)
{
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    if (length > JSON_BYTES_MAX)
        return module_fail(L, "expected JSON of at most %d bytes, got %zu",
                           (int)JSON_BYTES_MAX, length);
    if (value_decode(L, text, length) != NULL)
        return module_fail(L, "expected JSON nested at most %d deep, got something else",
                           (int)VALUE_DEPTH_MAX);
    if (lua_isnil(L, -1))
        lua_pushlightuserdata(L, NULL);
    return 1;
}

static int encode(lua_State *L)
{
    luaL_checkany(L, 1);
    struct buffer *text = module_buffer(L);
    const char *why = value_encode(L, 1, text, JSON_BYTES_MAX);
    if (why != NULL)
        return module_fail(L, "expected a value that JSON can say, got %s", why);
    lua_pushlstring(L, text->bytes, text->length);
    return 1;
}

/* An empty table is an object, unless it came from an empty array. */
static int empty_array(lua_State *L)
{
    value_decode(L, "[]", 2);
    return 1;
}

int module_json(lua_State *L)
{
    static const luaL_Reg FUNCTIONS[] = {
        {"decode", decode}, {"encode", encode}, {"array", empty_array}, {NULL, NULL}};
    luaL_newlib(L, FUNCTIONS);
    lua_pushlightuserdata(L, NULL);
    lua_setfield(L, -2, "null");
    return 1;
}
