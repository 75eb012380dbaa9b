/* bind_http - host.http.request, and what request and stream share. */
#include "host/bind/bind_http.h"

#include <errno.h>
#include <lauxlib.h>
#include <string.h>
#include <strings.h>

#include "base/base.h"
#include "host/bind/bind.h"
#include "host/instance/plugin.h"

enum {
    TIMEOUT_MS = 10000,
    TIMEOUT_LEAST_MS = 100,
    TIMEOUT_MOST_MS = 600000,
    MOST_BYTES = 1024 * 1024,
    STREAM_SILENT_MS = 60000,
    HEADERS_MOST = 50,
    HEADER_LINE_MOST = 4096
};

static const char REQUEST[] = "outpost.request";
static const char SHARED[] = "outpost.transfers";
static const char ALL[] = "outpost.transfers.all"; /* registry: the one of the plugin */

struct request {
    struct transfer *transfer;
    struct task *task;
};

/* ---- What the plugin's requests share */

static int shared_close(lua_State *L)
{
    struct transfers **shared = luaL_checkudata(L, 1, SHARED);
    transfer_close_all(*shared);
    *shared = NULL;
    return 0;
}

struct transfers *bind_http_shared(lua_State *L)
{
    struct plugin *plugin = plugin_of(L);
    if (lua_getfield(L, LUA_REGISTRYINDEX, ALL) != LUA_TUSERDATA) {
        struct transfers **fresh = lua_newuserdatauv(L, sizeof(struct transfers *), 0);
        *fresh = NULL;
        luaL_setmetatable(L, SHARED);
        if (transfer_open_all(fresh, plugin->loop) != 0)
            luaL_error(L, "http: no memory");
        lua_pushvalue(L, -1);
        lua_setfield(L, LUA_REGISTRYINDEX, ALL);
        lua_remove(L, -2);
    }
    struct transfers **shared = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return *shared;
}

/* ---- The wish: fields of the table at index 1; their values stay on the stack */

static const char *text_on_top(lua_State *L, const char *name)
{
    size_t length;
    if (lua_type(L, -1) != LUA_TSTRING)
        luaL_error(L, "http: %s: expected a text, got a %s", name, luaL_typename(L, -1));
    const char *text = lua_tolstring(L, -1, &length);
    if (strlen(text) != length)
        luaL_error(L, "http: %s: expected a text without NUL", name);
    return text;
}

static lua_Integer number_on_top(lua_State *L, const char *name, lua_Integer least,
                                 lua_Integer most)
{
    lua_Integer number = lua_tointeger(L, -1);
    if (!lua_isinteger(L, -1) || number < least || number > most)
        luaL_error(L, "http: %s: expected a whole number from %I to %I", name, least,
                   most);
    return number;
}

static void read_url(lua_State *L, struct transfer_wish *wish)
{
    wish->url = text_on_top(L, "url");
}

static void read_method(lua_State *L, struct transfer_wish *wish)
{
    wish->method = text_on_top(L, "method");
    size_t length = strlen(wish->method);
    if (length == 0 || length > 16 ||
        strspn(wish->method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-") != length)
        luaL_error(L, "http: method: expected capitals such as GET or PUT");
}

static void read_body(lua_State *L, struct transfer_wish *wish)
{
    if (lua_type(L, -1) != LUA_TSTRING)
        luaL_error(L, "http: body: expected a text, got a %s", luaL_typename(L, -1));
    wish->body = lua_tolstring(L, -1, &wish->body_length);
    if (wish->body_length > TRANSFER_SENT_MAX)
        luaL_error(L, "http: body: expected at most %d bytes", (int)TRANSFER_SENT_MAX);
}

static void read_user(lua_State *L, struct transfer_wish *wish)
{
    wish->user = text_on_top(L, "user");
}

static void read_password(lua_State *L, struct transfer_wish *wish)
{
    wish->password = text_on_top(L, "password");
}

static void read_auth(lua_State *L, struct transfer_wish *wish)
{
    static const char *const NAMES[] = {"none", "basic", "digest", "any", NULL};
    wish->auth = (enum transfer_auth)luaL_checkoption(L, lua_gettop(L), NULL, NAMES);
}

static void read_ca(lua_State *L, struct transfer_wish *wish)
{
    wish->ca = text_on_top(L, "ca");
}

static void read_insecure(lua_State *L, struct transfer_wish *wish)
{
    luaL_checktype(L, lua_gettop(L), LUA_TBOOLEAN);
    wish->insecure = lua_toboolean(L, -1);
}

static void read_timeout(lua_State *L, struct transfer_wish *wish)
{
    wish->timeout_ms = bind_duration(L, lua_gettop(L), TIMEOUT_LEAST_MS);
    if (wish->timeout_ms > TIMEOUT_MOST_MS)
        luaL_error(L, "http: timeout: expected at most 10m");
}

static void read_most(lua_State *L, struct transfer_wish *wish)
{
    wish->most = (size_t)number_on_top(L, "most", 0, TRANSFER_SENT_MAX);
}

static void read_redirects(lua_State *L, struct transfer_wish *wish)
{
    wish->redirects = (int)number_on_top(L, "redirects", 0, TRANSFER_REDIRECTS_MAX);
}

static void read_low_speed(lua_State *L, struct transfer_wish *wish)
{
    luaL_checktype(L, lua_gettop(L), LUA_TTABLE);
    int table = lua_gettop(L);
    lua_geti(L, table, 1);
    wish->low_bytes = number_on_top(L, "low_speed[1]", 0, 1 << 30);
    lua_geti(L, table, 2);
    wish->low_ms = 1000 * number_on_top(L, "low_speed[2] (seconds)", 0, 86400);
}

static void read_nothing(lua_State *L, struct transfer_wish *wish)
{
    (void)L;
    (void)wish;
}

static const struct setting {
    const char *name;
    void (*read)(lua_State *L, struct transfer_wish *wish);
} FIELDS[] = {
    {"url", read_url},
    {"method", read_method},
    {"body", read_body},
    {"user", read_user},
    {"password", read_password},
    {"auth", read_auth},
    {"ca", read_ca},
    {"insecure", read_insecure},
    {"timeout", read_timeout},
    {"most", read_most},
    {"redirects", read_redirects},
    {"low_speed", read_low_speed},
    {"headers", read_nothing}, /* by send_headers() */
};

static void check_names(lua_State *L)
{
    lua_pushnil(L);
    while (lua_next(L, 1)) {
        bool known = false;
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";
        for (size_t i = 0; i < countof(FIELDS); i++)
            known = known || strcmp(FIELDS[i].name, name) == 0;
        if (!known)
            luaL_error(L, "http: expected url, method, headers, body ..., got \"%s\"",
                       name);
        lua_pop(L, 1);
    }
}

static void read_wish(lua_State *L, struct transfer_wish *wish)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checkstack(L, 2 * (int)countof(FIELDS) + 8, NULL);
    check_names(L);
    for (size_t i = 0; i < countof(FIELDS); i++)
        if (lua_getfield(L, 1, FIELDS[i].name) != LUA_TNIL)
            FIELDS[i].read(L, wish);
    if (wish->url == NULL)
        luaL_error(L, "http: url: expected a text, got nothing");
    if ((wish->user == NULL) != (wish->password == NULL))
        luaL_error(L, "http: expected user and password together");
    if (wish->user == NULL)
        wish->auth = TRANSFER_NONE;
    else if (wish->auth == TRANSFER_NONE)
        wish->auth = TRANSFER_DIGEST;
}

/* ---- Headers of the request */

static bool has_control(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (((unsigned char)text[i] < ' ' && text[i] != '\t') || text[i] == 127)
            return true;
    return false;
}

static bool is_token(const char *text, size_t length)
{
    static const char LETTERS[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.!#$%&'*+^`|~";
    return length > 0 && strspn(text, LETTERS) == length;
}

/* The name is below the value, which is on top. */
static void send_header(lua_State *L, struct transfer *transfer)
{
    static const char *const OWN[] = {"content-length", "transfer-encoding"};
    size_t named = 0, valued = 0;
    lua_pushvalue(L, -2); /* lua_next() must not see a number become a text */
    const char *name = lua_tolstring(L, -1, &named);
    lua_pushvalue(L, -2);
    const char *value = lua_tolstring(L, -1, &valued);
    if (name == NULL || value == NULL || !is_token(name, named) ||
        has_control(value, valued) || named + valued > HEADER_LINE_MOST)
        luaL_error(L, "http: headers: expected name = text, one line each");
    for (size_t i = 0; i < countof(OWN); i++)
        if (strcasecmp(OWN[i], name) == 0)
            luaL_error(L, "http: headers: expected no %s, the body says it", OWN[i]);
    lua_pushfstring(L, valued > 0 ? "%s: %s" : "%s;", name, value);
    transfer_header(transfer, lua_tostring(L, -1));
    lua_pop(L, 3);
}

static void send_headers(lua_State *L, struct transfer *transfer)
{
    int count = 0;
    if (lua_getfield(L, 1, "headers") != LUA_TNIL) {
        luaL_checktype(L, lua_gettop(L), LUA_TTABLE);
        lua_pushnil(L);
        while (lua_next(L, -2)) {
            if (++count > HEADERS_MOST)
                luaL_error(L, "http: headers: expected at most %d", (int)HEADERS_MOST);
            send_header(L, transfer);
            lua_pop(L, 1);
        }
    }
    lua_pop(L, 1);
}

/* ---- For both */

int bind_http_fail(lua_State *L, const struct transfer_answer *answer)
{
    plugin_unheard(plugin_of(L));
    return bind_fail(L, transfer_fault_name(answer->fault), "%s", answer->why);
}

int bind_http_start(lua_State *L, struct transfer **out, bool stream,
                    void (*news)(void *owner), void *owner)
{
    struct transfer_wish wish = {.stream = stream,
                                 .timeout_ms = TIMEOUT_MS,
                                 .most = MOST_BYTES,
                                 .low_bytes = stream ? 1 : 0,
                                 .low_ms = stream ? STREAM_SILENT_MS : 0};
    struct transfers *shared = bind_http_shared(L);
    read_wish(L, &wish);
    int err = transfer_open(out, shared, news, owner);
    if (err == -EBUSY)
        return bind_fail(L, "busy", "more than %d requests at once", (int)TRANSFERS_MAX);
    if (err)
        return luaL_error(L, "http: no memory");
    send_headers(L, *out);
    if (transfer_start(*out, &wish) == TRANSFER_GOOD)
        return 0;
    return bind_http_fail(L, transfer_answer(*out));
}

void bind_http_headers(lua_State *L, const struct headers *headers)
{
    const char *name, *value;
    size_t at = 0;
    lua_newtable(L);
    while (headers_next(headers, &at, &name, &value)) {
        if (lua_getfield(L, -1, name) == LUA_TSTRING)
            lua_pushfstring(L, "%s, %s", lua_tostring(L, -1), value);
        else
            lua_pushstring(L, value);
        lua_setfield(L, -3, name);
        lua_pop(L, 1);
    }
}

/* ---- host.http.request */

static int request_close(lua_State *L)
{
    struct request *request = luaL_checkudata(L, 1, REQUEST);
    transfer_close(request->transfer);
    request->transfer = NULL;
    return 0;
}

static void request_news(void *owner)
{
    struct request *request = owner;
    if (transfer_answer(request->transfer)->over)
        task_wake(request->task);
}

static void push_answer(lua_State *L, const struct transfer_answer *answer)
{
    lua_createtable(L, 0, 5);
    lua_pushinteger(L, answer->status);
    lua_setfield(L, -2, "status");
    bind_http_headers(L, &answer->headers);
    lua_setfield(L, -2, "headers");
    lua_pushlstring(L, answer->body.bytes, answer->body.length);
    lua_setfield(L, -2, "body");
    lua_pushstring(L, answer->url);
    lua_setfield(L, -2, "url");
    lua_pushinteger(L, answer->took_ms);
    lua_setfield(L, -2, "took_ms");
}

static int request_finish(lua_State *L, int status, lua_KContext context)
{
    struct request *request = (struct request *)context;
    const struct transfer_answer *answer = transfer_answer(request->transfer);
    (void)status;
    int results = 1;
    if (answer->fault)
        results = bind_http_fail(L, answer);
    else
        push_answer(L, answer);
    if (!answer->fault && answer->status < BIND_HTTP_REFUSALS)
        plugin_heard(plugin_of(L));
    else if (!answer->fault)
        plugin_unheard(plugin_of(L));
    transfer_close(request->transfer);
    request->transfer = NULL;
    return results;
}

static int request(lua_State *L)
{
    task_check(L);
    lua_settop(L, 1);
    bind_http_shared(L);
    struct request *request = lua_newuserdatauv(L, sizeof(*request), 0);
    *request = (struct request){.task = task_of(L)};
    luaL_setmetatable(L, REQUEST); /* from here on __gc cleans up */
    int results = bind_http_start(L, &request->transfer, false, request_news, request);
    return results > 0 ? results : task_park(L, request_finish, request);
}

static void new_class(lua_State *L, const char *name, lua_CFunction close)
{
    luaL_newmetatable(L, name);
    lua_pushcfunction(L, close);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
}

static void bind_http(lua_State *L)
{
    new_class(L, REQUEST, request_close);
    new_class(L, SHARED, shared_close);
    lua_createtable(L, 0, 3);
    lua_pushcfunction(L, request);
    lua_setfield(L, -2, "request");
    bind_stream(L);
    bind_form(L);
    lua_setfield(L, -2, "http");
}

const struct annex annex_http = {.prepare = transfer_prepare, .bind = bind_http};
