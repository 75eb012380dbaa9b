/* needs - see needs.h. Who adds a capability or a module adds its word here: `outpost check` refuses
 * every other one. */
#include "host/needs.h"

#include "base/base.h"

static const char *const WORDS[] = {"modbus", "tcp",    "udp",    "serial", "http",
                                    "ftp",    "serve",  "blob",   "folder", "gbk",
                                    "xml",    "digest", "inflate"};

void needs_push(lua_State *L)
{
    lua_createtable(L, (int)countof(WORDS), 0);
    for (size_t i = 0; i < countof(WORDS); i++) {
        lua_pushstring(L, WORDS[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}
