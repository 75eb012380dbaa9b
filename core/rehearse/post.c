/* post - see post.h.
 *
 * Between a double and the plugin a message is its struct address, the sender's on the way in and the
 * receiver's on the way out, and then its bytes. */
#include "rehearse/post.h"

#include <errno.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "rehearse/office.h"

enum { MESSAGE_ROOM = sizeof(struct address) + 65536, OWN_PORT = 40000 };

static void hang_up(struct post_port *port)
{
    loop_watch_stop(&port->watch);
    close(port->fd);
    port->fd = 0;
}

/* ---- What the plugin sends */

struct word {
    const struct office_device *device;
    int port;
    const char *bytes;
    size_t length;
};

static int tell(lua_State *L)
{
    const struct word *word = lua_touserdata(L, 1);
    lua_settop(L, 0);
    lua_rawgeti(L, LUA_REGISTRYINDEX, word->device->ref);
    if (lua_getfield(L, 1, "posted") != LUA_TFUNCTION)
        return luaL_error(L,
                          "a device of UDP: expected a function posted, as t.line has");
    lua_insert(L, 1);
    lua_pushinteger(L, word->port);
    lua_pushlstring(L, word->bytes, word->length);
    lua_call(L, 3, 0);
    return 0;
}

static void deliver(const struct post_port *port, const struct address *to,
                    const char *bytes, size_t length)
{
    struct office *office = port->office;
    char name[WIRE_NAME_ROOM], address[ADDRESS_ROOM];
    address_print(to, address);
    snprintf(name, sizeof(name), "udp://%s:%d", address, address_port(to));
    struct word word = {office_device_named(office, name), port->port, bytes, length};
    wire_trace(office, name, bytes, length);
    snprintf(name, sizeof(name), "udp://%s", address);
    if (word.device == NULL)
        word.device = office_device_named(office, name);
    if (word.device != NULL && office->L != NULL)
        office_ask_here(office, tell, &word);
}

/* True when there may be more. */
static bool take(struct post_port *port)
{
    static char room[MESSAGE_ROOM];
    struct office *office = port->office;
    struct address to;
    ssize_t length = recv(port->fd, room, sizeof(room), MSG_DONTWAIT);
    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (length < (ssize_t)sizeof(to)) {
        hang_up(port); /* the plugin has closed it */
        return false;
    }
    if (office_strikes_here(office, FATE_WRITE, false))
        return false;
    memcpy(&to, room, sizeof(to));
    deliver(port, &to, room + sizeof(to), (size_t)length - sizeof(to));
    return !office_strikes_here(office, FATE_WRITE, true) && port->fd > 0;
}

static void ready(struct loop_watch *watch, bool readable, bool writable)
{
    struct post_port *port = container_of(watch, struct post_port, watch);
    (void)readable;
    (void)writable;
    if (!port->office->fate.struck)
        take(port);
}

void post_drain(struct office *office)
{
    for (int i = 0; i < POST_PORTS_MAX; i++)
        while (office->post.ports[i].fd > 0 && !office->fate.struck &&
               take(&office->post.ports[i]))
            ;
}

/* ---- Ports */

/* Of that number; one that the plugin has closed is forgotten. */
static struct post_port *port_of(struct office *office, int number)
{
    for (int i = 0; i < POST_PORTS_MAX; i++) {
        struct post_port *port = &office->post.ports[i];
        char byte;
        if (port->fd == 0 || port->port != number)
            continue;
        if (recv(port->fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) != 0)
            return port;
        hang_up(port);
    }
    return NULL;
}

int post_bind(struct office *office, int *fd, int number)
{
    int fds[2], place = 0;
    struct stat found;
    if (port_of(office, number) != NULL)
        return -EADDRINUSE;
    while (place < POST_PORTS_MAX && office->post.ports[place].fd > 0)
        place++;
    if (place == POST_PORTS_MAX)
        return -EMFILE;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0)
        return -errno;
    struct post_port *port = &office->post.ports[place];
    int err = fstat(fds[1], &found);
    ASSERT(err == 0);
    *port = (struct post_port){.office = office,
                               .watch.ready = ready,
                               .fd = fds[0],
                               .inode = found.st_ino,
                               .port = number};
    loop_watch_start(office->loop, &port->watch, port->fd, true, false);
    *fd = fds[1];
    return 0;
}

int post_port(const struct office *office, int fd)
{
    struct stat found;
    if (fstat(fd, &found) != 0)
        return 0;
    for (int i = 0; i < POST_PORTS_MAX; i++)
        if (office->post.ports[i].fd > 0 && office->post.ports[i].inode == found.st_ino)
            return office->post.ports[i].port;
    return 0;
}

bool post_has(const struct office *office, int fd)
{
    return post_port(office, fd) != 0;
}

/* ---- What a double sends */

static void send_now(struct office *office, const struct address *from, int number,
                     const struct buffer *bytes)
{
    struct post_port *port = port_of(office, number);
    struct iovec parts[] = {{(void *)(uintptr_t)from, sizeof(*from)},
                            {bytes->bytes, bytes->length}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    if (port != NULL && sendmsg(port->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        office_fail_here(office, "a device sends more than the plugin takes");
}

static void due(struct loop_timer *timer)
{
    struct post_later *later = container_of(timer, struct post_later, timer);
    struct office *office = later->office;
    later->office = NULL;
    send_now(office, &later->from, later->port, &later->bytes);
    buffer_free(&later->bytes);
}

/* "udp://10.0.0.8:5060", or without a port. */
static int read_name(struct address *from, const char *name)
{
    char host[WIRE_CALLER_ROOM];
    int port = OWN_PORT;
    const char *place = strstr(name, "://");
    place = place != NULL ? place + 3 : name;
    return urlpart_host(host, &port, place, strcspn(place, "?/")) == NULL
               ? address_parse(from, host, port)
               : -EINVAL;
}

int post_send(struct office *office, const char *name, int port, const void *bytes,
              size_t length, int64_t after_ms)
{
    struct post_later *later = office->post.later;
    struct post_later *end = later + POST_LATER_MAX;
    struct address from = {0};
    int err = read_name(&from, name);
    while (later < end && later->office != NULL)
        later++;
    if (err || later == end)
        return err ? err : -EMFILE;
    later->office = office;
    later->timer.fire = due;
    later->from = from;
    later->port = port;
    buffer_append(&later->bytes, bytes, length);
    if (after_ms == 0)
        due(&later->timer);
    else
        loop_timer_start(office->loop, &later->timer, after_ms);
    return 0;
}

void post_end_all(struct office *office)
{
    for (int i = 0; i < POST_PORTS_MAX; i++)
        if (office->post.ports[i].fd > 0)
            hang_up(&office->post.ports[i]);
}

void post_free(struct office *office)
{
    for (int i = 0; i < POST_LATER_MAX; i++) {
        loop_timer_stop(&office->post.later[i].timer);
        buffer_free(&office->post.later[i].bytes);
    }
}
