/* push - what a test pushes to the plugin's server, as a device does. */
#ifndef REHEARSE_PUSH_H
#define REHEARSE_PUSH_H

#include <lua.h>

/* Once per Lua state. */
void push_open(lua_State *L);

/* office:push(url, request) -> a push, or nil when nobody listens there; push:answer() -> nothing yet, or
 * { status =, headers =, body = }, or false when it was hung up on. */
int push_send(lua_State *L);

#endif
