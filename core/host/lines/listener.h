/* listener - a port that devices connect to; each connection runs a handler of its own.
 *
 * A handler owns its connection: what it gathers commits when it returns, then the connection is closed.
 * Beyond `connections` at once a further one is closed at the door and counted (tcp_refused), so is one
 * from an address that is not welcome (tcp_strangers). */
#ifndef HOST_LINES_LISTENER_H
#define HOST_LINES_LISTENER_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#include "host/lines/address.h"
#include "host/lines/conn.h"

enum {
    LISTENER_CONNECTIONS = 64,
    LISTENER_CONNECTIONS_MAX = 100,
    LISTENER_ALLOW_MAX = 64
};

struct plugin;
struct listener;

struct listener_options {
    struct conn_options conn;
    int connections;
    bool nodelay;
    int64_t keepalive_ms;
    int allow_count; /* 0: everybody is welcome */
    struct address_range allow[LISTENER_ALLOW_MAX];
};

/* The function is on top of L's stack and is taken from it. 0, or a negative errno when the address
 * cannot be listened on. May raise. Connections are taken from when the plugin has started. */
int listener_new(lua_State *L, struct plugin *plugin, struct listener **out,
                 const struct address *address, const struct listener_options *options);

/* Takes no more connections; those there are go on. The memory stays until the plugin ends. */
void listener_stop(struct listener *listener);
int listener_port(const struct listener *listener);
/* Connections there are now. */
int listener_count(const struct listener *listener);

/* Lets all that the plugin has begin; and frees them. */
void listener_start_all(struct plugin *plugin);
void listener_close_all(struct plugin *plugin);

#endif
