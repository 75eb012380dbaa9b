/* value - Lua values as JSON, and back.
 *
 * Whole numbers stay whole (64 bits), fractions come back bit for bit, a text that is not UTF-8
 * has its bad bytes replaced. A table with value [1] is an array, any other an object, and what is
 * both or has holes is refused, not cut down; an empty one is an object unless it came from an
 * empty array. `null` is absent in an object and
 * lightuserdata NULL in an array. Both ways refuse what is nested deeper than VALUE_DEPTH_MAX.
 *
 * Both may raise, so call them inside a task or lua_pcall(). */
#ifndef HOST_BIND_VALUE_H
#define HOST_BIND_VALUE_H

#include <lua.h>
#include <stddef.h>

#include "base/buffer.h"

enum { VALUE_DEPTH_MAX = 31 }; /* the event around it is one level more */

/* Appends the value at `index` as JSON. NULL, or why it cannot be JSON; then `out` ends anywhere
 * and the caller cuts it back. At most `most` bytes. */
const char *value_encode(lua_State *L, int index, struct buffer *out, size_t most);

/* Pushes the value that the JSON text says. NULL, or why it is no JSON; then nothing is pushed. */
const char *value_decode(lua_State *L, const char *text, size_t length);

#endif
