/* module_inflate - require "inflate": what a device has packed (inflate.h). */
#include <errno.h>
#include <lauxlib.h>

#include "host/module/inflate.h"
#include "host/module/module.h"

enum { MOST = 1024 * 1024, MOST_MOST = 8 * 1024 * 1024 };

static const char *const NAMES[] = {
    [INFLATE_GZIP] = "gzip", [INFLATE_ZLIB] = "zlib", [INFLATE_RAW] = "raw"};

/* The text and its form, or nil and what was expected: gzip or zlib by its head, else raw. */
static int decode(lua_State *L)
{
    size_t length;
    const char *bytes = luaL_checklstring(L, 1, &length);
    lua_Integer most = luaL_optinteger(L, 2, MOST);
    luaL_argcheck(L, most >= 1 && most <= MOST_MOST, 2, "expected 1 to 8388608 bytes");
    luaL_argcheck(L, length <= MOST_MOST, 1, "expected at most 8 MiB");
    struct buffer *text = module_buffer(L);
    enum inflate_form form = inflate_form_of(bytes, length);
    int err = form == INFLATE_NONE
                  ? -EPROTO
                  : inflate_bytes(text, form, bytes, length, (size_t)most);
    if (err == -EPROTO && form != INFLATE_GZIP) { /* which is no accident */
        form = INFLATE_RAW;
        err = inflate_bytes(text, form, bytes, length, (size_t)most);
    }
    if (err == -EFBIG)
        return module_fail(L, "expected what unpacks to at most %d bytes", (int)most);
    if (err)
        return module_fail(L, "expected gzip, zlib or raw deflate to its end");
    lua_pushlstring(L, text->bytes, text->length);
    lua_pushstring(L, NAMES[form]);
    return 2;
}

int module_inflate(lua_State *L)
{
    static const luaL_Reg FUNCTIONS[] = {{"decode", decode}, {NULL, NULL}};
    luaL_newlib(L, FUNCTIONS);
    return 1;
}
