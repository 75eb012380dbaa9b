/* capability - what a plugin gets in `host` only when its manifest names it in `needs`. */
#ifndef HOST_BIND_CAPABILITY_H
#define HOST_BIND_CAPABILITY_H

#include <lua.h>

/* Adds a table to the one on top of the stack; may raise. */
typedef void capability_bind(lua_State *L);

/* What binds it. NULL when there is none of that name, or it is an annex that has not been loaded. */
capability_bind *capability_find(const char *name);

#endif
