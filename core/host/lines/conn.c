/* conn - see conn.h.
 *
 * Rule of this file: bytes are taken from the stream only after they are a text of Lua, so that none
 * is lost when memory ends between. */
#include "host/lines/conn.h"

#include <errno.h>
#include <lauxlib.h>
#include <stdio.h>

#include "base/base.h"
#include "host/bind/bind.h"
#include "host/instance/plugin.h"
#include "host/tap/tap.h"

enum { SILENCE_MOST_MS = 10 * 1000 };

static const char CONN[] = "outpost.conn";

static void read_over(struct stream *stream)
{
    task_wake(container_of(stream, struct conn, stream)->reader);
}

static void write_over(struct stream *stream)
{
    task_wake(container_of(stream, struct conn, stream)->writer);
}

/* One device, however often it calls. */
static void moved(struct stream *stream, bool is_out, const void *bytes, size_t length)
{
    const struct conn *conn = container_of(stream, struct conn, stream);
    char name[CONN_PEER_ROOM + 20];
    if (!tap_is_on())
        return;
    if (conn->port == 0)
        snprintf(name, sizeof(name), "serial://%s", conn->peer);
    else if (conn->has_called)
        snprintf(name, sizeof(name), "tcp://%s", conn->peer);
    else
        snprintf(name, sizeof(name), "tcp://%s:%d", conn->peer, conn->port);
    tap_put(name, is_out ? RING_OUT : RING_IN, bytes, length);
}

static struct conn *check_conn(lua_State *L)
{
    struct conn *conn = luaL_checkudata(L, 1, CONN);
    plugin_of(L); /* raises outside of a task */
    return conn;
}

static int fail(lua_State *L, const struct conn *conn, int err)
{
    return bind_fail(L, stream_code(err), "%s: %s", conn->peer, stream_why(err));
}

static const int64_t ANY_MS = 366LL * 86400000;
static const char *const ONLY_TIMEOUT[] = {"timeout", NULL};

void conn_options(lua_State *L, int options, struct conn_options *read)
{
    read->idle_ms = bind_duration_in(L, options, "idle", 1, ANY_MS, CONN_IDLE_MS);
    read->silence_ms = bind_duration_in(L, options, "silence", 0, SILENCE_MOST_MS, 0);
}

/* ---- Reading */

/* Whether a task may wait is asked before anything waits. */
static int begin_read(lua_State *L, struct conn *conn, size_t least, size_t most,
                      int64_t timeout_ms, int64_t silence_ms)
{
    task_check(L);
    int err = stream_read(&conn->stream, least, most, timeout_ms, silence_ms);
    if (err == -EINPROGRESS)
        conn->reader = task_of(L);
    return err;
}

static int push_read(lua_State *L, struct conn *conn)
{
    size_t length = stream_readable(&conn->stream);
    plugin_heard(plugin_of(L));
    lua_pushlstring(L, conn->stream.in.bytes, length);
    stream_take(&conn->stream, length);
    return 1;
}

static int read_finish(lua_State *L, int status, lua_KContext context)
{
    struct conn *conn = (struct conn *)context;
    (void)status;
    int err = conn->stream.read_err;
    if (!err)
        return push_read(L, conn);
    int results = fail(L, conn, err);
    lua_pushinteger(L, (lua_Integer)conn->stream.in.length);
    return results + 1;
}

static int end_read(lua_State *L, struct conn *conn, int err)
{
    if (err == -EINPROGRESS)
        return task_park(L, read_finish, conn);
    if (err == -EBUSY)
        return fail(L, conn, err);
    return err ? read_finish(L, LUA_OK, (lua_KContext)conn)
               : bind_breathe(L, push_read(L, conn));
}

static size_t check_count(lua_State *L, int argument, lua_Integer count)
{
    luaL_argcheck(L, count >= 1 && count <= STREAM_READ_MAX, argument,
                  "expected 1 to 65536 bytes");
    return (size_t)count;
}

/* conn:read([{ most =, timeout =, silence = }]) */
static int conn_read(lua_State *L)
{
    struct conn *conn = check_conn(L);
    size_t most = STREAM_CHUNK;
    static const char *const NAMES[] = {"most", "timeout", "silence", NULL};
    lua_settop(L, 2);
    bind_options(L, 2, NAMES);
    int64_t timeout_ms = bind_duration_in(L, 2, "timeout", 0, ANY_MS, conn->idle_ms);
    int64_t silence_ms =
        bind_duration_in(L, 2, "silence", 0, SILENCE_MOST_MS, conn->silence_ms);
    if (!lua_isnil(L, 2) && lua_getfield(L, 2, "most") != LUA_TNIL)
        most = check_count(L, 2, luaL_checkinteger(L, -1));
    lua_settop(L, 2);
    return end_read(L, conn, begin_read(L, conn, 1, most, timeout_ms, silence_ms));
}

/* conn:read_exactly(count[, { timeout = }]) */
static int conn_read_exactly(lua_State *L)
{
    struct conn *conn = check_conn(L);
    size_t count = check_count(L, 2, luaL_checkinteger(L, 2));
    lua_settop(L, 3);
    bind_options(L, 3, ONLY_TIMEOUT);
    int64_t timeout_ms = bind_duration_in(L, 3, "timeout", 0, ANY_MS, conn->idle_ms);
    return end_read(L, conn, begin_read(L, conn, count, count, timeout_ms, 0));
}

/* ---- Frames: the reader (lua/frames.lua) is at 2, what it keeps is in it */

static void call_reader(lua_State *L, const char *method, int arguments)
{
    lua_getfield(L, 2, method);
    lua_insert(L, -arguments - 1);
    lua_pushvalue(L, 2);
    lua_insert(L, -arguments - 1);
    lua_call(L, arguments + 1, 1);
}

static int frame_step(lua_State *L, int status, lua_KContext context)
{
    struct conn *conn = (struct conn *)context;
    int err = conn->stream.read_err;
    bool came = status == LUA_YIELD;
    for (;;) {
        if (came && err)
            return read_finish(L, LUA_OK, context);
        if (came) {
            push_read(L, conn);
            call_reader(L, "push", 1);
            lua_pop(L, 1);
        }
        call_reader(L, "pop", 0);
        if (!lua_isnil(L, -1))
            return bind_breathe(L, 1);
        lua_pop(L, 1);
        int64_t left_ms = conn->frame_until_ms - plugin_now_ms();
        if (came && left_ms <= 0)
            return fail(L, conn, -ETIMEDOUT);
        err = begin_read(L, conn, 1, STREAM_CHUNK, left_ms, 0);
        if (err == -EINPROGRESS)
            return task_park(L, frame_step, conn);
        if (err == -EBUSY)
            return fail(L, conn, err);
        came = true;
    }
}

/* conn:read_frame(reader[, { timeout = }]): the time-out is for the whole frame. */
static int conn_read_frame(lua_State *L)
{
    struct conn *conn = check_conn(L);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 3);
    bind_options(L, 3, ONLY_TIMEOUT);
    int64_t timeout_ms = bind_duration_in(L, 3, "timeout", 0, ANY_MS, conn->idle_ms);
    if (conn->stream.is_reading)
        return fail(L, conn, -EBUSY);
    conn->frame_until_ms = plugin_now_ms() + timeout_ms;
    return frame_step(L, LUA_OK, (lua_KContext)conn);
}

/* conn:discard() -> how many bytes */
static int conn_discard(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)stream_discard(&check_conn(L)->stream));
    return 1;
}

/* ---- Writing */

static int write_finish(lua_State *L, int status, lua_KContext context)
{
    struct conn *conn = (struct conn *)context;
    (void)status;
    int err = conn->stream.write_err;
    if (!err) {
        lua_pushboolean(L, 1);
        return 1;
    }
    int results = fail(L, conn, err);
    lua_pushinteger(L, (lua_Integer)conn->stream.written);
    return results + 1;
}

/* conn:write(bytes[, { timeout = }]): the bytes stay on this stack while it waits. */
static int conn_write(lua_State *L)
{
    struct conn *conn = check_conn(L);
    size_t length;
    const char *bytes = luaL_checklstring(L, 2, &length);
    luaL_argcheck(L, length <= CONN_WRITE_MAX, 2, "expected at most 1 MiB");
    lua_settop(L, 3);
    bind_options(L, 3, ONLY_TIMEOUT);
    int64_t timeout_ms = bind_duration_in(L, 3, "timeout", 0, ANY_MS, CONN_WRITE_MS);
    task_check(L);
    int err = stream_write(&conn->stream, bytes, length, timeout_ms);
    if (err == -EBUSY)
        return fail(L, conn, err);
    if (err != -EINPROGRESS)
        return bind_breathe(L, write_finish(L, LUA_OK, (lua_KContext)conn));
    conn->writer = task_of(L);
    return task_park(L, write_finish, conn);
}

/* ---- Life */

static int conn_peer(lua_State *L)
{
    const struct conn *conn = check_conn(L);
    lua_pushstring(L, conn->peer);
    if (conn->port == 0)
        return 1;
    lua_pushinteger(L, conn->port);
    return 2;
}

void conn_open(struct conn *conn, struct loop *loop, int fd, const char *peer, int port)
{
    stream_open(&conn->stream, loop, fd, port != 0);
    snprintf(conn->peer, sizeof(conn->peer), "%s", peer);
    conn->port = port;
}

void conn_close(struct conn *conn)
{
    stream_close(&conn->stream);
}

static int conn_hang_up(lua_State *L)
{
    conn_close(luaL_checkudata(L, 1, CONN));
    return 0;
}

/* Nobody waits on what is collected, or the plugin ends. */
static int conn_collect(lua_State *L)
{
    struct conn *conn = luaL_checkudata(L, 1, CONN);
    stream_drop(&conn->stream);
    return 0;
}

struct conn *conn_new(lua_State *L, const struct conn_options *options)
{
    struct conn *conn = lua_newuserdatauv(L, sizeof(*conn), 0);
    *conn = (struct conn){.stream.read_over = read_over,
                          .stream.write_over = write_over,
                          .stream.moved = moved,
                          .idle_ms = options->idle_ms,
                          .silence_ms = options->silence_ms};
    luaL_setmetatable(L, CONN); /* from here on __gc cleans up */
    return conn;
}

static const luaL_Reg METHODS[] = {
    {"read", conn_read},
    {"read_exactly", conn_read_exactly},
    {"read_frame", conn_read_frame},
    {"discard", conn_discard},
    {"write", conn_write},
    {"peer", conn_peer},
    {"close", conn_hang_up},
    {NULL, NULL},
};

void conn_bind(lua_State *L)
{
    bind_class(L, CONN, METHODS, conn_collect);
    luaL_getmetatable(L, CONN);
    lua_pushcfunction(L, conn_hang_up); /* another handler may wait on it */
    lua_setfield(L, -2, "__close");
    lua_pop(L, 1);
}
