/* world - what lua/config.lua may ask while a configuration runs: files and positions. */
#ifndef HOST_WORLD_H
#define HOST_WORLD_H

#include <lua.h>

#include "base/buffer.h"
#include "host/boundary/sandbox.h"

struct world {
    const char *file;    /* the configuration, as the user named it */
    const char *folder;  /* absolute folder of the configuration */
    const char *plugins; /* absolute folder of the plugins */
    struct sandbox sandbox;
    struct buffer text; /* the configuration's text */
    char blamed[600]; /* the plugin that used up the budget, and where; empty: none did */
};

/* The chunk name of the configuration: messages of Lua begin with it. */
#define WORLD_CHUNK "configuration"

/* Pushes the table of functions that lua/config.lua calls `world`. May raise. */
void world_push(lua_State *L, struct world *world);

#endif
