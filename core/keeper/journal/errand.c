/* errand - see errand.h. The child answers with its errno (an int) and then the result. */
#include "keeper/journal/errand.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "base/now.h"
#include "keeper/children/processors.h"

static int write_all(int fd, const void *bytes, size_t length)
{
    const char *at = bytes;
    while (length > 0) {
        ssize_t written = write(fd, at, length);
        if (written < 0 && errno != EINTR)
            return -errno;
        at += written > 0 ? written : 0;
        length -= written > 0 ? (size_t)written : 0;
    }
    return 0;
}

/* An end of a pipe that a child holds would keep it open for whoever waits for its end. */
static void close_others(int one, int other)
{
    int low = one < other ? one : other, high = one < other ? other : one;
    if (low > STDERR_FILENO + 1)
        close_range(STDERR_FILENO + 1, (unsigned)low - 1, 0);
    if (low > STDERR_FILENO && high > low + 1)
        close_range((unsigned)low + 1, (unsigned)high - 1, 0);
    if (low <= STDERR_FILENO && high > STDERR_FILENO + 1)
        close_range(STDERR_FILENO + 1, (unsigned)high - 1, 0);
    close_range((unsigned)high + 1, ~0U, 0);
}

_Noreturn static void run_child(int fd, int keeps, pid_t parent, errand_work *work,
                                void *owner)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    close_others(fd, keeps);
    processors_take_all();
    struct buffer result = {0};
    int err = work(owner, &result);
    ASSERT(result.length <= ERRAND_RESULT_MAX);
    int failed = write_all(fd, &err, sizeof(err));
    if (!failed)
        failed = write_all(fd, result.bytes, result.length);
    _exit(failed ? 1 : 0);
}

/* The pipe ends only when the child does, so its status is there; one that was killed while it
 * answered has said nothing. */
static bool ended_well(struct errand *errand)
{
    int status = 1;
    pid_t pid = waitpid(errand->pid, &status, 0);
    bool well = pid == errand->pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    errand->pid = 0;
    return well;
}

static void finish(struct errand *errand)
{
    struct buffer result = errand->result;
    int err = -ECHILD;
    errand->result = (struct buffer){0};
    loop_watch_stop(&errand->watch);
    close(errand->fd);
    if (!ended_well(errand))
        buffer_clear(&result);
    if (result.length >= sizeof(err)) {
        memcpy(&err, result.bytes, sizeof(err));
        buffer_drop_front(&result, sizeof(err));
    }
    errand->done(errand->owner, err, &result);
    buffer_free(&result);
}

static void read_result(struct loop_watch *watch, bool readable, bool writable)
{
    struct errand *errand = container_of(watch, struct errand, watch);
    char bytes[4096];
    (void)readable;
    (void)writable;
    ssize_t length = read(errand->fd, bytes, sizeof(bytes));
    if (length < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (length <= 0)
        finish(errand);
    else
        buffer_append(&errand->result, bytes, (size_t)length);
}

int errand_start(struct errand *errand, struct loop *loop, errand_work *work,
                 void (*done)(void *owner, int err, const struct buffer *result),
                 void *owner)
{
    int fds[2];
    if (errand_is_running(errand))
        return -EBUSY;
    if (pipe2(fds, O_CLOEXEC) != 0)
        return -errno;
    pid_t parent = getpid(), pid = fork();
    if (pid == 0)
        run_child(fds[1], errand->keeps, parent, work, owner);
    close(fds[1]);
    if (pid < 0) {
        close(fds[0]);
        return -EAGAIN;
    }
    errand->fd = fds[0];
    errand->pid = pid;
    errand->done = done;
    errand->owner = owner;
    errand->watch.ready = read_result;
    loop_watch_start(loop, &errand->watch, errand->fd, true, false);
    return 0;
}

void errand_wait(struct errand *errand, int ms)
{
    int64_t until_us = now_mono_us() + ms * 1000LL;
    pid_t pid = errand->pid;
    while (pid != 0 && errand->pid == pid && now_mono_us() < until_us) {
        struct pollfd ready = {.fd = errand->fd, .events = POLLIN};
        int left_ms = (int)((until_us - now_mono_us()) / 1000);
        if (poll(&ready, 1, left_ms > 0 ? left_ms : 0) > 0)
            read_result(&errand->watch, true, false);
    }
}

bool errand_is_running(const struct errand *errand)
{
    return errand->pid != 0;
}

void errand_stop(struct errand *errand)
{
    if (!errand_is_running(errand))
        return;
    loop_watch_stop(&errand->watch);
    close(errand->fd);
    kill(errand->pid, SIGKILL);
    waitpid(errand->pid, NULL, 0);
    errand->pid = 0;
    buffer_free(&errand->result);
}
