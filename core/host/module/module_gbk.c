/* module_gbk - require "gbk": the Chinese text of devices as UTF-8, and back. See charset.h. */
#include <lauxlib.h>
#include <stdbool.h>
#include <string.h>

#include "host/module/charset.h"
#include "host/module/module.h"

enum { TEXT_BYTES_MAX = 1024 * 1024 };

static const char *take(lua_State *L, size_t *length)
{
    const char *text = luaL_checklstring(L, 1, length);
    return *length <= TEXT_BYTES_MAX ? text : NULL;
}

static int too_long(lua_State *L, size_t length)
{
    return module_fail(L, "expected a text of at most %d bytes, got %zu",
                       (int)TEXT_BYTES_MAX, length);
}

static int decode(lua_State *L)
{
    size_t length;
    const char *bytes = take(L, &length);
    if (bytes == NULL)
        return too_long(L, length);
    struct buffer *text = module_buffer(L);
    size_t replaced = charset_read_gb(text, bytes, length);
    lua_pushlstring(L, text->bytes, text->length);
    lua_pushinteger(L, (lua_Integer)replaced);
    return 2;
}

static int encode(lua_State *L)
{
    static const char *const KINDS[] = {"gb18030", "gbk", NULL};
    size_t length;
    const char *text = take(L, &length);
    bool narrow = luaL_checkoption(L, 2, KINDS[0], KINDS) == 1;
    if (text == NULL)
        return too_long(L, length);
    struct buffer *bytes = module_buffer(L);
    size_t replaced = charset_write_gb(bytes, text, length, narrow);
    lua_pushlstring(L, bytes->bytes, bytes->length);
    lua_pushinteger(L, (lua_Integer)replaced);
    return 2;
}

int module_gbk(lua_State *L)
{
    static const luaL_Reg FUNCTIONS[] = {
        {"decode", decode}, {"encode", encode}, {NULL, NULL}};
    luaL_newlib(L, FUNCTIONS);
    return 1;
}
