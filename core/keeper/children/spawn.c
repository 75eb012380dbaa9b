/* spawn - see spawn.h. */
#include "keeper/children/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/log.h"
#include "keeper/children/processors.h"
#include "wire/line.h"
#include "wire/ring.h"

enum { ABOVE = 16 }; /* the numbers that a child's descriptors get */

/* Each gets its number, whichever it has now. */
static bool place_descriptors(int line, int ring)
{
    int high_line = fcntl(line, F_DUPFD_CLOEXEC, ABOVE);
    int high_ring = ring > 0 ? fcntl(ring, F_DUPFD_CLOEXEC, ABOVE) : 0;
    return high_line >= 0 && high_ring >= 0 && dup2(high_line, LINE_CHILD_FD) >= 0 &&
           (ring <= 0 || dup2(high_ring, RING_CHILD_FD) >= 0);
}

/* A session of its own: no terminal to type into, and Ctrl-C is the keeper's alone. */
_Noreturn static void exec_program(const struct spawn *spawn, int fd, int errors,
                                   pid_t parent)
{
    char path[4096 + 16];
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    spawn->last_processor ? processors_take_last() : processors_take_all();
    setsid();
    int null = open("/dev/null", O_RDWR);
    if (getppid() != parent || null < 0 || dup2(null, STDIN_FILENO) < 0)
        _exit(127);
    if (errors >= 0 && dup2(errors, STDERR_FILENO) < 0)
        _exit(127);
    if (!place_descriptors(fd, spawn->ring))
        _exit(127);
    snprintf(path, sizeof(path), "%s/%s", spawn->libexec, spawn->program);
    execl(path, spawn->program, spawn->mode, spawn->instance, (char *)NULL);
    log_error("%s: cannot be executed: %s", path, strerror(errno));
    _exit(127);
}

static int hear(const struct spawn *spawn, int *errors)
{
    *errors = -1;
    return spawn->hearsay == NULL ? 0
                                  : hearsay_begin(spawn->hearsay, spawn->loop,
                                                  spawn->plugin, spawn->instance, errors);
}

int spawn_start(const struct spawn *spawn, pid_t *pid, int *fd)
{
    int fds[2], errors;
    pid_t parent = getpid();
    int err = line_pair(fds);
    if (err)
        return err;
    err = hear(spawn, &errors);
    pid_t child = err ? -1 : fork();
    if (child == 0)
        exec_program(spawn, fds[1], errors, parent);
    close(fds[1]);
    if (errors >= 0)
        close(errors);
    if (child < 0) {
        close(fds[0]);
        if (spawn->hearsay != NULL)
            hearsay_end(spawn->hearsay);
        return err ? err : -EAGAIN;
    }
    *pid = child;
    *fd = fds[0];
    return 0;
}
