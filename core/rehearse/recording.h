/* recording - what was recorded of devices, in a replay: a file as wire/pcapng.h reads it, of which
 * lua/test/recorded.lua makes doubles, in a Lua of its own. */
#ifndef REHEARSE_RECORDING_H
#define REHEARSE_RECORDING_H

#include <lua.h>
#include <stddef.h>

struct office;
struct recording;

/* Gives the office its devices. 0, or a negative errno and what is wrong in `why`. */
int recording_open(struct recording **out, struct office *office, const void *bytes,
                   size_t length, const char *library, char *why, size_t room);
void recording_close(struct recording *recording); /* NULL is fine */

/* The Lua of its doubles: who plays the office names it. */
lua_State *recording_state(struct recording *recording);

#endif
