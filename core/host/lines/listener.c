/* listener - see listener.h.
 *
 * A visit is one connection with its handler's coroutine; it stays when the connection ends and serves
 * the next one, so that there are never more than `connections` of them.
 *
 * Invariant: a visit is free exactly while it holds neither a descriptor nor a connection nor a
 * running task nor a commit. */
#include "host/lines/listener.h"

#include <errno.h>
#include <lauxlib.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/base.h"
#include "base/log.h"
#include "base/mem.h"
#include "host/instance/plugin.h"
#include "host/lines/socket.h"

enum { ACCEPTS_A_TURN = 16, PAUSE_MS = 200, LABEL_ROOM = 80 };

struct visit {
    struct task task;
    struct commit commit;
    struct listener *listener;
    struct visit *next;
    struct conn *conn; /* held by conn_ref; NULL: none */
    int conn_ref;
    int fd; /* until it is the connection's; -1: none */
    struct address from;
    bool is_free;
};

struct listener {
    struct plugin *plugin;
    struct listener *next;
    struct listener_options options;
    struct loop_watch watch;
    struct loop_timer pause;
    struct complaint complaint; /* about handlers, */
    struct complaint refusal;   /* and about who came in vain */
    struct visit *visits;
    int visit_count;
    int open_count;
    int function_ref;
    int fd; /* -1: stopped */
    int port;
    char label[LABEL_ROOM];
};

/* ---- The end of a visit */

static void let_go(struct visit *visit)
{
    lua_State *L = visit->listener->plugin->L;
    if (visit->fd >= 0)
        close(visit->fd);
    visit->fd = -1;
    if (visit->conn != NULL) {
        conn_close(visit->conn);
        luaL_unref(L, LUA_REGISTRYINDEX, visit->conn_ref);
    }
    visit->conn = NULL;
}

static void rest(struct visit *visit)
{
    let_go(visit);
    visit->is_free = true;
    visit->listener->open_count--;
}

static void committed(struct commit *commit, int err, const char *text, int64_t seq)
{
    struct visit *visit = container_of(commit, struct visit, commit);
    (void)seq;
    if (err)
        plugin_refuse(visit->task.plugin, visit->listener->label, text);
    else
        rest(visit);
}

static void handler_over(struct task *task, const char *why)
{
    struct visit *visit = container_of(task, struct visit, task);
    struct listener *listener = visit->listener;
    if (why != NULL) {
        effects_clear(&task->effects);
        plugin_complain(task->plugin, &listener->complaint, listener->label, why);
    }
    if (effects_is_empty(&task->effects))
        rest(visit);
    else if (commit_send(&task->plugin->commits, &visit->commit, &task->effects) != 0)
        plugin_refuse(task->plugin, listener->label, "the keeper does not take it");
}

/* ---- Its begin */

static int handler_returned(lua_State *L, int status, lua_KContext context)
{
    (void)L;
    (void)status;
    (void)context;
    return 0;
}

static int call_handler(lua_State *L)
{
    struct visit *visit = lua_touserdata(L, 1);
    const struct listener *listener = visit->listener;
    char peer[ADDRESS_ROOM];
    struct conn *conn = conn_new(L, &listener->options.conn);
    lua_pushvalue(L, -1);
    visit->conn_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    visit->conn = conn;
    address_print(&visit->from, peer);
    conn_open(conn, listener->plugin->loop, visit->fd, peer, address_port(&visit->from));
    conn->has_called = true;
    visit->fd = -1; /* the connection's */
    lua_rawgeti(L, LUA_REGISTRYINDEX, listener->function_ref);
    lua_insert(L, -2);
    lua_callk(L, 1, 0, 0, handler_returned);
    return 0;
}

/* A further visit; NULL when the plugin has no memory left for one. */
static struct visit *new_visit(struct listener *listener)
{
    struct plugin *plugin = listener->plugin;
    int thread_ref = task_try_reserve(plugin->L);
    if (thread_ref == LUA_NOREF)
        return NULL;
    struct visit *visit = mem_new(struct visit);
    task_open(&visit->task, plugin, plugin->L, thread_ref);
    visit->task.over = handler_over;
    visit->commit.done = committed;
    visit->listener = listener;
    visit->fd = -1;
    visit->is_free = true;
    visit->next = listener->visits;
    listener->visits = visit;
    listener->visit_count++;
    return visit;
}

static struct visit *free_visit(struct listener *listener)
{
    struct visit *visit = listener->visits;
    while (visit != NULL && !visit->is_free)
        visit = visit->next;
    if (visit == NULL && listener->visit_count < listener->options.connections)
        visit = new_visit(listener);
    return visit;
}

/* ---- At the door */

static void turn_away(struct listener *listener, int fd, const struct address *from,
                      const char *metric, const char *why)
{
    char peer[ADDRESS_ROOM], text[COMPLAINT_ROOM];
    int unsaid;
    close(fd);
    metrics_count(&listener->plugin->metrics, metric, 1);
    address_print(from, peer);
    snprintf(text, sizeof(text), "%s was turned away: %s", peer, why);
    if (complaint_is_due(&listener->refusal, why, plugin_now_ms(), &unsaid))
        log_warn("%s: %s: %s (%d others before)", listener->plugin->name, listener->label,
                 text, unsaid);
}

static void receive(struct listener *listener, int fd, const struct address *from)
{
    const struct listener_options *options = &listener->options;
    if (options->allow_count > 0 &&
        !address_is_in(from, options->allow, options->allow_count)) {
        turn_away(listener, fd, from, "tcp_strangers", "its address is not allowed");
        return;
    }
    struct visit *visit = free_visit(listener);
    if (visit == NULL) {
        turn_away(listener, fd, from, "tcp_refused", "too many connections at once");
        return;
    }
    socket_tune(fd, options->nodelay, options->keepalive_ms);
    visit->is_free = false;
    visit->fd = fd;
    visit->from = *from;
    listener->open_count++;
    task_run(&visit->task, call_handler, visit);
}

static bool is_passing(int error)
{
    return error == EINTR || error == ECONNABORTED || error == EPROTO;
}

/* A process without descriptors left would be told for ever that somebody waits. */
static void take_a_break(struct listener *listener)
{
    loop_watch_stop(&listener->watch);
    loop_timer_start(listener->plugin->loop, &listener->pause, PAUSE_MS);
}

static void somebody_came(struct loop_watch *watch, bool readable, bool writable)
{
    struct listener *listener = container_of(watch, struct listener, watch);
    (void)readable;
    (void)writable;
    for (int i = 0; i < ACCEPTS_A_TURN && !listener->plugin->stopping; i++) {
        struct address from = {.length = sizeof(from.is)};
        if (listener->fd < 0)
            return; /* the handler has stopped us */
        int fd = accept4(listener->fd, &from.is.any, &from.length,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            receive(listener, fd, &from);
        } else if (errno == EAGAIN) {
            return;
        } else if (!is_passing(errno)) {
            take_a_break(listener);
            return;
        }
    }
}

static void listener_start(struct listener *listener)
{
    if (listener->fd >= 0)
        loop_watch_start(listener->plugin->loop, &listener->watch, listener->fd, true,
                         false);
}

static void break_over(struct loop_timer *timer)
{
    listener_start(container_of(timer, struct listener, pause));
}

/* ---- Life */

int listener_new(lua_State *L, struct plugin *plugin, struct listener **out,
                 const struct address *address, const struct listener_options *options)
{
    char place[ADDRESS_ROOM];
    int fd, function_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    int err = socket_bind(&fd, address, SOCK_STREAM, options->connections);
    if (err) {
        luaL_unref(L, LUA_REGISTRYINDEX, function_ref);
        return err;
    }
    struct listener *listener = mem_new(struct listener);
    listener->plugin = plugin;
    listener->options = *options;
    listener->watch.ready = somebody_came;
    listener->pause.fire = break_over;
    listener->function_ref = function_ref;
    listener->fd = fd;
    listener->port = socket_port(fd);
    address_print(address, place);
    snprintf(listener->label, sizeof(listener->label), "tcp %s port %d", place,
             listener->port);
    listener->next = plugin->listeners;
    plugin->listeners = listener;
    plugin->slots++;
    if (plugin->started)
        listener_start(listener);
    *out = listener;
    return 0;
}

void listener_stop(struct listener *listener)
{
    loop_watch_stop(&listener->watch);
    loop_timer_stop(&listener->pause);
    if (listener->fd >= 0)
        close(listener->fd);
    listener->fd = -1;
}

int listener_port(const struct listener *listener)
{
    return listener->port;
}

int listener_count(const struct listener *listener)
{
    return listener->open_count;
}

void listener_start_all(struct plugin *plugin)
{
    struct listener *listener = plugin->listeners;
    for (; listener != NULL; listener = listener->next)
        listener_start(listener);
}

static void listener_close(struct listener *listener)
{
    lua_State *L = listener->plugin->L;
    listener_stop(listener);
    while (listener->visits != NULL) {
        struct visit *visit = listener->visits;
        listener->visits = visit->next;
        commit_forget(&visit->commit);
        let_go(visit);
        task_close(&visit->task, L);
        mem_free(visit);
    }
    luaL_unref(L, LUA_REGISTRYINDEX, listener->function_ref);
    mem_free(listener);
}

void listener_close_all(struct plugin *plugin)
{
    while (plugin->listeners != NULL) {
        struct listener *listener = plugin->listeners;
        plugin->listeners = listener->next;
        plugin->slots--;
        listener_close(listener);
    }
}
