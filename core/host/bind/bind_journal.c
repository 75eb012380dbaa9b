/* bind_journal - host.on: consume the journal. */
#include "base/word.h"
#include "host/bind/bind.h"
#include "host/instance/plugin.h"
#include "host/instance/subscription.h"

static int on(lua_State *L)
{
    struct plugin *plugin = plugin_of(L);
    const char *pattern = luaL_checkstring(L, 1);
    luaL_argcheck(L, word_is_pattern(pattern), 1,
                  "expected an event type, the beginning of one and \".*\", or \"*\"");
    luaL_checktype(L, 2, LUA_TFUNCTION);
    if (plugin->slots == PLUGIN_SLOTS_MAX)
        return luaL_error(L, "more than %d timers and subscriptions", PLUGIN_SLOTS_MAX);
    lua_settop(L, 2);
    subscription_new(L, plugin, pattern);
    return 0;
}

void bind_journal(lua_State *L)
{
    lua_pushcfunction(L, on);
    lua_setfield(L, -2, "on");
}
