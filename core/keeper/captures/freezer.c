/* freezer - see freezer.h.
 *
 * Invariant: `is_out` from the start of a process until it is reaped and its line over; `next` begins
 * the following one from the loop. */
#include "keeper/captures/freezer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "base/log.h"
#include "keeper/children/spawn.h"

enum { LINGER_MS = 1000 }; /* between the end of its line and its own */

static void begin(struct freezer *freezer);

static void drop_order(struct freezer_order *order)
{
    close(order->ring);
    buffer_free(&order->start);
}

static void check_over(struct freezer *freezer)
{
    if (freezer->pid != 0 || freezer->peer.line != NULL || !freezer->is_out)
        return;
    freezer->is_out = false;
    loop_timer_stop(&freezer->deadline);
    loop_signal_stop(&freezer->died);
    json_free(freezer->start);
    freezer->start = NULL;
    freezer->plugin.json = NULL;
    if (freezer->count > 0)
        loop_timer_start(freezer->loop, &freezer->next, 0);
}

static void line_over(struct peer *peer, int why)
{
    struct freezer *freezer = container_of(peer, struct freezer, peer);
    (void)why;
    if (freezer->pid != 0)
        loop_timer_start(freezer->loop, &freezer->deadline, LINGER_MS);
    check_over(freezer);
}

static void reap(struct loop_signal *signal)
{
    struct freezer *freezer = container_of(signal, struct freezer, died);
    int status;
    if (freezer->pid == 0 || waitpid(freezer->pid, &status, WNOHANG) != freezer->pid)
        return;
    hearsay_end(&freezer->hearsay);
    if (!WIFEXITED(status) ||
        WEXITSTATUS(status) != 0) /* it has said why, or could not */
        log_warn("%s: its device bytes were not kept",
                 json_text(freezer->start, "instance"));
    freezer->pid = 0;
    check_over(freezer);
}

static void too_late(struct loop_timer *timer)
{
    struct freezer *freezer = container_of(timer, struct freezer, deadline);
    if (freezer->pid != 0)
        kill(freezer->pid, SIGKILL);
}

static int start(struct freezer *freezer, const struct freezer_order *order)
{
    int fd;
    int err = json_parse(&freezer->start, order->start.bytes, order->start.length);
    ASSERT(err == 0);
    freezer->plugin.json = freezer->start;
    struct spawn spawn = {.libexec = freezer->libexec,
                          .program = "host",
                          .mode = "freeze",
                          .instance = json_text(freezer->start, "instance"),
                          .plugin = json_text(freezer->start, "plugin"),
                          .loop = freezer->loop,
                          .hearsay = &freezer->hearsay,
                          .ring = order->ring};
    freezer->peer = (struct peer){.role = PEER_FREEZER,
                                  .plugin = &freezer->plugin,
                                  .name = "freezer",
                                  .owner = freezer,
                                  .gone = line_over};
    freezer->is_out = true;
    err = spawn_start(&spawn, &freezer->pid, &fd);
    if (err)
        return err;
    loop_signal_start(freezer->loop, &freezer->died, SIGCHLD);
    loop_timer_start(freezer->loop, &freezer->deadline, FREEZER_MS);
    err = children_add(freezer->children, &freezer->peer, fd);
    if (err)
        kill(freezer->pid, SIGKILL);
    return err;
}

static void begin(struct freezer *freezer)
{
    struct freezer_order order;
    if (freezer->is_out || freezer->count == 0)
        return;
    order = freezer->orders[0];
    memmove(freezer->orders, freezer->orders + 1,
            (size_t)--freezer->count * sizeof(order));
    int err = start(freezer, &order);
    drop_order(&order);
    if (err)
        log_warn("device bytes cannot be kept: %s", strerror(-err));
    check_over(freezer);
}

static void begin_next(struct loop_timer *timer)
{
    begin(container_of(timer, struct freezer, next));
}

static void print_start(struct buffer *out, const struct reel *reel, const char *reason,
                        const char *who)
{
    buffer_printf(out,
                  "{\"instance\":\"%s\",\"plugin\":\"%s\",\"reason\":\"%s\","
                  "\"suppressed\":%" PRId64,
                  reel->instance, reel->plugin, reason, reel->suppressed);
    if (who != NULL) {
        buffer_append_text(out, ",\"who\":");
        json_put_text(out, who);
    }
    buffer_append_text(out, "}");
}

int freezer_add(struct freezer *freezer, const struct reel *reel, const char *reason,
                const char *who)
{
    if (freezer->count == FREEZER_MAX)
        return -EBUSY;
    struct freezer_order *order = &freezer->orders[freezer->count];
    *order = (struct freezer_order){.ring = fcntl(reel->ring, F_DUPFD_CLOEXEC, 0)};
    if (order->ring < 0)
        return -errno;
    print_start(&order->start, reel, reason, who);
    freezer->count++;
    if (!freezer->is_out)
        loop_timer_start(freezer->loop, &freezer->next, 0);
    return 0;
}

struct loop *freezer_loop(const struct freezer *freezer)
{
    return freezer->loop;
}

void freezer_open(struct freezer *freezer, struct loop *loop, struct children *children,
                  const char *libexec)
{
    *freezer = (struct freezer){
        .loop = loop,
        .children = children,
        .libexec = libexec,
        .event = {.type = "capture.recorded", .lane = LANE_RECORD},
        .plugin = {.plugin = "keeper", .instance = "keeper", .event_count = 1},
        .died.fire = reap,
        .deadline.fire = too_late,
        .next.fire = begin_next};
    freezer->plugin.events = &freezer->event;
}

void freezer_close(struct freezer *freezer)
{
    loop_timer_stop(&freezer->deadline);
    loop_timer_stop(&freezer->next);
    loop_signal_stop(&freezer->died);
    if (freezer->pid != 0) {
        kill(freezer->pid, SIGKILL);
        waitpid(freezer->pid, NULL, 0);
        freezer->pid = 0;
    }
    hearsay_end(&freezer->hearsay);
    if (freezer->peer.line != NULL)
        children_remove(freezer->children, &freezer->peer);
    while (freezer->count > 0)
        drop_order(&freezer->orders[--freezer->count]);
    json_free(freezer->start);
    freezer->start = NULL;
    freezer->is_out = false;
}
