/* bind_random - host.random: bytes that nobody can guess. In a rehearsal they are the same each time
 * (rehearse/standins/random.c). */
#include "base/random.h"
#include "host/bind/bind.h"

enum { BYTES_MAX = 256 };

static int random(lua_State *L)
{
    char bytes[BYTES_MAX];
    lua_Integer count = luaL_checkinteger(L, 1);
    luaL_argcheck(L, count >= 1 && count <= BYTES_MAX, 1, "expected 1 to 256 bytes");
    random_bytes(bytes, (size_t)count);
    lua_pushlstring(L, bytes, (size_t)count);
    return 1;
}

void bind_random(lua_State *L)
{
    lua_pushcfunction(L, random);
    lua_setfield(L, -2, "random");
}
