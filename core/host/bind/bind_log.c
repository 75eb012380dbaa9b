/* bind_log - host.log: one line for people.
 *
 * A plugin may log LOG_BURST lines at once and LOG_PER_S a second in the long run; what is more is
 * dropped and counted, because a log that one plugin fills is no log for the others. */
#include "base/log.h"
#include "host/bind/bind.h"
#include "host/instance/plugin.h"

enum { LOG_BURST = 100, LOG_PER_S = 5, DEBUG, INFO, WARN, ERROR };

static bool may_log(struct plugin *plugin)
{
    int64_t now_ms = plugin_now_ms();
    int64_t earned = (now_ms - plugin->log_tokens_ms) * LOG_PER_S / 1000;
    if (plugin->log_tokens_ms == 0 || earned > LOG_BURST)
        earned = LOG_BURST;
    if (earned > 0) {
        plugin->log_tokens += (int)earned;
        plugin->log_tokens_ms = now_ms;
    }
    if (plugin->log_tokens > LOG_BURST)
        plugin->log_tokens = LOG_BURST;
    if (plugin->log_tokens == 0) {
        metrics_count(&plugin->metrics, "log_lines_dropped", 1);
        return false;
    }
    plugin->log_tokens--;
    return true;
}

/* Upvalue 1 is string.format, upvalue 2 the level. */
static int write_line(lua_State *L)
{
    struct plugin *plugin = plugin_of(L);
    luaL_checkstring(L, 1);
    if (lua_gettop(L) > 1) {
        lua_pushvalue(L, lua_upvalueindex(1));
        lua_insert(L, 1);
        lua_call(L, lua_gettop(L) - 1, 1);
    }
    const char *text =
        luaL_checkstring(L, 1); /* string.format may be the plugin's own now */
    if (!may_log(plugin))
        return 0;
    switch (lua_tointeger(L, lua_upvalueindex(2))) {
    case DEBUG:
        log_debug("%s: %s", plugin->name, text);
        break;
    case WARN:
        log_warn("%s: %s", plugin->name, text);
        break;
    case ERROR:
        log_error("%s: %s", plugin->name, text);
        break;
    default:
        log_info("%s: %s", plugin->name, text);
    }
    return 0;
}

static void add_level(lua_State *L, const char *name, int level)
{
    lua_getglobal(L, "string");
    lua_getfield(L, -1, "format");
    lua_remove(L, -2);
    lua_pushinteger(L, level);
    lua_pushcclosure(L, write_line, 2);
    lua_setfield(L, -2, name);
}

void bind_log(lua_State *L)
{
    lua_createtable(L, 0, 4);
    add_level(L, "debug", DEBUG);
    add_level(L, "info", INFO);
    add_level(L, "warn", WARN);
    add_level(L, "error", ERROR);
    lua_setfield(L, -2, "log");
}
