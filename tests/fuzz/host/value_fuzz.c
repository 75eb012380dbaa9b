/* The input as JSON for Lua: what is read is written and read again, and is the same the second
 * time. */
#include "host/bind/value.h"

#include <lauxlib.h>
#include <stdint.h>
#include <string.h>

#include "base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static int decode(lua_State *L)
{
    size_t length;
    const char *text = lua_tolstring(L, 1, &length);
    return value_decode(L, text, length) == NULL;
}

/* The JSON of the value on top, which is taken; NULL when there is none. */
static const char *write(lua_State *L, struct buffer *out)
{
    const char *why = value_encode(L, -1, out, 1 << 20);
    lua_pop(L, 1);
    return why == NULL ? buffer_text(out) : NULL;
}

static void again(lua_State *L, const char *first)
{
    struct buffer out = {0};
    const char *why = value_decode(L, first, strlen(first));
    ASSERT(why == NULL);
    const char *second = write(L, &out);
    ASSERT(second != NULL && strlen(second) == strlen(first));
    buffer_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct buffer out = {0};
    lua_State *L = luaL_newstate();
    lua_pushcfunction(L, decode);
    lua_pushlstring(L, (const char *)bytes, length);
    int status = lua_pcall(L, 1, LUA_MULTRET, 0);
    ASSERT(status == LUA_OK);
    if (lua_gettop(L) == 1) {
        const char *text = write(L, &out);
        if (text != NULL && strlen(text) == out.length)
            again(L, text);
    }
    buffer_free(&out);
    lua_close(L);
    return 0;
}
