/* lookup - see lookup.h.
 *
 * Invariant: while `pid` is set the child lives or waits to be reaped, and `fd` is our end of its
 * pipe. The child writes one byte when the name was found, else nothing, and ends. */
#include "mqtt/lookup.h"

#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"

/* The child: nothing of the parent's stays open in it, above all not the line to the keeper. */
static _Noreturn void ask(const char *host, int fd)
{
    struct addrinfo wish = {.ai_socktype = SOCK_STREAM}, *found;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (dup2(fd, STDIN_FILENO) != STDIN_FILENO ||
        close_range(STDERR_FILENO + 1, ~0u, 0) != 0)
        _exit(1);
    if (getaddrinfo(host, NULL, &wish, &found) == 0)
        _exit(write(STDIN_FILENO, "", 1) == 1 ? 0 : 1);
    _exit(1);
}

void lookup_stop(struct lookup *lookup)
{
    loop_watch_stop(&lookup->watch);
    loop_timer_stop(&lookup->deadline);
    if (lookup->pid == 0)
        return;
    kill(lookup->pid, SIGKILL);
    waitpid(lookup->pid, NULL, 0);
    close(lookup->fd);
    lookup->pid = 0;
}

static void answered(struct loop_watch *watch, bool readable, bool writable)
{
    struct lookup *lookup = container_of(watch, struct lookup, watch);
    char byte;
    (void)readable;
    (void)writable;
    bool found = read(lookup->fd, &byte, 1) == 1;
    lookup_stop(lookup);
    lookup->done(lookup, found);
}

/* Also when there could be no child. */
static void too_late(struct loop_timer *timer)
{
    struct lookup *lookup = container_of(timer, struct lookup, deadline);
    lookup_stop(lookup);
    lookup->done(lookup, false);
}

static bool start_child(struct lookup *lookup, const char *host)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    pid_t pid = fork();
    if (pid == 0)
        ask(host, ends[1]);
    close(ends[1]);
    lookup->fd = ends[0];
    lookup->pid = pid > 0 ? pid : 0;
    if (pid < 0)
        close(ends[0]);
    return pid > 0;
}

void lookup_start(struct loop *loop, struct lookup *lookup, const char *host)
{
    lookup_stop(lookup);
    lookup->watch.ready = answered;
    lookup->deadline.fire = too_late;
    bool asks = start_child(lookup, host);
    if (asks)
        loop_watch_start(loop, &lookup->watch, lookup->fd, true, false);
    loop_timer_start(loop, &lookup->deadline, asks ? LOOKUP_MAX_MS : 0);
}
