/* wire - see wire.h. */
#include "rehearse/wire.h"

#include <errno.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/base.h"
#include "base/hex.h"
#include "rehearse/office.h"

enum { CHUNK = 4096, SHOWN = 64 };

/* ---- What the double hears */

struct word {
    const struct wire *wire;
    const char *function;
    const char *bytes; /* NULL: none */
    size_t length;
    bool says_no;
};

static int tell(lua_State *L)
{
    struct word *word = lua_touserdata(L, 1);
    lua_settop(L, 0);
    lua_rawgeti(L, LUA_REGISTRYINDEX, word->wire->ref);
    if (lua_getfield(L, 1, word->function) != LUA_TFUNCTION)
        return luaL_error(L, "a device on a line: expected a function %s, as t.line has",
                          word->function);
    lua_insert(L, 1);
    lua_pushinteger(L, word->wire->id);
    if (word->bytes != NULL)
        lua_pushlstring(L, word->bytes, word->length);
    lua_call(L, word->bytes != NULL ? 3 : 2, 1);
    word->says_no = lua_isboolean(L, -1) && !lua_toboolean(L, -1);
    return 0;
}

/* Whether it did not say no. */
static bool tell_double(struct wire *wire, const char *function, const char *bytes,
                        size_t length)
{
    struct word word = {
        .wire = wire, .function = function, .bytes = bytes, .length = length};
    if (wire->office->L != NULL)
        office_ask_here(wire->office, tell, &word);
    return !word.says_no;
}

void wire_trace(struct office *office, const char *name, const char *bytes, size_t length)
{
    char shown[2 * SHOWN + 1];
    size_t count = length < SHOWN ? length : SHOWN;
    bool plain = true;
    for (size_t i = 0; i < count; i++)
        plain = plain && bytes[i] >= ' ' && bytes[i] < 127;
    if (plain)
        snprintf(shown, sizeof(shown), "%.*s", (int)count, bytes);
    else
        hex_encode(shown, bytes, count);
    trace_add(&office->trace, "send %s %s%s", name, shown, length > SHOWN ? "..." : "");
}

static void hang_up(struct wire *wire)
{
    loop_watch_stop(&wire->watch);
    close(wire->fd);
    wire->fd = -1;
}

/* True when there may be more. */
static bool take(struct wire *wire)
{
    char bytes[CHUNK];
    struct office *office = wire->office;
    ssize_t length = recv(wire->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (length <= 0) {
        trace_add(&office->trace, "close %s", wire->name);
        hang_up(wire);
        tell_double(wire, "left", NULL, 0);
        return false;
    }
    if (office_strikes_here(office, FATE_WRITE, false))
        return false;
    wire_trace(office, wire->name, bytes, (size_t)length);
    tell_double(wire, "take", bytes, (size_t)length);
    return !office_strikes_here(office, FATE_WRITE, true) && wire->fd >= 0;
}

static void ready(struct loop_watch *watch, bool readable, bool writable)
{
    struct wire *wire = container_of(watch, struct wire, watch);
    (void)readable;
    (void)writable;
    if (!wire->office->fate.struck)
        take(wire);
}

void wire_drain(struct office *office)
{
    for (int i = 0; i < WIRE_MAX; i++)
        while (office->wires.wire[i].fd > 0 && !office->fate.struck &&
               take(&office->wires.wire[i]))
            ;
}

/* ---- Lines */

static struct wire *new_wire(struct office *office, int fd, int ref, const char *name)
{
    struct wires *wires = &office->wires;
    for (int i = 0; i < WIRE_MAX; i++) {
        struct wire *wire = &wires->wire[i];
        if (wire->fd > 0)
            continue;
        *wire = (struct wire){.office = office,
                              .watch.ready = ready,
                              .fd = fd,
                              .ref = ref,
                              .id = ++wires->last_id};
        snprintf(wire->name, sizeof(wire->name), "%s", name);
        loop_watch_start(office->loop, &wire->watch, fd, true, false);
        return wire;
    }
    close(fd);
    return NULL;
}

int wire_open(struct office *office, int *fd, const char *name, int type)
{
    int fds[2];
    const struct office_device *device = office_device_named(office, name);
    if (device == NULL)
        office_missed_here(office, name);
    if (device == NULL || office->fate.struck)
        return -ECONNREFUSED;
    if (socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0)
        return -errno;
    struct wire *wire = new_wire(office, fds[0], device->ref, name);
    if (wire == NULL) {
        close(fds[1]);
        return -EMFILE;
    }
    bool is_taken = tell_double(wire, "joined", NULL, 0);
    trace_add(&office->trace, "open %s%s", name, is_taken ? "" : ": refused");
    if (!is_taken) {
        hang_up(wire);
        close(fds[1]);
        return -ECONNREFUSED;
    }
    *fd = fds[1];
    return 0;
}

/* ---- Doors */

int wire_listen(struct office *office, int *fd, int port)
{
    struct wires *wires = &office->wires;
    struct sockaddr_un anywhere = {.sun_family = AF_UNIX};
    if (wires->door_count == WIRE_DOORS_MAX)
        return -EMFILE;
    int made = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (made < 0)
        return -errno;
    if (bind(made, (struct sockaddr *)&anywhere, sizeof(sa_family_t)) != 0 ||
        listen(made, WIRE_MAX) != 0) {
        int err = -errno;
        close(made);
        return err;
    }
    wires->doors[wires->door_count++] = (struct wire_door){made, port};
    *fd = made;
    return 0;
}

/* The newest of that number: what the plugin has closed may come again under another port. */
int wire_port(const struct office *office, int fd)
{
    for (int i = office->wires.door_count - 1; i >= 0; i--)
        if (office->wires.doors[i].fd == fd)
            return office->wires.doors[i].port;
    return 0;
}

int wire_call(struct office *office, const char *name, int port)
{
    const struct office_device *device = office_device_named(office, name);
    struct wires *wires = &office->wires;
    struct sockaddr_un where;
    socklen_t length = sizeof(where);
    int at = wires->door_count - 1;
    while (at >= 0 && wires->doors[at].port != port)
        at--;
    if (at < 0 || device == NULL ||
        getsockname(wires->doors[at].fd, (struct sockaddr *)&where, &length) != 0)
        return -ECONNREFUSED;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&where, length) != 0) {
        int err = -errno;
        if (fd >= 0)
            close(fd);
        return err;
    }
    const char *address = strrchr(name, '/');
    snprintf(wires->callers[wires->called++ % WIRE_MAX], WIRE_CALLER_ROOM, "%s",
             address != NULL ? address + 1 : name);
    trace_add(&office->trace, "call %s at %d", name, port);
    struct wire *wire = new_wire(office, fd, device->ref, name);
    return wire != NULL ? wire->id : -EMFILE;
}

const char *wire_caller(struct office *office)
{
    struct wires *wires = &office->wires;
    if (wires->accepted == wires->called)
        return NULL;
    return wires->callers[wires->accepted++ % WIRE_MAX];
}

/* ---- What the double sends */

static struct wire *wire_of(struct office *office, int id)
{
    for (int i = 0; i < WIRE_MAX; i++)
        if (office->wires.wire[i].fd > 0 && office->wires.wire[i].id == id)
            return &office->wires.wire[i];
    return NULL;
}

static void send_now(struct office *office, int id, const void *bytes, size_t length,
                     bool closes)
{
    struct wire *wire = wire_of(office, id);
    if (wire == NULL)
        return;
    if (length > 0 &&
        send(wire->fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)length)
        office_fail_here(office, "a device sends more than the plugin takes");
    if (closes)
        hang_up(wire);
}

static void later_due(struct loop_timer *timer)
{
    struct wire_later *later = container_of(timer, struct wire_later, timer);
    int id = later->id;
    later->id = 0;
    send_now(later->office, id, later->bytes.bytes, later->bytes.length, later->closes);
    buffer_free(&later->bytes);
}

bool wire_send(struct office *office, int id, const void *bytes, size_t length,
               bool closes, int64_t after_ms)
{
    if (wire_of(office, id) == NULL)
        return false;
    if (after_ms == 0) {
        send_now(office, id, bytes, length, closes);
        return true;
    }
    for (int i = 0; i < WIRE_LATER_MAX; i++) {
        struct wire_later *later = &office->wires.later[i];
        if (later->id != 0)
            continue;
        later->office = office;
        later->id = id;
        later->closes = closes;
        later->timer.fire = later_due;
        buffer_append(&later->bytes, bytes, length);
        loop_timer_start(office->loop, &later->timer, after_ms);
        return true;
    }
    office_fail_here(office, "a device has more to send later than a rehearsal holds");
    return true;
}

void wire_end_all(struct office *office)
{
    for (int i = 0; i < WIRE_MAX; i++)
        if (office->wires.wire[i].fd > 0) {
            hang_up(&office->wires.wire[i]);
            tell_double(&office->wires.wire[i], "left", NULL, 0);
        }
    for (int i = 0; i < WIRE_LATER_MAX; i++) {
        loop_timer_stop(&office->wires.later[i].timer);
        office->wires.later[i].id = 0;
        buffer_free(&office->wires.later[i].bytes);
    }
    office->wires.door_count = 0;
    office->wires.called = office->wires.accepted = 0;
}
