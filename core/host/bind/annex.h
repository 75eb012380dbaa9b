/* annex - a capability whose library is big, in a shared object beside the program.
 *
 * A bare host takes half a megabyte, libcurl alone several. So such a library is loaded only for a
 * plugin that names the capability in its `needs`, and before the process is confined, because
 * afterwards nothing can be loaded any more. The shared object finds the rest of the room in the
 * program that loads it. */
#ifndef HOST_BIND_ANNEX_H
#define HOST_BIND_ANNEX_H

#include <lua.h>

#include "base/json.h"

/* What libexec/outpost/host-*.so shows, as the symbol annex_NAME. */
struct annex {
    /* Whatever its library opens or reads for itself, once. 0 or a negative errno. */
    int (*prepare)(void);
    /* Adds its table to the one on top of the stack. May raise. */
    void (*bind)(lua_State *L);
};

/* Loads the annexes that the list of texts names; what is no annex is passed over. NULL, or what is
 * wrong, for people. */
const char *annex_load_all(const struct json *needs);

/* The annex of that capability, or NULL when it is not loaded. */
const struct annex *annex_find(const char *need);

#endif
