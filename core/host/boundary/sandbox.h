/* sandbox - the Lua that plugins and configurations see.
 *
 * The basic functions, string, table, math and utf8, each without what loads code, opens files,
 * runs for ever inside C or leaves finalisers behind. `require` finds the host's own modules
 * (module.h), then text modules of the library folder, then of the plugin's own folder, and nothing
 * else.
 *
 * Where the code of several authors runs in one state, each has a room: basic functions, libraries and
 * modules of its own, so that nothing that it changes is seen by anybody else. */
#ifndef HOST_BOUNDARY_SANDBOX_H
#define HOST_BOUNDARY_SANDBOX_H

#include <lua.h>

enum { SANDBOX_SOURCE_MAX = 512 * 1024 };

struct sandbox {
    const char *library; /* folder of the Lua libraries */
    const char *plugin;  /* folder of the plugin, or NULL */
};

/* Fills the globals of L. May raise. */
void sandbox_open(lua_State *L, const struct sandbox *sandbox);

/* In a state that was opened: pushes the globals of another room. May raise. */
void sandbox_push_room(lua_State *L, const struct sandbox *sandbox);

/* Loads a text chunk and pushes its function; the chunk is called `name` in messages. Returns
 * LUA_OK, or another status with a message pushed instead. May raise. */
int sandbox_load(lua_State *L, const char *path, const char *name);

/* The same for a room whose globals are at `room`. */
int sandbox_load_in(lua_State *L, int room, const char *path, const char *name);

#endif
