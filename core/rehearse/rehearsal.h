/* rehearsal - the module `rehearsal` of a test file: offices for lua/test/testing/office.lua.
 *
 * What tests call is there and in plugins/README.md; this is only what Lua cannot do by itself. A
 * method that plays answers nothing, or a text that says why the rehearsal cannot go on. */
#ifndef REHEARSE_REHEARSAL_H
#define REHEARSE_REHEARSAL_H

#include <lua.h>

/* Counts of a run, shared by all its processes. */
struct rehearsal_tally {
    int passed, failed, skipped;
};

struct rehearsal {
    struct rehearsal_tally *tally;
    const char *library; /* folder of the Lua libraries */
    const char *folder;  /* of the plugin under test */
};

/* What require "rehearsal" calls; upvalue 1 is a light userdata, struct rehearsal. May raise. */
int rehearsal_load(lua_State *L);

#endif
