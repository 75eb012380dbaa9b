/* ticker - a handler that runs every so often, or once after a while.
 *
 * Beats are counted from the start, so a slow handler does not shift the next ones; a beat that
 * comes while the last handler still runs or commits is skipped and counted. */
#ifndef HOST_INSTANCE_TICKER_H
#define HOST_INSTANCE_TICKER_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

struct plugin;

/* The function is on top of L's stack and is taken from it. May raise. Ticks begin when the plugin
 * has started. */
void ticker_new(lua_State *L, struct plugin *plugin, int64_t period_ms, bool once);

/* Lets all that the plugin has begin; and frees them. */
void ticker_start_all(struct plugin *plugin);
void ticker_close_all(struct plugin *plugin);

#endif
