/* bind_ftpstream - host.ftp.stream: a file that is read bit by bit.
 *
 * Invariant: `task` is set exactly while a handler waits for the stream, whose userdata is then on
 * that handler's stack. */
#include <lauxlib.h>

#include "base/base.h"
#include "host/bind.h"
#include "host/bind_ftp.h"
#include "host/plugin.h"

enum { READ_MOST = 64 * 1024 };

static const char STREAM[] = "outpost.ftpstream";

struct ftpstream {
    struct fetch *fetch; /* NULL: closed */
    struct task *task;
    struct loop *loop;
    struct loop_timer patience;
    int64_t patience_ms; /* 0: as long as the stream lives */
    bool late;
};

static int stream_close(lua_State *L)
{
    struct ftpstream *stream = luaL_checkudata(L, 1, STREAM);
    if (stream->task != NULL && task_of(L) != NULL)
        return luaL_error(L, "stream: another handler waits for it");
    loop_timer_stop(&stream->patience);
    fetch_close(stream->fetch);
    stream->fetch = NULL;
    return 0;
}

/* ---- Waiting */

static void wake(struct ftpstream *stream)
{
    struct task *task = stream->task;
    stream->task = NULL;
    if (task != NULL)
        task_wake(task);
}

static void stream_news(void *owner)
{
    wake(owner);
}

static void patience_over(struct loop_timer *timer)
{
    struct ftpstream *stream = container_of(timer, struct ftpstream, patience);
    stream->late = true;
    wake(stream);
}

static int wait(lua_State *L, struct ftpstream *stream, lua_KFunction finish)
{
    task_check(L);
    stream->task = task_of(L);
    return task_park(L, finish, stream);
}

/* ---- host.ftp.stream */

static int open_finish(lua_State *L, int status, lua_KContext context)
{
    struct ftpstream *stream = (struct ftpstream *)context;
    const struct fetch_answer *answer = fetch_answer(stream->fetch);
    (void)status;
    if (!answer->begun && !answer->over)
        return wait(L, stream, open_finish);
    if (!answer->begun && answer->fault) {
        int results = bind_ftp_fail(L, answer);
        fetch_close(stream->fetch);
        stream->fetch = NULL;
        return results;
    }
    lua_pushvalue(L, 2);
    bind_ftp_file(L, answer);
    return 2;
}

static int open_stream(lua_State *L)
{
    task_check(L);
    lua_settop(L, 1);
    bind_ftp_shared(L);
    struct ftpstream *stream = lua_newuserdatauv(L, sizeof(*stream), 0);
    *stream =
        (struct ftpstream){.loop = plugin_of(L)->loop, .patience.fire = patience_over};
    luaL_setmetatable(L, STREAM); /* from here on __gc cleans up */
    int results =
        bind_ftp_start(L, &stream->fetch, FETCH_READ, true, stream_news, stream);
    return results > 0 ? results : wait(L, stream, open_finish);
}

/* ---- Reading */

/* When nothing more comes for now, or ever. */
static int fail(lua_State *L, const struct ftpstream *stream)
{
    const struct fetch_answer *answer = fetch_answer(stream->fetch);
    if (answer->over && answer->fault)
        return bind_ftp_fail(L, answer);
    if (answer->over)
        return bind_fail(L, "closed", "the file has ended");
    return bind_fail(L, "timeout", "nothing came in %lld ms",
                     (long long)stream->patience_ms);
}

static int read_finish(lua_State *L, int status, lua_KContext context)
{
    struct ftpstream *stream = (struct ftpstream *)context;
    const struct fetch_answer *answer = fetch_answer(stream->fetch);
    size_t length = answer->body.length < READ_MOST ? answer->body.length : READ_MOST;
    (void)status;
    if (length == 0 && !answer->over && !stream->late)
        return wait(L, stream, read_finish);
    loop_timer_stop(&stream->patience);
    if (length == 0)
        return fail(L, stream);
    plugin_heard(plugin_of(L));
    lua_pushlstring(L, answer->body.bytes, length);
    fetch_take(stream->fetch, length);
    return bind_breathe(L, 1);
}

static int stream_read(lua_State *L)
{
    static const char *const OPTIONS[] = {"timeout", NULL};
    struct ftpstream *stream = luaL_checkudata(L, 1, STREAM);
    plugin_of(L); /* raises outside of a task */
    luaL_argcheck(L, stream->fetch != NULL, 1, "the stream is closed");
    luaL_argcheck(L, stream->task == NULL, 1, "another handler waits for it");
    lua_settop(L, 2);
    bind_options(L, 2, OPTIONS);
    stream->patience_ms = bind_duration_in(L, 2, "timeout", 1, 3600000, 0);
    stream->late = false;
    if (stream->patience_ms > 0)
        loop_timer_start(stream->loop, &stream->patience, stream->patience_ms);
    return read_finish(L, LUA_OK, (lua_KContext)stream);
}

static const luaL_Reg METHODS[] = {
    {"read", stream_read}, {"close", stream_close}, {NULL, NULL}};

void bind_ftpstream(lua_State *L)
{
    bind_class(L, STREAM, METHODS, stream_close);
    lua_pushcfunction(L, open_stream);
    lua_setfield(L, -2, "stream");
}
