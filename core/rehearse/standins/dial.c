/* dial - stands in for host/lines/dial.c: whoever is called is a double of the test, or nobody. */
#include "host/lines/dial.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/base.h"
#include "rehearse/office.h"

static void called(struct loop_timer *timer)
{
    struct dial *dial = container_of(timer, struct dial, timer);
    struct office *office = office_current();
    char name[WIRE_NAME_ROOM];
    snprintf(name, sizeof(name), "%s://%s:%d", dial->type == SOCK_STREAM ? "tcp" : "udp",
             dial->resolve.name, dial->resolve.port);
    int err = wire_open(office, &dial->fd, name, dial->type);
    if (err == 0 && address_parse(&dial->peer, dial->resolve.name, dial->resolve.port))
        address_parse(&dial->peer, "192.0.2.1", dial->resolve.port);
    dial->done(dial, err);
}

void dial_start(struct loop *loop, struct dial *dial, int type, const char *host,
                int port, int64_t timeout_ms)
{
    (void)timeout_ms;
    dial_stop(dial);
    dial->loop = loop;
    dial->type = type;
    dial->timer.fire = called;
    dial->resolve.port = port;
    snprintf(dial->resolve.name, sizeof(dial->resolve.name), "%s", host);
    loop_timer_start(loop, &dial->timer, 0);
}

void dial_stop(struct dial *dial)
{
    loop_timer_stop(&dial->timer);
}

const char *dial_why(int err)
{
    return err == -ETIMEDOUT ? "no connection in time" : "nobody listens there";
}

const char *dial_code(int err)
{
    return err == -ETIMEDOUT ? "timeout" : "refused";
}
