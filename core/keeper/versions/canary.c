/* canary - see canary.h.
 *
 * Invariant: it is over when its line is and its process has been reaped, whichever comes first: what
 * it said last stands on the line when it ends. */
#include "keeper/versions/canary.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/base.h"
#include "keeper/children/spawn.h"

enum { LINGER_MS = 1000 }; /* between the end of its line and its own */

static void stop_watching(struct canary *canary)
{
    loop_timer_stop(&canary->deadline);
    loop_signal_stop(&canary->died);
}

static void print_why(const struct canary *canary, char *why, size_t room)
{
    if (canary->peer.complaint[0] != '\0')
        snprintf(why, room, "%s", canary->peer.complaint);
    else if (canary->is_late)
        snprintf(why, room, "was not loaded within %d s", CANARY_LOAD_MS / 1000);
    else if (WIFSIGNALED(canary->status))
        snprintf(why, room, "ended by signal %d", WTERMSIG(canary->status));
    else
        snprintf(why, room, "ended with %d", WEXITSTATUS(canary->status));
}

static void check_over(struct canary *canary)
{
    char why[CANARY_WHY_MAX + 1] = "";
    if (canary->pid != 0 || canary->peer.line != NULL)
        return;
    stop_watching(canary);
    version_drop(canary->version);
    canary->version = NULL;
    bool well = WIFEXITED(canary->status) && WEXITSTATUS(canary->status) == 0;
    if (!well)
        print_why(canary, why, sizeof(why));
    canary->over(canary->owner, well ? 0 : -ECHILD, why);
}

/* Its line is over: its end follows, or is brought about. */
static void canary_gone(struct peer *peer, int why)
{
    struct canary *canary = container_of(peer, struct canary, peer);
    (void)why;
    if (canary->pid != 0)
        loop_timer_start(canary->loop, &canary->deadline, LINGER_MS);
    check_over(canary);
}

static void reap(struct loop_signal *signal)
{
    struct canary *canary = container_of(signal, struct canary, died);
    if (canary->pid == 0 || waitpid(canary->pid, &canary->status, WNOHANG) != canary->pid)
        return;
    canary->pid = 0;
    hearsay_end(&canary->hearsay);
    check_over(canary);
}

static void too_late(struct loop_timer *timer)
{
    struct canary *canary = container_of(timer, struct canary, deadline);
    canary->is_late = true;
    if (canary->pid != 0)
        kill(canary->pid, SIGKILL);
}

void canary_open(struct canary *canary, struct loop *loop, struct children *children,
                 const char *libexec)
{
    *canary = (struct canary){.loop = loop,
                              .children = children,
                              .libexec = libexec,
                              .died.fire = reap,
                              .deadline.fire = too_late};
}

void canary_close(struct canary *canary)
{
    stop_watching(canary);
    if (canary->pid != 0) {
        kill(canary->pid, SIGKILL);
        waitpid(canary->pid, NULL, 0);
        canary->pid = 0;
    }
    hearsay_end(&canary->hearsay);
    if (canary->peer.line != NULL)
        children_remove(canary->children, &canary->peer);
    version_drop(canary->version);
    canary->version = NULL;
}

int canary_start(struct canary *canary, struct version *version,
                 void (*over)(void *owner, int err, const char *why), void *owner)
{
    struct spawn spawn = {.libexec = canary->libexec,
                          .program = "host",
                          .mode = "trial",
                          .instance = version->plugin.instance,
                          .plugin = version->plugin.plugin,
                          .loop = canary->loop,
                          .hearsay = &canary->hearsay};
    int fd;
    ASSERT(!canary_is_out(canary));
    canary->peer = (struct peer){.role = PEER_CANARY,
                                 .plugin = &version->plugin,
                                 .name = version->plugin.instance,
                                 .owner = canary,
                                 .gone = canary_gone};
    canary->over = over;
    canary->owner = owner;
    canary->is_late = false;
    canary->status = 0;
    loop_signal_start(canary->loop, &canary->died, SIGCHLD); /* it may die at once */
    int err = spawn_start(&spawn, &canary->pid, &fd);
    if (err) {
        loop_signal_stop(&canary->died);
        return err;
    }
    canary->version = version_hold(version);
    loop_timer_start(canary->loop, &canary->deadline, CANARY_LOAD_MS);
    err = children_add(canary->children, &canary->peer, fd);
    if (err)
        canary_close(canary);
    return err;
}

bool canary_is_out(const struct canary *canary)
{
    return canary->version != NULL;
}
