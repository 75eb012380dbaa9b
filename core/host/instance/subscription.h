/* subscription - a handler that consumes the journal, event by event, exactly once.
 *
 * A handler's effects and the mark that its event is consumed commit together. Many small handlers
 * share one commit: a handler that fails drops its own effects only. Its event is tried again
 * after 1 s, doubling to 60 s; after SUBSCRIPTION_TRIES failures in a row it is skipped with an
 * error line and counted, so that one event cannot block all later ones. */
#ifndef HOST_INSTANCE_SUBSCRIPTION_H
#define HOST_INSTANCE_SUBSCRIPTION_H

#include <lua.h>

enum { SUBSCRIPTION_TRIES = 10 };

struct plugin;

/* The function is on top of L's stack and is taken from it. May raise, also when the plugin has a
 * subscription of that pattern: the pattern names the durable cursor. */
void subscription_new(lua_State *L, struct plugin *plugin, const char *pattern);

/* Lets all that the plugin has begin; and frees them. */
void subscription_start_all(struct plugin *plugin);
void subscription_close_all(struct plugin *plugin);

#endif
