/* bind_ftpstream - host.ftp.stream: a file that is read bit by bit. */
#include <lauxlib.h>

#include "base/base.h"
#include "host/bind/bind.h"
#include "host/bind/bind_ftp.h"
#include "host/bind/patience.h"
#include "host/instance/plugin.h"

enum { READ_MOST = 64 * 1024 };

static const char STREAM[] = "outpost.ftpstream";

struct ftpstream {
    struct fetch *fetch; /* NULL: closed */
    struct patience patience;
};

static int stream_close(lua_State *L)
{
    struct ftpstream *stream = luaL_checkudata(L, 1, STREAM);
    if (stream->patience.task != NULL && task_of(L) != NULL)
        return luaL_error(L, "stream: another handler waits for it");
    patience_end(&stream->patience);
    fetch_close(stream->fetch);
    stream->fetch = NULL;
    return 0;
}

/* ---- host.ftp.stream */

static int open_finish(lua_State *L, int status, lua_KContext context)
{
    struct ftpstream *stream = (struct ftpstream *)context;
    const struct fetch_answer *answer = fetch_answer(stream->fetch);
    (void)status;
    if (!answer->begun && !answer->over)
        return patience_wait(L, &stream->patience, open_finish, stream);
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
    *stream = (struct ftpstream){0};
    patience_init(&stream->patience, plugin_of(L)->loop);
    luaL_setmetatable(L, STREAM); /* from here on __gc cleans up */
    int results = bind_ftp_start(L, &stream->fetch, FETCH_READ, true, patience_news,
                                 &stream->patience);
    return results > 0 ? results
                       : patience_wait(L, &stream->patience, open_finish, stream);
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
                     (long long)stream->patience.most_ms);
}

static int read_finish(lua_State *L, int status, lua_KContext context)
{
    struct ftpstream *stream = (struct ftpstream *)context;
    const struct fetch_answer *answer = fetch_answer(stream->fetch);
    size_t length = answer->body.length < READ_MOST ? answer->body.length : READ_MOST;
    (void)status;
    if (length == 0 && !answer->over && !stream->patience.over)
        return patience_wait(L, &stream->patience, read_finish, stream);
    patience_end(&stream->patience);
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
    luaL_argcheck(L, stream->patience.task == NULL, 1, "another handler waits for it");
    lua_settop(L, 2);
    bind_options(L, 2, OPTIONS);
    patience_begin(&stream->patience, bind_duration_in(L, 2, "timeout", 1, 3600000, 0));
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
