/* bind_stream - host.http.stream: a body that is read bit by bit, or part by part. */
#include <lauxlib.h>
#include <string.h>

#include "base/base.h"
#include "host/bind/bind.h"
#include "host/bind/bind_http.h"
#include "host/bind/patience.h"
#include "host/instance/plugin.h"
#include "host/web/multipart.h"

enum { PART_MOST = 1024 * 1024, PART_MOST_MOST = 4 * 1024 * 1024, READ_MOST = 64 * 1024 };

static const char STREAM[] = "outpost.stream";

struct stream {
    struct transfer *transfer; /* NULL: closed */
    struct multipart *parts;   /* NULL: it is read as bytes */
    struct patience patience;
    int64_t bad; /* parts that have been counted as dropped */
    size_t most;
};

static int stream_close(lua_State *L)
{
    struct stream *stream = luaL_checkudata(L, 1, STREAM);
    if (stream->patience.task != NULL && task_of(L) != NULL)
        return luaL_error(L, "stream: another handler waits for it");
    patience_end(&stream->patience);
    transfer_close(stream->transfer);
    multipart_close(stream->parts);
    stream->transfer = NULL;
    stream->parts = NULL;
    return 0;
}

/* ---- host.http.stream */

static int open_finish(lua_State *L, int status, lua_KContext context)
{
    struct stream *stream = (struct stream *)context;
    const struct transfer_answer *answer = transfer_answer(stream->transfer);
    (void)status;
    if (!answer->has_head && !answer->over)
        return patience_wait(L, &stream->patience, open_finish, stream);
    if (!answer->has_head) {
        int results = bind_http_fail(L, answer);
        transfer_close(stream->transfer);
        stream->transfer = NULL;
        return results;
    }
    if (answer->status >= BIND_HTTP_REFUSALS)
        plugin_unheard(plugin_of(L));
    lua_pushvalue(L, 2);
    lua_createtable(L, 0, 2);
    lua_pushinteger(L, answer->status);
    lua_setfield(L, -2, "status");
    bind_http_headers(L, &answer->headers);
    lua_setfield(L, -2, "headers");
    return 2;
}

static int open_stream(lua_State *L)
{
    task_check(L);
    lua_settop(L, 1);
    bind_http_shared(L);
    struct stream *stream = lua_newuserdatauv(L, sizeof(*stream), 0);
    *stream = (struct stream){0};
    patience_init(&stream->patience, plugin_of(L)->loop);
    luaL_setmetatable(L, STREAM); /* from here on __gc cleans up */
    int results =
        bind_http_start(L, &stream->transfer, true, patience_news, &stream->patience);
    return results > 0 ? results
                       : patience_wait(L, &stream->patience, open_finish, stream);
}

/* ---- Reading */

static struct stream *check_stream(lua_State *L)
{
    struct stream *stream = luaL_checkudata(L, 1, STREAM);
    plugin_of(L); /* raises outside of a task */
    luaL_argcheck(L, stream->transfer != NULL, 1, "the stream is closed");
    luaL_argcheck(L, stream->patience.task == NULL, 1, "another handler waits for it");
    return stream;
}

/* { timeout =, most = } at index 2, or nothing; the time it may take, in milliseconds, or 0. */
static int64_t read_options(lua_State *L, struct stream *stream)
{
    int64_t timeout_ms = 0;
    stream->most = PART_MOST;
    lua_settop(L, 2);
    if (lua_isnil(L, 2))
        return 0;
    luaL_checktype(L, 2, LUA_TTABLE);
    if (lua_getfield(L, 2, "timeout") != LUA_TNIL)
        timeout_ms = bind_duration(L, 3, 1);
    if (lua_getfield(L, 2, "most") != LUA_TNIL) {
        lua_Integer most = luaL_checkinteger(L, 4);
        luaL_argcheck(L, most >= 1 && most <= PART_MOST_MOST, 2,
                      "most: expected 1 to 4194304 bytes");
        stream->most = (size_t)most;
    }
    lua_settop(L, 2);
    return timeout_ms;
}

/* When nothing more comes for now, or ever. */
static int fail(lua_State *L, const struct stream *stream)
{
    const struct transfer_answer *answer = transfer_answer(stream->transfer);
    if (answer->over && answer->fault)
        return bind_http_fail(L, answer);
    if (answer->over)
        return bind_fail(L, "closed", "the stream has ended");
    return bind_fail(L, "timeout", "nothing came in %lld ms",
                     (long long)stream->patience.most_ms);
}

static int read_finish(lua_State *L, int status, lua_KContext context)
{
    struct stream *stream = (struct stream *)context;
    const struct transfer_answer *answer = transfer_answer(stream->transfer);
    size_t length = answer->body.length < READ_MOST ? answer->body.length : READ_MOST;
    (void)status;
    if (length == 0 && !answer->over && !stream->patience.over)
        return patience_wait(L, &stream->patience, read_finish, stream);
    patience_end(&stream->patience);
    if (length == 0)
        return fail(L, stream);
    plugin_heard(plugin_of(L));
    lua_pushlstring(L, answer->body.bytes, length);
    transfer_take(stream->transfer, length);
    return bind_breathe(L, 1);
}

static int stream_read(lua_State *L)
{
    struct stream *stream = check_stream(L);
    luaL_argcheck(L, stream->parts == NULL, 1, "it is read in parts");
    patience_begin(&stream->patience, read_options(L, stream));
    return read_finish(L, LUA_OK, (lua_KContext)stream);
}

/* ---- Parts */

static void count_dropped(lua_State *L, struct stream *stream)
{
    int64_t bad = multipart_skipped(stream->parts) + multipart_malformed(stream->parts);
    if (bad > stream->bad)
        metrics_count(&plugin_of(L)->metrics, "http_parts_dropped",
                      (double)(bad - stream->bad));
    stream->bad = bad;
}

/* Feeds what there is; whether a part is whole. */
static bool next_part(struct stream *stream)
{
    const struct transfer_answer *answer = transfer_answer(stream->transfer);
    bool whole = false;
    while (!whole && answer->body.length > 0) {
        size_t taken = multipart_feed(stream->parts, answer->body.bytes,
                                      answer->body.length, stream->most, &whole);
        transfer_take(stream->transfer, taken);
    }
    if (!whole && answer->over && !answer->fault)
        whole = multipart_finish(stream->parts, stream->most);
    return whole;
}

static int part_finish(lua_State *L, int status, lua_KContext context)
{
    struct stream *stream = (struct stream *)context;
    (void)status;
    bool whole = next_part(stream);
    count_dropped(L, stream);
    if (!whole && !transfer_answer(stream->transfer)->over && !stream->patience.over)
        return patience_wait(L, &stream->patience, part_finish, stream);
    patience_end(&stream->patience);
    if (!whole)
        return fail(L, stream);
    plugin_heard(plugin_of(L));
    const struct buffer *body = multipart_body(stream->parts);
    lua_createtable(L, 0, 2);
    bind_http_headers(L, multipart_headers(stream->parts));
    lua_setfield(L, -2, "headers");
    lua_pushlstring(L, body->bytes, body->length);
    lua_setfield(L, -2, "body");
    return bind_breathe(L, 1);
}

static int stream_part(lua_State *L)
{
    struct stream *stream = check_stream(L);
    int64_t timeout_ms = read_options(L, stream);
    const struct transfer_answer *answer = transfer_answer(stream->transfer);
    const char *type = headers_find(&answer->headers, "content-type");
    if (stream->parts == NULL && multipart_open(&stream->parts, type) != 0)
        return bind_fail(L, "protocol", "expected a multipart body, got %.80s",
                         type != NULL ? type : "no content type");
    patience_begin(&stream->patience, timeout_ms);
    return part_finish(L, LUA_OK, (lua_KContext)stream);
}

static const luaL_Reg METHODS[] = {
    {"read", stream_read}, {"part", stream_part}, {"close", stream_close}, {NULL, NULL}};

void bind_stream(lua_State *L)
{
    bind_class(L, STREAM, METHODS, stream_close);
    lua_pushcfunction(L, open_stream);
    lua_setfield(L, -2, "stream");
}
