/* module - what a plugin may require that is written in C: json, gbk, digest, inflate, and
 * host.xml behind lua/xml.lua.
 *
 * A module does no I/O and keeps nothing. What costs memory or must be loaded from a file is there
 * for who says so in its manifest's `needs`, because it is loaded before the process is confined. */
#ifndef HOST_MODULE_MODULE_H
#define HOST_MODULE_MODULE_H

#include <lua.h>
#include <stdbool.h>

#include "base/buffer.h"
#include "base/json.h"

struct module {
    const char *name;
    lua_CFunction open; /* pushes the module's table */
    const char *need;   /* or NULL: always there */
    int (*load)(void);  /* or NULL; a second time it does nothing */
};

/* The module that `require` finds by that name, or NULL. */
const struct module *module_find(const char *name);

/* Whether a word in `needs` means modules. */
bool module_is_need(const char *need);

/* Before the process is confined: loads what the list of texts needs (NULL: none); from then on only
 * that is there. A process that never calls it has all. 0 or a negative errno. */
int module_load(const struct json *needs);
/* The same with all that this system has. */
void module_load_all(void);

/* Pushes the module's table. Raises when the manifest does not need it. */
void module_push(lua_State *L, const struct module *module);

/* For the modules: a buffer that Lua gives back; what it points at stays on the stack. */
struct buffer *module_buffer(lua_State *L);

/* nil and the message: what a module answers when foreign bytes are not what they should be. */
int module_fail(lua_State *L, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

int module_json(lua_State *L);
int module_gbk(lua_State *L);
int module_xml(lua_State *L);
int module_digest(lua_State *L);
int module_inflate(lua_State *L);

#endif
