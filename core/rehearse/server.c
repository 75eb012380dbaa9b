<<<<<<< HEAD
/* server - see server.h.
 *
 * What the real one answers by itself is answered here too where a plugin's settings decide it: a body
 * that is too big, a login, an address. What is no HTTP at all cannot be pushed. */
=======
/* server - stands in for host/server.c: the devices that push are the test.
 *
 * Who is not allowed, not logged in or says too much is answered as the real one does; what only a
 * network can do (drip, break off, crowd) is left to it. Each answer is in the trace, so that its
 * place behind the commit can be seen. */
>>>>>>> 671deaf (rehearse: a test can push to the plugin's server as a device does)
#include "rehearse/server.h"

#include <arpa/inet.h>
#include <errno.h>
<<<<<<< HEAD
#include <lauxlib.h>
#include <stdio.h>
=======
#include <netinet/in.h>
>>>>>>> 671deaf (rehearse: a test can push to the plugin's server as a device does)
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/mem.h"
<<<<<<< HEAD
#include "host/headers.h"
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
=======
#include "host/server.h"
#include "rehearse/office.h"

static struct server *servers; /* that listen */

struct server {
    char *url;
    char *user;
    char *password;
    struct loop *loop;
    struct server_wish wish;
    struct server_calls calls;
    void *owner;
    struct server_request *first;
    struct server *next;
};

struct server_request {
    struct server *server;
    struct server_push *push; /* NULL: nobody waits any more */
    struct loop_timer timer;
    void *remembered;
    char *method, *path, *peer;
    struct buffer body, headers, query, said;
    bool asked;
    struct server_request *next;
};

/* ---- Requests */

static void copy(struct buffer *to, const void *bytes, size_t length)
{
    buffer_append(to, bytes, length);
}

static void free_request(struct server_request *request)
{
    struct server_request **link = &request->server->first;
    while (*link != request)
        link = &(*link)->next;
    *link = request->next;
    loop_timer_stop(&request->timer);
    if (request->push != NULL)
        request->push->request = NULL;
    mem_free(request->method);
    mem_free(request->path);
    mem_free(request->peer);
    buffer_free(&request->body);
    buffer_free(&request->headers);
    buffer_free(&request->query);
    buffer_free(&request->said);
    mem_free(request);
}

static void end(struct server_push *push, int status)
{
    struct office *office = office_current();
    push->over = true;
    push->status = status;
    if (office != NULL && status > 0)
        trace_add(&office->trace, "answer %d %s", status, push->path);
}

static void ask(struct loop_timer *timer)
{
    struct server_request *request = container_of(timer, struct server_request, timer);
    request->asked = true;
    request->server->calls.asked(request->server->owner, request);
>>>>>>> 671deaf (rehearse: a test can push to the plugin's server as a device does)
}

static bool is_allowed(const struct server_wish *wish, const char *peer)
{
<<<<<<< HEAD
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    bool known = inet_pton(AF_INET, peer, &v4.sin_addr) == 1;
    for (int i = 0; i < wish->allowed_count; i++)
        if (known && cidr_has(&wish->allowed[i], (const struct sockaddr *)&v4))
=======
    struct sockaddr_storage address = {.ss_family =
                                           strchr(peer, ':') ? AF_INET6 : AF_INET};
    void *bytes = address.ss_family == AF_INET
                      ? (void *)&((struct sockaddr_in *)&address)->sin_addr
                      : (void *)&((struct sockaddr_in6 *)&address)->sin6_addr;
    if (inet_pton(address.ss_family, peer, bytes) != 1)
        return false;
    for (int i = 0; i < wish->allowed_count; i++)
        if (cidr_has(&wish->allowed[i], (struct sockaddr *)&address))
>>>>>>> 671deaf (rehearse: a test can push to the plugin's server as a device does)
            return true;
    return wish->allowed_count == 0;
}

<<<<<<< HEAD
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
    if (strncmp(wish->url, "http://", 7) != 0 || port < 0 || port > UINT16_MAX)
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
=======
static bool is_known(const struct server *server, const struct server_push *push)
{
    if (server->wish.login == SERVER_OPEN)
        return true;
    return push->user != NULL && push->password != NULL &&
           strcmp(push->user, server->user) == 0 &&
           strcmp(push->password, server->password) == 0;
}

/* Takes its own copies: the test may forget it. */
static void take(struct server *server, struct server_push *push)
{
    struct server_request *request = mem_new(struct server_request);
    struct server_request **link = &server->first;
    request->server = server;
    request->push = push;
    request->timer.fire = ask;
    request->method = mem_text(push->method);
    request->path = mem_text(push->path);
    request->peer = mem_text(push->peer);
    copy(&request->body, push->body, push->body_length);
    copy(&request->headers, push->headers.bytes, push->headers.length);
    copy(&request->query, push->query.bytes, push->query.length);
    while (*link != NULL)
        link = &(*link)->next;
    *link = request;
    push->request = request;
    loop_timer_start(server->loop, &request->timer, 0);
}

bool server_push(struct server_push *push, const char *url)
{
    struct server *server = servers;
    while (server != NULL && strcmp(server->url, url) != 0)
        server = server->next;
    if (server == NULL)
        return false;
    trace_add(&office_current()->trace, "%s %s%s", push->method, url, push->path);
    if (!is_allowed(&server->wish, push->peer))
        end(push, 0);
    else if (!is_known(server, push))
        end(push, 401);
    else if (push->body_length > server->wish.body_most)
        end(push, 413);
    else
        take(server, push);
    return true;
}

void server_push_drop(struct server_push *push)
{
    if (push->request != NULL)
        push->request->push = NULL;
    push->request = NULL;
}

/* ---- What the host asks and says */
>>>>>>> 671deaf (rehearse: a test can push to the plugin's server as a device does)

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

<<<<<<< HEAD
=======
static void each_pair(const struct buffer *pairs,
                      void (*each)(void *owner, const char *name, const char *value),
                      void *owner)
{
    const char *at = pairs->bytes, *last = at + pairs->length;
    while (at < last) {
        const char *value = at + strlen(at) + 1;
        each(owner, at, value);
        at = value + strlen(value) + 1;
    }
}

>>>>>>> 671deaf (rehearse: a test can push to the plugin's server as a device does)
void server_each_header(struct server_request *request,
                        void (*each)(void *owner, const char *name, const char *value),
                        void *owner)
{
<<<<<<< HEAD
    const char *name, *value;
    size_t at = 0;
    while (headers_next(&request->headers, &at, &name, &value))
        each(owner, name, value);
}

/* Pairs as they are: the test writes no escapes. */
=======
    each_pair(&request->headers, each, owner);
}

>>>>>>> 671deaf (rehearse: a test can push to the plugin's server as a device does)
void server_each_query(struct server_request *request,
                       void (*each)(void *owner, const char *name, const char *value),
                       void *owner)
{
<<<<<<< HEAD
    char copy[WORD_ROOM], *rest = copy, *pair;
    strcpy(copy, request->query);
    while ((pair = strsep(&rest, "&")) != NULL) {
        char *value = strchr(pair, '=');
        if (value != NULL)
            *value++ = '\0';
        if (pair[0] != '\0')
            each(owner, pair, value);
    }
=======
    each_pair(&request->query, each, owner);
>>>>>>> 671deaf (rehearse: a test can push to the plugin's server as a device does)
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
<<<<<<< HEAD
    char line[2 * WORD_ROOM];
    int length = snprintf(line, sizeof(line), "%s: %s", name, value);
    if (length > 0 && (size_t)length < sizeof(line))
        headers_add(&request->said, line, (size_t)length);
=======
    copy(&request->said, name, strlen(name) + 1);
    copy(&request->said, value, strlen(value) + 1);
>>>>>>> 671deaf (rehearse: a test can push to the plugin's server as a device does)
}

void server_answer(struct server_request *request, int status, const void *body,
                   size_t length)
{
<<<<<<< HEAD
    struct office *office = request->office;
    if (office_strikes_here(office, FATE_WRITE, false))
        return; /* server_close() tells the double */
    reply(request, status, NULL, body, length);
    office_strikes_here(office, FATE_WRITE, true);
=======
    struct server_push *push = request->push;
    ASSERT(request->asked);
    if (push != NULL) {
        copy(&push->said, request->said.bytes, request->said.length);
        copy(&push->answer, body, length);
        end(push, status);
    }
    free_request(request);
}

void server_flush(struct server *server)
{
    (void)server;
}

/* ---- Life */

int server_open(struct server **out, struct loop *loop, const struct server_wish *wish,
                const struct server_calls *calls, void *owner)
{
    if (strncmp(wish->url, "http://", 7) != 0)
        return -EINVAL;
    for (const struct server *other = servers; other != NULL; other = other->next)
        if (strcmp(other->url, wish->url) == 0)
            return -EADDRINUSE;
    struct server *server = mem_new(struct server);
    *server =
        (struct server){.loop = loop, .wish = *wish, .calls = *calls, .owner = owner};
    server->url = mem_text(wish->url);
    server->user = mem_text(wish->user ? wish->user : "");
    server->password = mem_text(wish->password ? wish->password : "");
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
    while (server->first != NULL) {
        struct server_request *request = server->first;
        if (request->asked)
            server->calls.gone(server->owner, request);
        if (request->push != NULL)
            end(request->push, 0);
        free_request(request);
    }
    while (*link != server)
        link = &(*link)->next;
    *link = server->next;
    mem_free(server->url);
    mem_free(server->user);
    mem_free(server->password);
    mem_free(server);
}

int server_port(const struct server *server)
{
    const char *colon = strrchr(server->url, ':');
    int port = atoi(colon + 1);
    return port > 0 ? port : 80;
>>>>>>> 671deaf (rehearse: a test can push to the plugin's server as a device does)
}
