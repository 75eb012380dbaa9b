/* server - see server.h.
 *
 * What the real one answers by itself is answered here too where a plugin's settings decide it: a body
 * that is too big, a login, an address. What is no HTTP at all cannot be pushed. */
#include "rehearse/standins/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/mem.h"
#include "host/web/headers.h"
#include "rehearse/office.h"

enum { WORD_ROOM = 256, UNAUTHORIZED = 401, TOO_BIG = 413, PORT_OTHERWISE = 80 };

struct server_request {
    struct server_request *next;
    struct server *server; /* NULL: nobody listened */
    struct office *office;
    struct loop_timer timer;
    int ref; /* the double */
    int id;
    int port;
    void *remembered;
    char method[WORD_ROOM], path[WORD_ROOM], query[WORD_ROOM];
    char user[WORD_ROOM], password[WORD_ROOM], peer[SERVER_PEER_ROOM];
    struct headers headers;
    struct buffer body;
    struct headers said;
};

struct server {
    struct server *next;
    struct loop *loop;
    const struct server_calls *calls;
    void *owner;
    struct server_wish wish; /* its texts are below */
    char user[WORD_ROOM], password[WORD_ROOM];
    int port;
    struct server_request *requests; /* that are asked and not answered */
};

static struct server *servers;
static struct server_request *coming; /* pushed, and not at the door yet */
static int last_id;

/* ---- To the double */

struct reply {
    const struct server_request *request;
    int status; /* 0: `fault` */
    const char *fault;
    const void *body;
    size_t length;
};

static int tell(lua_State *L)
{
    const struct reply *reply = lua_touserdata(L, 1);
    const char *name, *value;
    size_t at = 0;
    lua_settop(L, 0);
    lua_rawgeti(L, LUA_REGISTRYINDEX, reply->request->ref);
    lua_getfield(L, 1, "answered");
    lua_insert(L, 1);
    lua_pushinteger(L, reply->request->id);
    if (reply->status == 0) {
        lua_pushnil(L);
        lua_pushstring(L, reply->fault);
        lua_call(L, 4, 0);
        return 0;
    }
    lua_pushinteger(L, reply->status);
    lua_newtable(L);
    while (headers_next(&reply->request->said, &at, &name, &value)) {
        lua_pushstring(L, value);
        lua_setfield(L, -2, name);
    }
    lua_pushlstring(L, reply->body != NULL ? reply->body : "", reply->length);
    lua_call(L, 5, 0);
    return 0;
}

static void unlink_from(struct server_request **list, struct server_request *request)
{
    while (*list != NULL && *list != request)
        list = &(*list)->next;
    if (*list != NULL)
        *list = request->next;
}

static void drop(struct server_request *request)
{
    unlink_from(request->server != NULL ? &request->server->requests : &coming, request);
    loop_timer_stop(&request->timer);
    headers_free(&request->headers);
    headers_free(&request->said);
    buffer_free(&request->body);
    mem_free(request);
}

/* Ends the request. */
static void reply(struct server_request *request, int status, const char *fault,
                  const void *body, size_t length)
{
    struct reply words = {request, status, fault, body, length};
    struct office *office = request->office;
    if (fault != NULL)
        trace_add(&office->trace, "answer %s %s: %s", request->method, request->path,
                  fault);
    else
        trace_add(&office->trace, "answer %s %s: %d", request->method, request->path,
                  status);
    if (office->L != NULL)
        office_ask_here(office, tell, &words);
    drop(request);
}

/* ---- At the door */

static struct server *find(int port)
{
    for (struct server *server = servers; server != NULL; server = server->next)
        if (server->port == port)
            return server;
    return NULL;
}

static bool is_allowed(const struct server_wish *wish, const char *peer)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    bool known = inet_pton(AF_INET, peer, &v4.sin_addr) == 1;
    for (int i = 0; i < wish->allowed_count; i++)
        if (known && cidr_has(&wish->allowed[i], (const struct sockaddr *)&v4))
            return true;
    return wish->allowed_count == 0;
}

static void arrive(struct loop_timer *timer)
{
    struct server_request *request = container_of(timer, struct server_request, timer);
    struct server *server = find(request->port);
    unlink_from(&coming, request);
    trace_add(&request->office->trace, "push %s %s", request->method, request->path);
    if (server == NULL || !is_allowed(&server->wish, request->peer)) {
        reply(request, 0, server == NULL ? "refused" : "closed", NULL, 0);
    } else if (server->wish.login != SERVER_OPEN &&
               (strcmp(request->user, server->user) != 0 ||
                strcmp(request->password, server->password) != 0)) {
        reply(request, UNAUTHORIZED, NULL, NULL, 0);
    } else if (request->body.length > server->wish.body_most) {
        reply(request, TOO_BIG, NULL, NULL, 0);
    } else {
        request->server = server;
        request->next = server->requests;
        server->requests = request;
        server->calls->asked(server->owner, request);
    }
}

/* ---- From the test */

static void take_word(lua_State *L, const char *name, char *word, size_t room)
{
    lua_getfield(L, 4, name);
    const char *text = luaL_optstring(L, -1, "");
    if (strlen(text) >= room)
        luaL_error(L, "push: %s: expected less than %d bytes", name, (int)room);
    strcpy(word, text);
    lua_pop(L, 1);
}

static void take_headers(lua_State *L, struct headers *headers)
{
    if (lua_getfield(L, 4, "headers") == LUA_TTABLE) {
        lua_pushnil(L);
        while (lua_next(L, -2)) {
            size_t length;
            lua_pushfstring(L, "%s: %s", luaL_checkstring(L, -2),
                            luaL_checkstring(L, -1));
            const char *line = lua_tolstring(L, -1, &length);
            headers_add(headers, line, length);
            lua_pop(L, 2);
        }
    }
    lua_pop(L, 1);
}

int server_push(lua_State *L, struct office *office)
{
    const char *name = luaL_checkstring(L, 2);
    const struct office_device *device = office_device_named(office, name);
    int port = (int)luaL_checkinteger(L, 3);
    size_t length;
    luaL_checktype(L, 4, LUA_TTABLE);
    lua_getfield(L, 4, "body");
    const char *body = luaL_optlstring(L, -1, "", &length);
    luaL_argcheck(L, device != NULL, 2, "expected the url of a device");
    struct server_request *request = mem_new(struct server_request);
    *request = (struct server_request){.office = office,
                                       .timer.fire = arrive,
                                       .ref = device->ref,
                                       .id = ++last_id,
                                       .port = port};
    take_word(L, "method", request->method, sizeof(request->method));
    take_word(L, "path", request->path, sizeof(request->path));
    take_word(L, "query", request->query, sizeof(request->query));
    take_word(L, "user", request->user, sizeof(request->user));
    take_word(L, "password", request->password, sizeof(request->password));
    take_headers(L, &request->headers);
    buffer_append(&request->body, body, length);
    const char *host = strstr(name, "://");
    snprintf(request->peer, sizeof(request->peer), "%.*s",
             (int)strcspn(host ? host + 3 : name, ":/"), host ? host + 3 : name);
    request->next = coming;
    coming = request;
    loop_timer_start(office->loop, &request->timer, 0);
    lua_pushinteger(L, request->id);
    return 1;
}

void server_forget_all(void)
{
    while (coming != NULL)
        drop(coming);
}

/* ---- What the plugin's listener asks for */

static int port_in(const char *url)
{
    const char *host = strstr(url, "://");
    const char *colon = host != NULL ? strrchr(host + 3, ':') : NULL;
    return colon != NULL ? atoi(colon + 1) : PORT_OTHERWISE;
}

int server_open(struct server **out, struct loop *loop, const struct server_wish *wish,
                const struct server_calls *calls, void *owner)
{
    int port = port_in(wish->url);
    bool is_locked = strncmp(wish->url, "https://", 8) == 0;
    if ((!is_locked && strncmp(wish->url, "http://", 7) != 0) ||
        (is_locked && wish->key == NULL) || port < 0 || port > UINT16_MAX)
        return -EINVAL;
    if (find(port) != NULL)
        return -EADDRINUSE;
    struct server *server = mem_new(struct server);
    server->loop = loop;
    server->calls = calls;
    server->owner = owner;
    server->wish = *wish;
    server->port = port;
    snprintf(server->user, WORD_ROOM, "%s", wish->user ? wish->user : "");
    snprintf(server->password, WORD_ROOM, "%s", wish->password ? wish->password : "");
    server->next = servers;
    servers = server;
    *out = server;
    return 0;
}

void server_close(struct server *server)
{
    struct server **link = &servers;
    if (server == NULL)
        return;
    while (*link != server)
        link = &(*link)->next;
    *link = server->next;
    while (server->requests != NULL) {
        struct server_request *request = server->requests;
        server->calls->gone(server->owner, request);
        reply(request, 0, "closed", NULL, 0);
    }
    mem_free(server);
}

int server_port(const struct server *server)
{
    return server->port;
}

void server_flush(struct server *server)
{
    (void)server;
}

/* ---- A request, and its answer */

const char *server_method(const struct server_request *request)
{
    return request->method;
}

const char *server_path(const struct server_request *request)
{
    return request->path;
}

const char *server_peer(const struct server_request *request)
{
    return request->peer;
}

const void *server_body(const struct server_request *request, size_t *length)
{
    *length = request->body.length;
    return request->body.bytes;
}

void server_each_header(struct server_request *request,
                        void (*each)(void *owner, const char *name, const char *value),
                        void *owner)
{
    const char *name, *value;
    size_t at = 0;
    while (headers_next(&request->headers, &at, &name, &value))
        each(owner, name, value);
}

/* Pairs as they are: the test writes no escapes. */
void server_each_query(struct server_request *request,
                       void (*each)(void *owner, const char *name, const char *value),
                       void *owner)
{
    char copy[WORD_ROOM], *rest = copy, *pair;
    strcpy(copy, request->query);
    while ((pair = strsep(&rest, "&")) != NULL) {
        char *value = strchr(pair, '=');
        if (value != NULL)
            *value++ = '\0';
        if (pair[0] != '\0')
            each(owner, pair, value);
    }
}

void server_remember(struct server_request *request, void *what)
{
    request->remembered = what;
}

void *server_remembered(const struct server_request *request)
{
    return request->remembered;
}

void server_say(struct server_request *request, const char *name, const char *value)
{
    char line[2 * WORD_ROOM];
    int length = snprintf(line, sizeof(line), "%s: %s", name, value);
    if (length > 0 && (size_t)length < sizeof(line))
        headers_add(&request->said, line, (size_t)length);
}

void server_answer(struct server_request *request, int status, const void *body,
                   size_t length)
{
    struct office *office = request->office;
    if (office_strikes_here(office, FATE_WRITE, false))
        return; /* server_close() tells the double */
    reply(request, status, NULL, body, length);
    office_strikes_here(office, FATE_WRITE, true);
}
