/* visit - see visit.h.
 *
 * Invariant: while `busy`, the handler runs, waits, or its effects are on their way to the disk. */
#include "host/web/visit.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "host/instance/plugin.h"
#include "host/module/module.h"
#include "host/tap/tap.h"
#include "host/tap/webtap.h"

enum { REFUSALS = 400 }; /* an answer with less was given to what a device had to say */
enum { STATUS_LEAST = 200, STATUS_MOST = 599, HEADERS_MOST = 50, HEADER_MOST = 4096 };

/* ---- The request, as a table */

static void add_pair(void *owner, const char *name, const char *value)
{
    struct buffer *pairs = owner;
    if (value == NULL)
        value = "";
    buffer_append(pairs, name, strlen(name) + 1);
    buffer_append(pairs, value, strlen(value) + 1);
}

static void lower(char *text)
{
    for (; *text != '\0'; text++)
        if (*text >= 'A' && *text <= 'Z')
            *text = (char)(*text + 32);
}

/* As a table; of what comes twice the first, or all joined by commas. */
static void push_pairs(lua_State *L, struct buffer *pairs, bool joined)
{
    char *at = pairs->bytes, *end = at + pairs->length;
    lua_newtable(L);
    while (at < end) {
        const char *value = at + strlen(at) + 1;
        if (joined)
            lower(at);
        if (lua_getfield(L, -1, at) == LUA_TNIL)
            lua_pushstring(L, value);
        else if (joined)
            lua_pushfstring(L, "%s, %s", lua_tostring(L, -1), value);
        else
            lua_pushvalue(L, -1);
        lua_setfield(L, -3, at);
        lua_pop(L, 1);
        at += strlen(at) + strlen(value) + 2;
    }
    buffer_free(pairs);
}

static void push_request(lua_State *L, struct server_request *request)
{
    size_t length;
    struct buffer *pairs = module_buffer(L); /* given back also when the next raises */
    lua_createtable(L, 0, 6);
    lua_pushstring(L, server_method(request));
    lua_setfield(L, -2, "method");
    lua_pushstring(L, server_path(request));
    lua_setfield(L, -2, "path");
    lua_pushstring(L, server_peer(request));
    lua_setfield(L, -2, "peer");
    const void *body = server_body(request, &length);
    lua_pushlstring(L, body, length);
    lua_setfield(L, -2, "body");
    server_each_query(request, add_pair, pairs);
    push_pairs(L, pairs, false);
    lua_setfield(L, -2, "query");
    server_each_header(request, add_pair, pairs);
    push_pairs(L, pairs, true);
    lua_setfield(L, -2, "headers");
}

/* ---- Both, for who records them: as they would have been without parts and compression */

static void name_peer(const struct server_request *request, char name[RING_NAME_ROOM])
{
    snprintf(name, RING_NAME_ROOM, "http://%s", server_peer(request));
}

static void add_header(void *owner, const char *name, const char *value)
{
    buffer_printf(owner, "%s: %s\r\n", name, value != NULL ? value : "");
}

struct query {
    struct buffer *out;
    char before; /* what parts the next from the last */
};

static void add_query(void *owner, const char *name, const char *value)
{
    struct query *query = owner;
    buffer_append(query->out, &query->before, 1);
    webtap_escape(query->out, name);
    query->before = '&';
    if (value == NULL)
        return;
    buffer_append(query->out, "=", 1);
    webtap_escape(query->out, value);
}

static void record_request(struct server_request *request)
{
    char name[RING_NAME_ROOM];
    struct buffer head = {0};
    struct query query = {&head, '?'};
    size_t length;
    if (!tap_is_on())
        return;
    name_peer(request, name);
    buffer_printf(&head, "%s ", server_method(request));
    webtap_escape(&head, server_path(request));
    server_each_query(request, add_query, &query);
    buffer_append_text(&head, " HTTP/1.1\r\n");
    server_each_header(request, add_header, &head);
    buffer_append_text(&head, "\r\n");
    webtap_head(name, RING_IN, head.bytes, head.length, NULL);
    const void *body = server_body(request, &length);
    webtap_body(name, RING_IN, body, length, NULL);
    buffer_free(&head);
}

static void record_answer(const struct visit *visit)
{
    char name[RING_NAME_ROOM];
    struct buffer head = {0};
    if (!tap_is_on())
        return;
    name_peer(visit->request, name);
    buffer_printf(&head, "HTTP/1.1 %d\r\n", visit->status);
    const char *at = visit->said.bytes, *end = at + visit->said.length;
    while (at < end) {
        const char *value = at + strlen(at) + 1;
        add_header(&head, at, value);
        at = value + strlen(value) + 1;
    }
    buffer_printf(&head, "Content-Length: %zu\r\n\r\n", visit->body.length);
    webtap_head(name, RING_OUT, head.bytes, head.length, NULL);
    webtap_body(name, RING_OUT, visit->body.bytes, visit->body.length, NULL);
    buffer_free(&head);
}

/* ---- The answer, from what the handler returned */

static bool is_line(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 127)
            return false;
    return length <= HEADER_MOST;
}

static void take_headers(lua_State *L, struct visit *visit)
{
    int count = 0;
    luaL_checktype(L, -1, LUA_TTABLE);
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        size_t named = 0, valued = 0;
        lua_pushvalue(L, -2);
        const char *name = lua_tolstring(L, -1, &named);
        lua_pushvalue(L, -2);
        const char *value = lua_tolstring(L, -1, &valued);
        if (name == NULL || value == NULL || named == 0 || !is_line(name, named) ||
            strpbrk(name, ": ") != NULL || !is_line(value, valued) ||
            ++count > HEADERS_MOST)
            luaL_error(L,
                       "serve: headers: expected name = text, one line each, at most 50");
        add_pair(&visit->said, name, value);
        lua_pop(L, 3);
    }
}

static void take_answer(lua_State *L, struct visit *visit)
{
    size_t length;
    if (lua_isnil(L, -1))
        luaL_error(L, "serve: expected the handler to return { status =, body = }");
    luaL_checktype(L, -1, LUA_TTABLE);
    int table = lua_gettop(L);
    if (lua_getfield(L, table, "status") != LUA_TNIL) {
        visit->status = (int)lua_tointeger(L, -1);
        if (!lua_isinteger(L, -1) || visit->status < STATUS_LEAST ||
            visit->status > STATUS_MOST)
            luaL_error(L, "serve: status: expected a whole number from 200 to 599");
    }
    if (lua_getfield(L, table, "headers") != LUA_TNIL)
        take_headers(L, visit);
    if (lua_getfield(L, table, "body") != LUA_TNIL) {
        if (lua_type(L, -1) != LUA_TSTRING)
            luaL_error(L, "serve: body: expected a text, got a %s", luaL_typename(L, -1));
        const char *body = lua_tolstring(L, -1, &length);
        if (length > SERVER_BODY_MAX)
            luaL_error(L, "serve: body: expected at most 8 MiB");
        buffer_append(&visit->body, body, length);
    }
}

/* ---- The handler */

static int returned(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    take_answer(L, (struct visit *)context);
    return 0;
}

static int call_handler(lua_State *L)
{
    struct visit *visit = lua_touserdata(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, visit->house->function_ref);
    push_request(L, visit->request);
    lua_remove(L, -2); /* its buffer */
    lua_callk(L, 1, 1, (lua_KContext)visit, returned);
    return returned(L, LUA_OK, (lua_KContext)visit);
}

static void forget_answer(struct visit *visit, int status)
{
    buffer_free(&visit->said);
    buffer_free(&visit->body);
    visit->status = status;
}

/* Its client may be gone by now. */
static void send_answer(struct visit *visit)
{
    const char *at = visit->said.bytes, *end = at + visit->said.length;
    struct server_request *request = visit->request;
    while (request != NULL && at < end) {
        const char *value = at + strlen(at) + 1;
        server_say(request, at, value);
        at = value + strlen(value) + 1;
    }
    if (request != NULL)
        record_answer(visit);
    if (request != NULL)
        server_answer(request, visit->status, visit->body.bytes, visit->body.length);
    visit->request = NULL;
    forget_answer(visit, STATUS_LEAST);
}

static void end(struct visit *visit)
{
    send_answer(visit);
    visit->busy = false;
    visit->house->free(visit->house);
}

static void refuse(struct visit *visit, const char *text)
{
    struct visit_house *house = visit->house;
    forget_answer(visit, 503);
    send_answer(visit);
    if (house->server != NULL)
        server_flush(house->server);
    plugin_refuse(visit->task.plugin, house->place, text);
}

static void committed(struct commit *commit, int err, const char *text, int64_t seq)
{
    struct visit *visit = container_of(commit, struct visit, commit);
    (void)seq;
    if (err)
        refuse(visit, text);
    else
        end(visit);
}

static void handler_over(struct task *task, const char *why)
{
    struct visit *visit = container_of(task, struct visit, task);
    if (why != NULL) {
        effects_clear(&task->effects);
        forget_answer(visit, 500);
        plugin_complain(task->plugin, &visit->house->complaint, visit->house->place, why);
    } else if (visit->status < REFUSALS) {
        plugin_heard(task->plugin);
    }
    if (effects_is_empty(&task->effects))
        end(visit);
    else if (commit_send(&task->plugin->commits, &visit->commit, &task->effects) != 0)
        refuse(visit, "the keeper does not take it");
}

/* ---- Life */

void visit_open(struct visit *visit, struct visit_house *house, struct plugin *plugin,
                int thread_ref)
{
    *visit = (struct visit){.house = house, .status = STATUS_LEAST};
    task_open(&visit->task, plugin, plugin->L, thread_ref);
    visit->task.over = handler_over;
    visit->commit.done = committed;
}

void visit_close(struct visit *visit)
{
    commit_forget(&visit->commit);
    task_close(&visit->task, visit->task.plugin->L);
    forget_answer(visit, 0);
}

void visit_begin(struct visit *visit, struct server_request *request)
{
    ASSERT(!visit->busy);
    visit->busy = true;
    visit->request = request;
    record_request(request);
    task_run(&visit->task, call_handler, visit);
}
