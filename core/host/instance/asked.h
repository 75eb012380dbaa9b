/* asked - what people ask of the plugin: its actions and views, each question a handler of its own.
 *
 * The keeper has checked who may ask. A question's params are checked and completed by its schema; its
 * effects are durable before the answer goes out, and dropped when it fails. A view has none. At most
 * ASKED_MAX run at once; one that never ends keeps its place until the process ends. */
#ifndef HOST_INSTANCE_ASKED_H
#define HOST_INSTANCE_ASKED_H

#include <lua.h>

#include "wire/frame.h"

enum { ASKED_MAX = 8 };

struct plugin;
struct asked;

/* From the manifest on top of the stack: keeps what it declares. May raise. */
void asked_read(lua_State *L, struct plugin *plugin);

/* ASK came from the keeper. */
void asked_hear(struct plugin *plugin, const struct frame *frame);

/* Forgets all that run. */
void asked_close_all(struct plugin *plugin);

#endif
