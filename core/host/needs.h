/* needs - the words that a manifest's `needs` may hold: capabilities of `host`, and modules. */
#ifndef HOST_NEEDS_H
#define HOST_NEEDS_H

#include <lua.h>

/* Pushes them as a list. */
void needs_push(lua_State *L);

#endif
