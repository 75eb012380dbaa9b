/* sandbox - the Lua that plugins and configurations see.
 *
 * The basic functions, string, table, math and utf8, each without what loads code, opens files,
 * runs for ever inside C or leaves finalisers behind. `require` finds the host's own modules
 * (module.h), then text modules of the library folder, then of the plugin's own folder, and nothing
 * else. */
#ifndef HOST_SANDBOX_H
#define HOST_SANDBOX_H

#include <lua.h>

enum { SANDBOX_SOURCE_MAX = 512 * 1024 };

struct sandbox {
    const char *library; /* folder of the Lua libraries */
    const char *plugin;  /* folder of the plugin, or NULL */
};

/* Fills the globals of L. `sandbox` must outlive L; its folders may change. May raise. */
void sandbox_open(lua_State *L, struct sandbox *sandbox);

/* Loads a text chunk and pushes its function; the chunk is called `name` in messages. Returns
 * LUA_OK, or another status with a message pushed instead. May raise. */
int sandbox_load(lua_State *L, const char *path, const char *name);

#endif
