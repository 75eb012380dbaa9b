/* bind_serve - host.serve.listen: devices that push, answered by handlers. In an annex of its own
 * (annex.h).
 *
 * Invariant: a listener is anchored in the registry while it listens or a visit is busy. */
#include <errno.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "host/bind/annex.h"
#include "host/bind/bind.h"
#include "host/instance/plugin.h"
#include "host/web/visit.h"

enum {
    VISITS_MAX = 16,
    LISTENERS_MAX = 4,
    BODY = 1024 * 1024,
    CONNECTIONS = 64,
    IDLE_MS = 60000,
    WHOLE_MS = 30000,
    LOOK_MS = 20,
    LOGIN_ROOM = 128
};

static const char LISTENER[] = "outpost.web_listener";
static const char COUNT[] = "outpost.web_listeners";

struct listener {
    struct visit_house house;
    struct plugin *plugin;
    struct loop_timer look; /* whether the next one can be answered */
    struct server_request *waiting[SERVER_CONNECTIONS_MAX];
    int waiting_count;
    struct visit visits[VISITS_MAX];
    int visit_count; /* that are open */
    int anchor;
};

/* ---- Requests and visits */

static void look_soon(struct listener *listener, int64_t ms)
{
    loop_timer_start(listener->plugin->loop, &listener->look, ms);
}

static struct visit *idle_visit(struct listener *listener)
{
    for (int i = 0; i < listener->visit_count; i++)
        if (!listener->visits[i].busy)
            return &listener->visits[i];
    return NULL;
}

static struct server_request *next_waiting(struct listener *listener)
{
    struct server_request *next = listener->waiting[0];
    listener->waiting_count--;
    memmove(listener->waiting, listener->waiting + 1,
            (size_t)listener->waiting_count * sizeof(next));
    return next;
}

/* Handlers begin when the plugin has started. */
static void look(struct loop_timer *timer)
{
    struct listener *listener = container_of(timer, struct listener, look);
    if (!listener->plugin->started && !listener->plugin->stopping) {
        look_soon(listener, LOOK_MS);
        return;
    }
    struct visit *visit = idle_visit(listener);
    if (listener->plugin->stopping || listener->waiting_count == 0 || visit == NULL)
        return;
    struct server_request *request = next_waiting(listener);
    server_remember(request, visit);
    look_soon(listener, 0);
    visit_begin(visit, request);
}

static void asked(void *owner, struct server_request *request)
{
    struct listener *listener = owner;
    ASSERT(listener->waiting_count < SERVER_CONNECTIONS_MAX);
    listener->waiting[listener->waiting_count++] = request;
    look_soon(listener, 0);
}

static void gone(void *owner, struct server_request *request)
{
    struct listener *listener = owner;
    struct visit *visit = server_remembered(request);
    if (visit != NULL)
        visit->request = NULL;
    int kept = 0;
    for (int i = 0; i < listener->waiting_count; i++)
        if (listener->waiting[i] != request)
            listener->waiting[kept++] = listener->waiting[i];
    listener->waiting_count = kept;
}

/* When it is closed and nothing of it runs, the collector may have it. */
static void visit_freed(struct visit_house *house)
{
    struct listener *listener = container_of(house, struct listener, house);
    bool busy = false;
    for (int i = 0; i < listener->visit_count; i++)
        busy = busy || listener->visits[i].busy;
    if (house->server != NULL)
        look_soon(listener, 0);
    else if (!busy && listener->anchor != LUA_NOREF) {
        luaL_unref(listener->plugin->L, LUA_REGISTRYINDEX, listener->anchor);
        listener->anchor = LUA_NOREF;
    }
}

static void stop_listening(struct listener *listener)
{
    struct server *server = listener->house.server;
    loop_timer_stop(&listener->look);
    listener->house.server = NULL;
    server_close(server);
}

/* ---- The listener as plugins see it */

static int add_listeners(lua_State *L, int more)
{
    lua_getfield(L, LUA_REGISTRYINDEX, COUNT);
    int count = (int)lua_tointeger(L, -1) + more;
    lua_pop(L, 1);
    if (count > LISTENERS_MAX)
        luaL_error(L, "serve: more than %d listeners", (int)LISTENERS_MAX);
    lua_pushinteger(L, count);
    lua_setfield(L, LUA_REGISTRYINDEX, COUNT);
    return count;
}

static int listener_close(lua_State *L)
{
    struct listener *listener = luaL_checkudata(L, 1, LISTENER);
    if (listener->house.server == NULL)
        return 0;
    add_listeners(L, -1);
    stop_listening(listener);
    visit_freed(&listener->house);
    return 0;
}

/* Also as <close> of a handler: then visits may be busy, perhaps this very one. */
static int listener_collect(lua_State *L)
{
    struct listener *listener = luaL_checkudata(L, 1, LISTENER);
    if (listener->anchor != LUA_NOREF && task_of(L) != NULL)
        return listener_close(L);
    stop_listening(listener);
    while (listener->visit_count > 0)
        visit_close(&listener->visits[--listener->visit_count]);
    if (listener->house.function_ref != LUA_NOREF)
        luaL_unref(L, LUA_REGISTRYINDEX, listener->house.function_ref);
    listener->house.function_ref = LUA_NOREF;
    return 0;
}

static int listener_port(lua_State *L)
{
    struct listener *listener = luaL_checkudata(L, 1, LISTENER);
    luaL_argcheck(L, listener->house.server != NULL, 1, "the listener is closed");
    lua_pushinteger(L, server_port(listener->house.server));
    return 1;
}

/* ---- Options: fields of the table at index 2; their values stay on the stack */

static lua_Integer whole(lua_State *L, const char *name, lua_Integer least,
                         lua_Integer most)
{
    lua_Integer number = lua_tointeger(L, -1);
    if (!lua_isinteger(L, -1) || number < least || number > most)
        luaL_error(L, "serve: %s: expected a whole number from %I to %I", name, least,
                   most);
    return number;
}

static void read_body(lua_State *L, struct server_wish *wish)
{
    wish->body_most = (size_t)whole(L, "body", 0, SERVER_BODY_MAX);
}

static void read_connections(lua_State *L, struct server_wish *wish)
{
    wish->connections = (int)whole(L, "connections", 2, SERVER_CONNECTIONS_MAX);
}

static void read_idle(lua_State *L, struct server_wish *wish)
{
    wish->idle_ms = bind_duration(L, lua_gettop(L), 1000);
}

static void read_timeout(lua_State *L, struct server_wish *wish)
{
    wish->whole_ms = bind_duration(L, lua_gettop(L), 100);
}

static const char *word(lua_State *L, const char *name)
{
    if (lua_type(L, -1) != LUA_TSTRING || lua_rawlen(L, -1) >= LOGIN_ROOM)
        luaL_error(L, "serve: %s: expected a text of at most %d bytes", name,
                   LOGIN_ROOM - 1);
    return lua_tostring(L, -1);
}

static void read_user(lua_State *L, struct server_wish *wish)
{
    wish->user = word(L, "user");
}

static void read_password(lua_State *L, struct server_wish *wish)
{
    wish->password = word(L, "password");
}

static void read_certificate(lua_State *L, struct server_wish *wish)
{
    wish->certificate = word(L, "certificate");
}

static void read_key(lua_State *L, struct server_wish *wish)
{
    wish->key = word(L, "key");
}

static void read_auth(lua_State *L, struct server_wish *wish)
{
    static const char *const NAMES[] = {"none", "basic", "digest", NULL};
    wish->login = (enum server_login)luaL_checkoption(L, lua_gettop(L), NULL, NAMES);
}

static void read_allow(lua_State *L, struct server_wish *wish)
{
    luaL_checktype(L, lua_gettop(L), LUA_TTABLE);
    lua_Integer count = luaL_len(L, -1);
    if (count > SERVER_ALLOWED_MAX)
        luaL_error(L, "serve: allow: expected at most %d", (int)SERVER_ALLOWED_MAX);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_geti(L, -1, i);
        const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
        if (cidr_parse(&wish->allowed[i - 1], text) != 0)
            luaL_error(L,
                       "serve: allow: expected addresses such as \"192.168.1.0/24\", got "
                       "\"%s\"",
                       text);
        lua_pop(L, 1);
    }
    wish->allowed_count = (int)count;
}

static const struct setting {
    const char *name;
    void (*read)(lua_State *L, struct server_wish *wish);
} SETTINGS[] = {
    {"body", read_body},
    {"connections", read_connections},
    {"idle", read_idle},
    {"user", read_user},
    {"password", read_password},
    {"timeout", read_timeout},
    {"auth", read_auth},
    {"allow", read_allow},
    {"certificate", read_certificate},
    {"key", read_key},
};

static void check_names(lua_State *L)
{
    lua_pushnil(L);
    while (lua_next(L, 2)) {
        bool known = false;
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";
        for (size_t i = 0; i < countof(SETTINGS); i++)
            known = known || strcmp(SETTINGS[i].name, name) == 0;
        if (!known)
            luaL_error(L,
                       "serve: expected body, connections, idle, allow ..., got \"%s\"",
                       name);
        lua_pop(L, 1);
    }
}

static void read_options(lua_State *L, struct server_wish *wish)
{
    if (lua_isnil(L, 2))
        return;
    luaL_checktype(L, 2, LUA_TTABLE);
    check_names(L);
    for (size_t i = 0; i < countof(SETTINGS); i++)
        if (lua_getfield(L, 2, SETTINGS[i].name) != LUA_TNIL)
            SETTINGS[i].read(L, wish);
    if ((wish->user == NULL) != (wish->password == NULL))
        luaL_error(L, "serve: expected user and password together");
    if ((wish->certificate == NULL) != (wish->key == NULL))
        luaL_error(L, "serve: expected certificate and key together");
    if (wish->user == NULL)
        wish->login = SERVER_OPEN;
    else if (wish->login == SERVER_OPEN)
        wish->login = SERVER_DIGEST;
}

/* ---- host.serve.listen */

/* The listener is on top. Everything that may raise comes before a visit exists that would need it. */
static void open_visits(lua_State *L, struct listener *listener)
{
    lua_Debug where;
    for (int i = 0; i < VISITS_MAX; i++) {
        int thread_ref = task_reserve(L);
        visit_open(&listener->visits[i], &listener->house, listener->plugin, thread_ref);
        listener->visit_count++;
    }
    lua_pushvalue(L, 3);
    lua_getinfo(L, ">S", &where);
    snprintf(listener->house.place, sizeof(listener->house.place), "%s:%d",
             where.short_src, where.linedefined);
    lua_pushvalue(L, 3);
    listener->house.function_ref = luaL_ref(L, LUA_REGISTRYINDEX);
}

static int cannot_listen(lua_State *L, int err, const char *url)
{
    if (err == -EINVAL)
        return bind_fail(
            L, "argument",
            "expected http://ADDRESS:PORT, or https:// with certificate and key, got "
            "\"%.100s\"",
            url);
    if (err == -EKEYREJECTED)
        return bind_fail(L, "tls",
                         "%.100s: certificate or key cannot be read, or they make no "
                         "pair",
                         url);
    return bind_fail(L, err == -EADDRINUSE ? "in_use" : "refused", "%.100s: %s", url,
                     strerror(-err));
}

static int serve_listen(lua_State *L)
{
    static const struct server_calls CALLS = {.asked = asked, .gone = gone};
    struct server_wish wish = {.body_most = BODY,
                               .connections = CONNECTIONS,
                               .idle_ms = IDLE_MS,
                               .whole_ms = WHOLE_MS};
    struct plugin *plugin = plugin_of(L);
    wish.url = luaL_checkstring(L, 1);
    luaL_checktype(L, 3, LUA_TFUNCTION);
    lua_settop(L, 3);
    luaL_checkstack(L, (int)countof(SETTINGS) + 16, NULL);
    struct listener *listener = lua_newuserdatauv(L, sizeof(*listener), 0);
    memset(listener, 0, sizeof(*listener));
    listener->plugin = plugin;
    listener->look.fire = look;
    listener->anchor = LUA_NOREF;
    listener->house.function_ref = LUA_NOREF;
    listener->house.free = visit_freed;
    luaL_setmetatable(L, LISTENER); /* from here on __gc cleans up */
    read_options(L, &wish);
    open_visits(L, listener);
    add_listeners(L, 1);
    int err = server_open(&listener->house.server, plugin->loop, &wish, &CALLS, listener);
    if (err) {
        add_listeners(L, -1);
        return cannot_listen(L, err, wish.url);
    }
    lua_pushvalue(L, 4);
    listener->anchor = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_pushvalue(L, 4);
    return 1;
}

static const luaL_Reg METHODS[] = {
    {"close", listener_close}, {"port", listener_port}, {NULL, NULL}};

static void bind_serve(lua_State *L)
{
    bind_class(L, LISTENER, METHODS, listener_collect);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, serve_listen);
    lua_setfield(L, -2, "listen");
    lua_setfield(L, -2, "serve");
}

/* The library has opened what it needs when it was loaded. */
static int prepare(void)
{
    return 0;
}

extern const struct annex annex_serve;
const struct annex annex_serve = {.prepare = prepare, .bind = bind_serve};
