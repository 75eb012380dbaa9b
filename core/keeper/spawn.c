/* spawn - see spawn.h. */
#include "keeper/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/log.h"
#include "keeper/processors.h"
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

_Noreturn static void exec_program(const struct spawn *spawn, int fd, pid_t parent)
{
    char path[4096 + 16];
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    spawn->last_processor ? processors_take_last() : processors_take_all();
    setpgid(0, 0); /* so that Ctrl-C is the keeper's alone */
    int null = open("/dev/null", O_RDWR);
    if (getppid() != parent || null < 0 || dup2(null, STDIN_FILENO) < 0)
        _exit(127);
    if (!place_descriptors(fd, spawn->ring))
        _exit(127);
    snprintf(path, sizeof(path), "%s/%s", spawn->libexec, spawn->program);
    execl(path, spawn->program, spawn->mode, spawn->instance, (char *)NULL);
    log_error("%s: cannot be executed: %s", path, strerror(errno));
    _exit(127);
}

int spawn_start(const struct spawn *spawn, pid_t *pid, int *fd)
{
    int fds[2];
    pid_t parent = getpid();
    int err = line_pair(fds);
    if (err)
        return err;
    pid_t child = fork();
    if (child == 0)
        exec_program(spawn, fds[1], parent);
    close(fds[1]);
    if (child < 0) {
        close(fds[0]);
        return -EAGAIN;
    }
    *pid = child;
    *fd = fds[0];
    return 0;
}
