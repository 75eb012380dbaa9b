/* bind_udp - host.udp: messages to a device, or from whoever sends them to a port. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/base.h"
#include "host/bind/bind.h"
#include "host/instance/plugin.h"
#include "host/lines/datagram.h"
#include "host/lines/dial.h"
#include "host/lines/lineurl.h"
#include "host/lines/socket.h"
#include "host/tap/tap.h"

enum {
    CONNECT_MS = 10 * 1000,
    IDLE_MS = 5 * 60 * 1000,
    MOST_BYTES = 2048 /* more than an Ethernet frame carries */
};

static const int64_t ANY_MS = 366LL * 86400000;
static const char PORT[] = "outpost.udp";

struct port {
    struct datagram datagram;
    struct dial dial; /* towards the peer, until it is found */
    struct task *task;
    int64_t idle_ms;
    int64_t until_ms; /* of the receive that waits */
    size_t most;
    int err;    /* of the dial */
    int number; /* of the URL's port */
    char name[URLPART_ROOM];
};

static struct port *check_port(lua_State *L)
{
    struct port *port = luaL_checkudata(L, 1, PORT);
    plugin_of(L); /* raises outside of a task */
    return port;
}

static int fail(lua_State *L, const struct port *port, int err)
{
    switch (err) {
    case -ETIMEDOUT:
        return bind_fail(L, "timeout", "%s: nothing came in time", port->name);
    case -ECANCELED:
        return bind_fail(L, "closed", "%s: it was closed here", port->name);
    case -EBUSY:
        return bind_fail(L, "busy", "%s: another handler waits on this port", port->name);
    case -EAGAIN:
        return bind_fail(L, "busy", "%s: the kernel takes no more now", port->name);
    case -EMSGSIZE:
        return bind_fail(L, "argument", "%s: the message is too long", port->name);
    case -EACCES:
        return bind_fail(L, "denied", "%s: only with broadcast = true", port->name);
    default:
        return bind_fail(L, dial_code(err), "%s: %s", port->name, dial_why(err));
    }
}

/* ---- port:receive([{ timeout = }]) -> bytes, address, port */

static int receive_step(lua_State *L, int status, lua_KContext context);

/* From here on the task waits, or there is an error to tell. */
static int wait_for_one(lua_State *L, struct port *port)
{
    int64_t left_ms = port->until_ms - plugin_now_ms();
    int err = datagram_wait(&port->datagram, left_ms > 0 ? left_ms : 0);
    if (err != -EINPROGRESS)
        return fail(L, port, err);
    port->task = task_of(L);
    return task_park(L, receive_step, port);
}

static void count_lost(struct port *port, bool cut, uint32_t lost)
{
    struct metrics *metrics = &port->task->plugin->metrics;
    if (cut)
        metrics_count(metrics, "udp_too_long", 1);
    if (lost > 0)
        metrics_count(metrics, "udp_lost", lost);
}

/* Where everybody is heard a device is who says it, whatever its port. */
static void record(const struct port *port, enum ring_way way,
                   const struct address *address, const void *bytes, size_t length)
{
    char name[URLPART_ROOM + 20], text[ADDRESS_ROOM];
    if (!tap_is_on())
        return;
    if (port->datagram.is_connected) {
        snprintf(name, sizeof(name), "udp://%s:%d", port->name, port->number);
    } else {
        address_print(address, text);
        snprintf(name, sizeof(name), "udp://%s", text);
    }
    tap_put(name, way, bytes, length);
}

static int push_address(lua_State *L, const struct address *from)
{
    char text[ADDRESS_ROOM];
    address_print(from, text);
    lua_pushstring(L, text);
    lua_pushinteger(L, address_port(from));
    return 3;
}

static int receive_step(lua_State *L, int status, lua_KContext context)
{
    struct port *port = (struct port *)context;
    struct address from;
    luaL_Buffer bytes;
    uint32_t lost;
    (void)status;
    if (port->datagram.err)
        return fail(L, port, port->datagram.err);
    lua_settop(L, 2);
    char *room = luaL_buffinitsize(L, &bytes, port->most);
    ssize_t length = datagram_take(&port->datagram, room, port->most, &from, &lost);
    count_lost(port, length == -EMSGSIZE, lost);
    if (length >= 0) {
        record(port, RING_IN, &from, room, (size_t)length);
        luaL_pushresultsize(&bytes, (size_t)length);
        plugin_heard(plugin_of(L));
        return push_address(L, &from);
    }
    if (length != -EAGAIN && length != -EMSGSIZE)
        return fail(L, port, (int)length);
    if (plugin_now_ms() >= port->until_ms)
        return fail(L, port, -ETIMEDOUT);
    lua_settop(L, 2);
    return wait_for_one(L, port);
}

static int port_receive(lua_State *L)
{
    static const char *const NAMES[] = {"timeout", NULL};
    struct port *port = check_port(L);
    lua_settop(L, 2);
    bind_options(L, 2, NAMES);
    int64_t timeout_ms = bind_duration_in(L, 2, "timeout", 0, ANY_MS, port->idle_ms);
    task_check(L);
    if (port->datagram.is_waiting)
        return fail(L, port, -EBUSY);
    port->until_ms = plugin_now_ms() + timeout_ms;
    return wait_for_one(L, port);
}

/* ---- port:send(bytes[, address, port]) -> true */

static const struct address *check_address(lua_State *L, const struct port *port,
                                           struct address *address)
{
    bool is_named = !lua_isnoneornil(L, 3);
    luaL_argcheck(L, is_named != port->datagram.is_connected || !port->datagram.is_open,
                  3,
                  is_named ? "this one sends to its own peer only"
                           : "expected an address, such as receive() gives");
    if (!is_named)
        return NULL;
    lua_Integer number = luaL_checkinteger(L, 4);
    luaL_argcheck(L, number >= 1 && number <= UINT16_MAX, 4, "expected 1 to 65535");
    luaL_argcheck(L, address_parse(address, luaL_checkstring(L, 3), (int)number) == 0, 3,
                  "expected an address, not a name");
    return address;
}

static int port_send(lua_State *L)
{
    struct port *port = check_port(L);
    struct address address;
    size_t length;
    const char *bytes = luaL_checklstring(L, 2, &length);
    luaL_argcheck(L, length <= DATAGRAM_MAX, 2, "expected at most 65507 bytes");
    const struct address *to = check_address(L, port, &address);
    int err = datagram_send(&port->datagram, bytes, length, to);
    if (err == -ECONNREFUSED) /* that was about an earlier one */
        err = datagram_send(&port->datagram, bytes, length, to);
    if (err)
        return fail(L, port, err);
    record(port, RING_OUT, to, bytes, length);
    lua_pushboolean(L, 1);
    return bind_breathe(L, 1);
}

static int port_number(lua_State *L)
{
    const struct port *port = check_port(L);
    lua_pushinteger(L, port->datagram.is_open ? socket_port(port->datagram.fd) : 0);
    return 1;
}

/* ---- host.udp.open(url[, options]) */

static void came(struct datagram *datagram)
{
    task_wake(container_of(datagram, struct port, datagram)->task);
}

static void dialled(struct dial *dial, int err)
{
    struct port *port = container_of(dial, struct port, dial);
    port->err = err;
    task_wake(port->task);
}

static int open_finish(lua_State *L, int status, lua_KContext context)
{
    struct port *port = (struct port *)context;
    struct plugin *plugin = port->task->plugin;
    (void)status;
    if (port->err)
        return fail(L, port, port->err);
    datagram_open(&port->datagram, plugin->loop, port->dial.fd, true);
    lua_pushvalue(L, 3);
    return 1;
}

static struct port *new_port(lua_State *L, const struct lineurl *url)
{
    struct port *port = lua_newuserdatauv(L, sizeof(*port), 0);
    *port = (struct port){.datagram.came = came, .dial.done = dialled};
    luaL_setmetatable(L, PORT); /* from here on __gc cleans up */
    strcpy(port->name, url->place);
    port->number = url->port;
    port->task = task_of(L);
    port->idle_ms = bind_duration_in(L, 2, "idle", 1, ANY_MS, IDLE_MS);
    port->most = MOST_BYTES;
    if (lua_isnil(L, 2) || lua_getfield(L, 2, "most") == LUA_TNIL)
        return port;
    lua_Integer most = luaL_checkinteger(L, -1);
    luaL_argcheck(L, most >= 1 && most <= DATAGRAM_MAX, 2, "most: expected 1 to 65507");
    port->most = (size_t)most;
    return port;
}

/* A port of this machine: everybody's messages. */
static int listen_at(lua_State *L, struct port *port, const struct address *address)
{
    int fd;
    bool broadcasts = bind_flag_in(L, 2, "broadcast", false);
    int err = socket_bind(&fd, address, SOCK_DGRAM, 0);
    if (err)
        return bind_fail(L, err == -EADDRINUSE ? "busy" : "argument",
                         "%s: port %d cannot be received on: %s", port->name,
                         address_port(address), strerror(-err));
    datagram_open(&port->datagram, port->task->plugin->loop, fd, false);
    if (broadcasts)
        socket_broadcast(fd);
    lua_pushvalue(L, 3);
    return 1;
}

static int udp_open(lua_State *L)
{
    static const char *const NAMES[] = {"timeout", "idle",      "most",
                                        "listen",  "broadcast", NULL};
    struct lineurl url;
    struct address address;
    char why[200];
    struct plugin *plugin = plugin_of(L);
    const char *text = luaL_checkstring(L, 1);
    lua_settop(L, 2);
    bind_options(L, 2, NAMES);
    if (lineurl_parse(&url, LINEURL_UDP, text, why, sizeof(why)) != 0)
        return bind_fail(L, "argument", "%s", why);
    int64_t timeout_ms = bind_duration_in(L, 2, "timeout", 1, ANY_MS, CONNECT_MS);
    bool is_address = address_parse(&address, url.place, url.port) == 0;
    bool listens = bind_flag_in(L, 2, "listen", false);
    if (listens && !is_address)
        return bind_fail(L, "argument", "%s: expected an address of this machine", text);
    task_check(L);
    struct port *port = new_port(L, &url);
    if (listens || (is_address && address_is_wildcard(&address)))
        return listen_at(L, port, &address);
    dial_start(plugin->loop, &port->dial, SOCK_DGRAM, url.place, url.port, timeout_ms);
    return task_park(L, open_finish, port);
}

static int port_close(lua_State *L)
{
    struct port *port = luaL_checkudata(L, 1, PORT);
    datagram_close(&port->datagram);
    return 0;
}

static int port_collect(lua_State *L)
{
    struct port *port = luaL_checkudata(L, 1, PORT);
    dial_stop(&port->dial);
    datagram_drop(&port->datagram);
    return 0;
}

static const luaL_Reg METHODS[] = {
    {"receive", port_receive}, {"send", port_send}, {"port", port_number},
    {"close", port_close},     {NULL, NULL},
};
static const luaL_Reg FUNCTIONS[] = {{"open", udp_open}, {NULL, NULL}};

void bind_udp(lua_State *L)
{
    bind_class(L, PORT, METHODS, port_collect);
    luaL_getmetatable(L, PORT);
    lua_pushcfunction(L, port_close); /* another handler may wait on it */
    lua_setfield(L, -2, "__close");
    lua_pop(L, 1);
    luaL_newlib(L, FUNCTIONS);
    lua_setfield(L, -2, "udp");
}
