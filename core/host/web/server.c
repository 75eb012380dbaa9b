/* server - see server.h. The door to libmicrohttpd, which parses HTTP and keeps its own bounds on heads,
 * connections and idleness; libevent's evhttp has none on connections nor on what is sent ahead while a
 * request waits for its answer.
 *
 * Invariant: a request is SUSPENDED from the moment it is whole until it is answered; only then does
 * its owner know it. What the library calls only notes down and starts `rest`. */
#include "host/web/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/base.h"
#include "base/buffer.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/random.h"
#include "host/web/serveurl.h"

enum {
    NONCE_SECONDS = 300,
    NONCES = 64,
    SEED_BYTES = 16,
    BACKLOG = 32,
    STEPS_OF_ONE = 3, /* of the library: resume, answer, send */
    PEM_MAX = 64 * 1024
};

static const char REALM[] = "outpost";

struct server {
    struct MHD_Daemon *daemon;
    struct loop *loop;
    struct loop_watch watch;
    struct loop_timer timer;
    struct loop_rest rest;
    struct server_wish wish;        /* with texts of its own */
    struct buffer certificate, key; /* of https:// */
    struct server_calls calls;
    void *owner;
    struct server_request *first; /* oldest first */
    size_t held;                  /* bytes of bodies */
    int port;
    char seed[SEED_BYTES];
};

/* A connection. */
struct guest {
    struct server *server;
    struct MHD_Connection *connection;
    struct loop_timer deadline;
    bool served; /* it had an answer, and may have no further question */
    bool asks;   /* the head of a request is there */
    bool sends;  /* its answer is on its way */
};

enum stage { COMING, WHOLE, SUSPENDED, ANSWERED };

struct server_request {
    struct server *server;
    struct guest *guest;
    enum stage stage;
    char *method;
    char *path;
    char peer[SERVER_PEER_ROOM];
    struct buffer body;
    struct MHD_Response *response;
    struct buffer said; /* name NUL value NUL ... */
    unsigned int status;
    void *remembered;
    struct server_request *next;
};

/* ---- The loop */

static void drive(struct server *server);

static void watch_ready(struct loop_watch *watch, bool readable, bool writable)
{
    (void)readable;
    (void)writable;
    drive(container_of(watch, struct server, watch));
}

static void timer_over(struct loop_timer *timer)
{
    drive(container_of(timer, struct server, timer));
}

/* One step of the library, and when the next one is due without anything happening. */
static void drive(struct server *server)
{
    MHD_UNSIGNED_LONG_LONG ms;
    MHD_run(server->daemon);
    if (MHD_get_timeout(server->daemon, &ms) == MHD_YES)
        loop_timer_start(server->loop, &server->timer, (int64_t)ms);
    else
        loop_timer_stop(&server->timer);
}

static void ask_owner(struct loop_rest *rest)
{
    struct server *server = container_of(rest, struct server, rest);
    struct server_request *request = server->first;
    while (request != NULL && request->stage != WHOLE)
        request = request->next;
    if (request == NULL)
        return;
    loop_rest_start(server->loop, rest); /* perhaps there is another one */
    request->stage = SUSPENDED;
    server->calls.asked(server->owner, request);
}

/* ---- Connections */

static int fd_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *found =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return found != NULL ? (int)found->connect_fd : -1;
}

/* An answer that the library cannot give in the middle of a request; then the connection ends. */
static void hang_up(const struct guest *guest, const char *status)
{
    char line[120];
    int fd = fd_of(guest->connection);
    if (fd < 0)
        return;
    int length =
        snprintf(line, sizeof(line),
                 "HTTP/1.1 %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", status);
    if ((!guest->served || guest->asks) && !guest->sends)
        send(fd, line, (size_t)length, MSG_DONTWAIT | MSG_NOSIGNAL);
    shutdown(fd, SHUT_RDWR); /* the library sees the end and cleans up */
}

static void too_late(struct loop_timer *timer)
{
    hang_up(container_of(timer, struct guest, deadline), "408 Request Timeout");
}

static void set_deadline(struct guest *guest, int64_t ms)
{
    loop_timer_start(guest->server->loop, &guest->deadline, ms);
}

static void guest_changed(void *owner, struct MHD_Connection *connection, void **seat,
                          enum MHD_ConnectionNotificationCode what)
{
    struct server *server = owner;
    struct guest *guest = *seat;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        guest = mem_new(struct guest);
        guest->server = server;
        guest->connection = connection;
        guest->deadline.fire = too_late;
        *seat = guest;
        set_deadline(guest, server->wish.whole_ms);
        return;
    }
    loop_timer_stop(&guest->deadline);
    mem_free(guest);
    *seat = NULL;
}

static enum MHD_Result is_allowed(void *owner, const struct sockaddr *address,
                                  socklen_t length)
{
    const struct server_wish *wish = &((struct server *)owner)->wish;
    (void)length;
    for (int i = 0; i < wish->allowed_count; i++)
        if (cidr_has(&wish->allowed[i], address))
            return MHD_YES;
    return wish->allowed_count == 0 ? MHD_YES : MHD_NO;
}

/* ---- Requests */

static void note_peer(struct server_request *request, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *found =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *address = found != NULL ? found->client_addr : NULL;
    if (address != NULL && address->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)address)->sin_addr,
                  request->peer, sizeof(request->peer));
    else if (address != NULL && address->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)address)->sin6_addr,
                  request->peer, sizeof(request->peer));
}

static struct server_request *new_request(struct server *server,
                                          struct MHD_Connection *connection,
                                          const char *method, const char *path)
{
    const union MHD_ConnectionInfo *found =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct server_request *request = mem_new(struct server_request);
    struct server_request **link = &server->first;
    request->server = server;
    request->guest = found->socket_context;
    request->guest->asks = true;
    request->method = mem_text(method);
    request->path = mem_text(path);
    note_peer(request, connection);
    while (*link != NULL)
        link = &(*link)->next;
    *link = request;
    return request;
}

static void free_request(struct server_request *request)
{
    struct server_request **link = &request->server->first;
    while (*link != request)
        link = &(*link)->next;
    *link = request->next;
    request->server->held -= request->body.length;
    if (request->response != NULL)
        MHD_destroy_response(request->response);
    mem_free(request->method);
    mem_free(request->path);
    buffer_free(&request->body);
    buffer_free(&request->said);
    mem_free(request);
}

static void request_over(void *owner, struct MHD_Connection *connection, void **seat,
                         enum MHD_RequestTerminationCode why)
{
    struct server *server = owner;
    struct server_request *request = *seat;
    (void)connection;
    (void)why;
    if (request == NULL)
        return;
    *seat = NULL;
    request->guest->served = true;
    request->guest->asks = request->guest->sends = false;
    set_deadline(request->guest, server->wish.idle_ms + server->wish.whole_ms);
    if (request->stage == SUSPENDED)
        server->calls.gone(server->owner, request);
    free_request(request);
}

static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned int status)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    enum MHD_Result queued = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return queued;
}

/* ---- Logging in */

/* As long for a wrong text as for the right one. */
static bool is_same(const char *given, const char *right)
{
    size_t length = strlen(right);
    unsigned int differs = strlen(given) != length;
    for (size_t i = 0; i < length; i++)
        differs |= (unsigned int)(given[i % (strlen(given) + 1)] ^ right[i]);
    return differs == 0;
}

static bool is_known(const struct server_wish *wish, struct MHD_Connection *connection)
{
    char *password = NULL;
    char *user = MHD_basic_auth_get_username_password(connection, &password);
    bool known = user != NULL && password != NULL && is_same(user, wish->user) &&
                 is_same(password, wish->password);
    MHD_free(user);
    MHD_free(password);
    return known;
}

/* Whether it is logged in, or has been told how to (in *queued). */
static bool is_welcome(const struct server_wish *wish, struct MHD_Connection *connection,
                       enum MHD_Result *queued)
{
    int found = MHD_NO;
    if (wish->login == SERVER_OPEN)
        return true;
    if (wish->login == SERVER_BASIC && is_known(wish, connection))
        return true;
    if (wish->login == SERVER_DIGEST)
        found = MHD_digest_auth_check2(connection, REALM, wish->user, wish->password,
                                       NONCE_SECONDS, MHD_DIGEST_ALG_MD5);
    if (found == MHD_YES)
        return true;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    if (wish->login == SERVER_BASIC)
        *queued = MHD_queue_basic_auth_fail_response(connection, REALM, response);
    else
        *queued =
            MHD_queue_auth_fail_response2(connection, REALM, REALM, response,
                                          found == MHD_INVALID_NONCE, MHD_DIGEST_ALG_MD5);
    MHD_destroy_response(response);
    return false;
}

/* ---- A request, as it comes: its head, its body bit by bit, its end, and once more when answered */

static enum MHD_Result take_head(const struct server *server,
                                 struct MHD_Connection *connection)
{
    enum MHD_Result queued = MHD_NO;
    const char *said = MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
                                                   MHD_HTTP_HEADER_CONTENT_LENGTH);
    if (!is_welcome(&server->wish, connection, &queued))
        return queued;
    if (said != NULL && strtoull(said, NULL, 10) > server->wish.body_most)
        return refuse(connection, MHD_HTTP_CONTENT_TOO_LARGE);
    if (server->held >= SERVER_BODIES_MAX)
        return refuse(connection, MHD_HTTP_SERVICE_UNAVAILABLE);
    return MHD_YES;
}

static enum MHD_Result take_body(struct server_request *request, const char *bytes,
                                 size_t length)
{
    struct server *server = request->server;
    bool is_full = server->held + length > SERVER_BODIES_MAX;
    if (is_full || request->body.length + length > server->wish.body_most) {
        hang_up(request->guest,
                is_full ? "503 Service Unavailable" : "413 Content Too Large");
        return MHD_NO;
    }
    buffer_append(&request->body, bytes, length);
    server->held += length;
    return MHD_YES;
}

static void take_end(struct server_request *request, struct MHD_Connection *connection)
{
    request->stage = WHOLE;
    loop_timer_stop(&request->guest->deadline);
    MHD_suspend_connection(connection);
    loop_rest_start(request->server->loop, &request->server->rest);
}

static enum MHD_Result take(void *owner, struct MHD_Connection *connection,
                            const char *path, const char *method, const char *version,
                            const char *bytes, size_t *length, void **seat)
{
    struct server_request *request = *seat;
    (void)version;
    if (request == NULL) {
        *seat = new_request(owner, connection, method, path);
        return take_head(owner, connection);
    }
    if (*length > 0) {
        enum MHD_Result taken = take_body(request, bytes, *length);
        *length = 0;
        return taken;
    }
    if (request->stage == ANSWERED)
        return MHD_queue_response(connection, request->status, request->response);
    take_end(request, connection);
    return MHD_YES;
}

/* ---- What the owner asks and says */

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

struct each {
    void (*each)(void *owner, const char *name, const char *value);
    void *owner;
};

static enum MHD_Result pass_on(void *owner, enum MHD_ValueKind kind, const char *name,
                               const char *value)
{
    const struct each *each = owner;
    (void)kind;
    each->each(each->owner, name, value);
    return MHD_YES;
}

void server_each_header(struct server_request *request,
                        void (*each)(void *owner, const char *name, const char *value),
                        void *owner)
{
    struct each pass = {each, owner};
    MHD_get_connection_values(request->guest->connection, MHD_HEADER_KIND, pass_on,
                              &pass);
}

void server_each_query(struct server_request *request,
                       void (*each)(void *owner, const char *name, const char *value),
                       void *owner)
{
    struct each pass = {each, owner};
    MHD_get_connection_values(request->guest->connection, MHD_GET_ARGUMENT_KIND, pass_on,
                              &pass);
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
    buffer_append(&request->said, name, strlen(name) + 1);
    buffer_append(&request->said, value, strlen(value) + 1);
}

static void add_said(struct server_request *request)
{
    size_t from = 0;
    while (from < request->said.length) {
        const char *at = request->said.bytes + from;
        const char *value = at + strlen(at) + 1;
        MHD_add_response_header(request->response, at, value);
        from = (size_t)(value + strlen(value) + 1 - request->said.bytes);
    }
}

void server_answer(struct server_request *request, int status, const void *body,
                   size_t length)
{
    struct server *server = request->server;
    ASSERT(request->stage == SUSPENDED);
    request->response = MHD_create_response_from_buffer(length, (void *)(uintptr_t)body,
                                                        MHD_RESPMEM_MUST_COPY);
    ASSERT(request->response != NULL);
    add_said(request);
    request->status = (unsigned int)status;
    request->stage = ANSWERED;
    request->guest->sends = true;
    set_deadline(request->guest, server->wish.whole_ms);
    MHD_resume_connection(request->guest->connection);
    loop_timer_start(server->loop, &server->timer, 0);
}

void server_flush(struct server *server)
{
    for (int i = 0; i < STEPS_OF_ONE; i++)
        MHD_run(server->daemon);
}

/* ---- Life */

/* Versions that are broken are not spoken. */
static const char VERSIONS[] = "NORMAL:-VERS-TLS1.0:-VERS-TLS1.1";

static int read_lock(struct server *server, const struct server_wish *wish)
{
    if (wish->certificate == NULL || wish->key == NULL)
        return -EINVAL;
    if (file_read(&server->certificate, wish->certificate, PEM_MAX) != 0 ||
        file_read(&server->key, wish->key, PEM_MAX) != 0)
        return -EKEYREJECTED;
    return 0;
}

static int start(struct server *server, const struct sockaddr_storage *address)
{
    const struct server_wish *wish = &server->wish;
    unsigned int flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME;
    unsigned int idle_s = (unsigned int)((wish->idle_ms + 999) / 1000);
    unsigned int most = (unsigned int)wish->connections;
    struct MHD_OptionItem lock[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0,
         (void *)(uintptr_t)buffer_text(&server->certificate)},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)buffer_text(&server->key)},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)VERSIONS},
        {MHD_OPTION_END, 0, NULL}};
    bool is_locked = server->key.length > 0;
    if (address->ss_family == AF_INET6)
        flags |= MHD_USE_IPv6;
    if (is_locked)
        flags |= MHD_USE_TLS;
    errno = 0;
    server->daemon = MHD_start_daemon(
        flags, 0, is_allowed, server, take, server, MHD_OPTION_SOCK_ADDR, address,
        MHD_OPTION_CONNECTION_LIMIT, most, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        (most + 1) / 2, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)SERVER_HEAD_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, idle_s, MHD_OPTION_LISTEN_BACKLOG_SIZE,
        (unsigned int)BACKLOG, MHD_OPTION_NOTIFY_COMPLETED, request_over, server,
        MHD_OPTION_NOTIFY_CONNECTION, guest_changed, server,
        MHD_OPTION_DIGEST_AUTH_RANDOM, sizeof(server->seed), server->seed,
        MHD_OPTION_NONCE_NC_SIZE, (unsigned int)NONCES, MHD_OPTION_ARRAY,
        is_locked ? lock : lock + 3, MHD_OPTION_END);
    if (server->daemon == NULL && is_locked && errno == 0)
        return -EKEYREJECTED;
    if (server->daemon == NULL)
        return errno != 0 ? -errno : -EADDRNOTAVAIL;
    return 0;
}

static void note_port(struct server *server)
{
    struct sockaddr_in6 address;
    socklen_t length = sizeof(address);
    const union MHD_DaemonInfo *found =
        MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_LISTEN_FD);
    if (getsockname(found->listen_fd, (struct sockaddr *)&address, &length) == 0)
        server->port = ntohs(address.sin6_port);
}

int server_open(struct server **out, struct loop *loop, const struct server_wish *wish,
                const struct server_calls *calls, void *owner)
{
    struct sockaddr_storage address;
    bool is_locked;
    int err = serveurl_parse(&address, &is_locked, wish->url);
    if (err)
        return err;
    struct server *server = mem_new(struct server);
    *server =
        (struct server){.loop = loop, .wish = *wish, .calls = *calls, .owner = owner};
    server->watch.ready = watch_ready;
    server->timer.fire = timer_over;
    server->rest.fire = ask_owner;
    server->wish.url = NULL;
    server->wish.user = mem_text(wish->user ? wish->user : "");
    server->wish.password = mem_text(wish->password ? wish->password : "");
    random_bytes(server->seed, sizeof(server->seed));
    err = is_locked ? read_lock(server, wish) : 0;
    if (!err)
        err = start(server, &address);
    if (err) {
        server_close(server);
        return err;
    }
    note_port(server);
    const union MHD_DaemonInfo *found =
        MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    loop_watch_start(loop, &server->watch, found->epoll_fd, true, false);
    *out = server;
    return 0;
}

/* The library stops only when nothing is suspended; then each request is over. */
void server_close(struct server *server)
{
    if (server == NULL)
        return;
    loop_watch_stop(&server->watch);
    loop_rest_stop(&server->rest);
    for (struct server_request *request = server->first; request; request = request->next)
        if (request->stage == WHOLE || request->stage == SUSPENDED)
            MHD_resume_connection(request->guest->connection);
    if (server->daemon != NULL)
        MHD_stop_daemon(server->daemon);
    loop_timer_stop(&server->timer);
    mem_free((void *)(uintptr_t)server->wish.user);
    mem_free((void *)(uintptr_t)server->wish.password);
    if (server->key.length > 0)
        explicit_bzero(server->key.bytes, server->key.length);
    buffer_free(&server->key);
    buffer_free(&server->certificate);
    mem_free(server);
}

int server_port(const struct server *server)
{
    return server->port;
}
