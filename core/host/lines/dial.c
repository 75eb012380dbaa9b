/* dial - see dial.h.
 *
 * Invariant: while started, exactly one of these goes on: the lookup, the watch of the socket that is
 * being connected, or the timer towards the next step; the timer runs in all three. */
#include "host/lines/dial.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/base.h"
#include "base/now.h"

static void try_next(struct dial *dial);

static int64_t now_ms(void)
{
    return now_mono_us() / 1000;
}

static void hang_up(struct dial *dial)
{
    loop_watch_stop(&dial->watch);
    if (dial->is_trying)
        close(dial->fd);
    dial->is_trying = false;
}

void dial_stop(struct dial *dial)
{
    hang_up(dial);
    resolve_stop(&dial->resolve);
    loop_timer_stop(&dial->timer);
}

static void finish(struct dial *dial, int err)
{
    if (!err)
        dial->is_trying = false; /* the socket is the caller's */
    loop_watch_stop(&dial->watch);
    dial_stop(dial);
    dial->done(dial, err);
}

static void connected(struct loop_watch *watch, bool readable, bool writable)
{
    struct dial *dial = container_of(watch, struct dial, watch);
    int error = 0;
    socklen_t length = sizeof(error);
    (void)readable;
    (void)writable;
    if (getsockopt(dial->fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0)
        error = errno;
    dial->err = -error;
    if (error == 0)
        finish(dial, 0);
    else
        try_next(dial);
}

/* Begins; false when that address is no way at once. */
static bool try_address(struct dial *dial)
{
    const struct address *peer = &dial->peer;
    int fd = socket(peer->is.any.sa_family, dial->type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        dial->err = -errno;
        return false;
    }
    dial->fd = fd;
    dial->is_trying = true;
    if (connect(fd, &peer->is.any, peer->length) == 0 || errno == EINPROGRESS) {
        loop_watch_start(dial->loop, &dial->watch, fd, false, true);
        return true;
    }
    dial->err = -errno;
    return false;
}

static void try_next(struct dial *dial)
{
    int left = dial->resolve.count - dial->next;
    int64_t left_ms = dial->until_ms - now_ms();
    hang_up(dial);
    resolve_stop(&dial->resolve);
    if (left == 0 || left_ms <= 0) {
        finish(dial, left > 0 ? -ETIMEDOUT : dial->err);
        return;
    }
    dial->peer = dial->resolve.found[dial->next++];
    bool begun = try_address(dial);
    if (begun)
        dial->err = -ETIMEDOUT; /* unless we hear better */
    loop_timer_start(dial->loop, &dial->timer, begun ? left_ms / left : 0);
}

/* The lookup, or this address, has had its time. */
static void too_late(struct loop_timer *timer)
{
    struct dial *dial = container_of(timer, struct dial, timer);
    if (dial->resolve.count > 0)
        try_next(dial);
    else
        finish(dial, -EHOSTDOWN);
}

static void resolved(struct resolve *resolve, int err)
{
    struct dial *dial = container_of(resolve, struct dial, resolve);
    if (!err)
        try_next(dial);
    else if (err == -EACCES)
        finish(dial, DIAL_HIDDEN);
    else
        finish(dial, err == -ETIMEDOUT ? -EHOSTDOWN : -ENOENT);
}

void dial_start(struct loop *loop, struct dial *dial, int type, const char *host,
                int port, int64_t timeout_ms)
{
    dial_stop(dial);
    dial->loop = loop;
    dial->type = type;
    dial->next = 0;
    dial->err = -ETIMEDOUT;
    dial->until_ms = now_ms() + timeout_ms;
    dial->watch.ready = connected;
    dial->timer.fire = too_late;
    dial->resolve.done = resolved;
    resolve_start(loop, &dial->resolve, host, port);
    loop_timer_start(loop, &dial->timer, timeout_ms);
}

static const struct {
    int err;
    const char *code;
    const char *why;
} ENDS[] = {
    {-ETIMEDOUT, "timeout", "no connection in time"},
    {-ECONNREFUSED, "refused", "nobody listens there"},
    {-ENOENT, "resolve", "there is no such name"},
    {-EHOSTDOWN, "resolve", "no name server answers"},
    {DIAL_HIDDEN, "resolve", "the files about names may not be read"},
    {-EACCES, "denied", "the configuration does not name this port"},
    {-EPERM, "denied", "this process may not"},
    {-EMFILE, "denied", "too many connections at once"},
    {-EHOSTUNREACH, "unreachable", "no way there"},
};

static size_t row_of(int err)
{
    for (size_t i = 0; i < countof(ENDS); i++)
        if (ENDS[i].err == err)
            return i;
    return countof(ENDS) - 1;
}

const char *dial_why(int err)
{
    return ENDS[row_of(err)].why;
}

const char *dial_code(int err)
{
    return ENDS[row_of(err)].code;
}
