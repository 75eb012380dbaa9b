/* bind_tcp - host.tcp: connections to devices, and a port that devices connect to. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/base.h"
#include "host/bind/bind.h"
#include "host/instance/plugin.h"
#include "host/lines/conn.h"
#include "host/lines/dial.h"
#include "host/lines/lineurl.h"
#include "host/lines/listener.h"
#include "host/lines/socket.h"

enum {
    CONNECT_MS = 10 * 1000,
    CONNECT_MOST_MS = 5 * 60 * 1000,
    KEEPALIVE_MS = 60 * 1000,
    KEEPALIVE_LEAST_MS = 3 * 1000,
    KEEPALIVE_MOST_MS = 24 * 3600 * 1000
};

static const char CALL[] = "outpost.call", LISTENER[] = "outpost.listener";

/* Somebody who is being connected to. */
struct call {
    struct dial dial;
    struct task *task;
    struct conn *conn; /* below it on the same stack */
    bool nodelay;
    int64_t keepalive_ms;
    int err;
    char host[URLPART_ROOM];
};

/* ---- Options of both */

static int64_t keepalive_in(lua_State *L, int options)
{
    return bind_duration_in(L, options, "keepalive", KEEPALIVE_LEAST_MS,
                            KEEPALIVE_MOST_MS, KEEPALIVE_MS);
}

/* ---- host.tcp.connect(url[, options]) */

static void call_over(struct dial *dial, int err)
{
    struct call *call = container_of(dial, struct call, dial);
    call->err = err;
    task_wake(call->task);
}

static int call_close(lua_State *L)
{
    struct call *call = luaL_checkudata(L, 1, CALL);
    dial_stop(&call->dial);
    return 0;
}

/* Nothing here raises until the connection has its socket. */
static int connect_finish(lua_State *L, int status, lua_KContext context)
{
    struct call *call = (struct call *)context;
    char peer[ADDRESS_ROOM];
    (void)status;
    if (call->err) {
        plugin_unheard(call->task->plugin);
        return bind_fail(L, dial_code(call->err), "%s: %s", call->host,
                         dial_why(call->err));
    }
    int port = address_port(&call->dial.peer);
    address_print(&call->dial.peer, peer);
    socket_tune(call->dial.fd, call->nodelay, call->keepalive_ms);
    conn_open(call->conn, call->task->plugin->loop, call->dial.fd, peer, port);
    lua_pushvalue(L, -2);
    return 1;
}

static int tcp_connect(lua_State *L)
{
    static const char *const NAMES[] = {"timeout",   "idle",    "silence",
                                        "keepalive", "nodelay", NULL};
    struct lineurl url;
    struct conn_options options;
    char why[200];
    struct plugin *plugin = plugin_of(L);
    const char *text = luaL_checkstring(L, 1);
    lua_settop(L, 2);
    bind_options(L, 2, NAMES);
    if (lineurl_parse(&url, LINEURL_TCP, text, why, sizeof(why)) != 0)
        return bind_fail(L, "argument", "%s", why);
    int64_t timeout_ms =
        bind_duration_in(L, 2, "timeout", 1, CONNECT_MOST_MS, CONNECT_MS);
    conn_options(L, 2, &options);
    task_check(L);
    struct conn *conn = conn_new(L, &options);
    struct call *call = lua_newuserdatauv(L, sizeof(*call), 0);
    *call = (struct call){.dial.done = call_over, .task = task_of(L), .conn = conn};
    luaL_setmetatable(L, CALL); /* from here on __gc cleans up */
    call->nodelay = bind_flag_in(L, 2, "nodelay", true);
    call->keepalive_ms = keepalive_in(L, 2);
    strcpy(call->host, url.place);
    dial_start(plugin->loop, &call->dial, SOCK_STREAM, url.place, url.port, timeout_ms);
    return task_park(L, connect_finish, call);
}

/* ---- host.tcp.listen(url, options, fn) */

static void add_range(lua_State *L, struct listener_options *options)
{
    const char *text = lua_tostring(L, -1);
    if (options->allow_count == LISTENER_ALLOW_MAX)
        luaL_error(L, "allow: expected at most %d addresses", LISTENER_ALLOW_MAX);
    if (text == NULL ||
        address_range_parse(&options->allow[options->allow_count++], text))
        luaL_error(
            L,
            "allow: expected addresses such as \"10.0.0.5\" or \"10.0.0.0/24\", got %s",
            luaL_tolstring(L, -1, NULL));
}

/* The list `allow` is on top. One that is empty would let everybody in. */
static void read_allow(lua_State *L, struct listener_options *options)
{
    if (lua_isnil(L, -1))
        return;
    luaL_argcheck(L, lua_istable(L, -1) && luaL_len(L, -1) > 0, 2,
                  "allow: expected a list of addresses");
    lua_Integer count = luaL_len(L, -1);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_geti(L, -1, i);
        add_range(L, options);
        lua_pop(L, 1);
    }
}

static void read_options(lua_State *L, struct listener_options *options)
{
    static const char *const NAMES[] = {"connections", "idle",    "silence", "allow",
                                        "keepalive",   "nodelay", NULL};
    bind_options(L, 2, NAMES);
    *options = (struct listener_options){.connections = LISTENER_CONNECTIONS};
    conn_options(L, 2, &options->conn);
    options->nodelay = bind_flag_in(L, 2, "nodelay", true);
    options->keepalive_ms = keepalive_in(L, 2);
    if (lua_isnil(L, 2))
        return;
    if (lua_getfield(L, 2, "connections") != LUA_TNIL) {
        lua_Integer count = luaL_checkinteger(L, -1);
        luaL_argcheck(L, count >= 1 && count <= LISTENER_CONNECTIONS_MAX, 2,
                      "connections: expected 1 to 100");
        options->connections = (int)count;
    }
    lua_getfield(L, 2, "allow");
    read_allow(L, options);
    lua_pop(L, 2);
}

static int fail_to_listen(lua_State *L, const char *url, int err)
{
    const char *code = err == -EADDRINUSE                ? "busy"
                       : err == -EACCES || err == -EPERM ? "denied"
                                                         : "argument";
    return bind_fail(L, code, "%s: cannot be listened on: %s", url, strerror(-err));
}

static int tcp_listen(lua_State *L)
{
    struct lineurl url;
    struct address address;
    struct listener_options options;
    char why[200];
    struct plugin *plugin = plugin_of(L);
    const char *text = luaL_checkstring(L, 1);
    lua_settop(L, 3);
    luaL_checktype(L, 3, LUA_TFUNCTION);
    if (plugin->slots == PLUGIN_SLOTS_MAX)
        return luaL_error(L, "more than %d timers and subscriptions", PLUGIN_SLOTS_MAX);
    if (lineurl_parse(&url, LINEURL_TCP, text, why, sizeof(why)) != 0)
        return bind_fail(L, "argument", "%s", why);
    if (address_parse(&address, url.place, url.port) != 0)
        return bind_fail(L, "argument",
                         "%s: expected an address of this machine, not a name", text);
    read_options(L, &options);
    struct listener **box = lua_newuserdatauv(L, sizeof(struct listener *), 0);
    luaL_setmetatable(L, LISTENER);
    lua_pushvalue(L, 3);
    int err = listener_new(L, plugin, box, &address, &options);
    return err ? fail_to_listen(L, text, err) : 1;
}

/* The listener lives as long as the plugin, its handle may go before. */
static struct listener *check_listener(lua_State *L)
{
    return *(struct listener **)luaL_checkudata(L, 1, LISTENER);
}

static int close_listener(lua_State *L)
{
    listener_stop(check_listener(L));
    return 0;
}

/* Its handle goes, and it stays. */
static int keep_listener(lua_State *L)
{
    (void)L;
    return 0;
}

static int push_port(lua_State *L)
{
    lua_pushinteger(L, listener_port(check_listener(L)));
    return 1;
}

static int push_count(lua_State *L)
{
    lua_pushinteger(L, listener_count(check_listener(L)));
    return 1;
}

static const luaL_Reg LISTENER_METHODS[] = {
    {"close", close_listener}, {"port", push_port}, {"count", push_count}, {NULL, NULL}};
static const luaL_Reg CALL_METHODS[] = {{NULL, NULL}};
static const luaL_Reg FUNCTIONS[] = {
    {"connect", tcp_connect}, {"listen", tcp_listen}, {NULL, NULL}};

void bind_tcp(lua_State *L)
{
    conn_bind(L);
    bind_class(L, CALL, CALL_METHODS, call_close);
    bind_class(L, LISTENER, LISTENER_METHODS, keep_listener);
    luaL_newlib(L, FUNCTIONS);
    lua_setfield(L, -2, "tcp");
}
