/* trace - see trace.h. */
#include "trace.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { IDLE_MS = 50 };
static const size_t BYTES_MAX = (size_t)1 << 30;
static const int64_t BEGAN_US = 1795316645000000; /* 2026-11-22 */

struct notes {
    bool is_on;
    dev_t device;
    size_t count;
    size_t used;
    long calls;
    long fail_at;
    int fail_err;
    bool fail_sticky;
    bool has_failed;
};

static struct notes *notes;
static struct trace_op *ops;
static uint8_t *bytes;
static bool is_repeatable;
static int64_t passed_us;
static uint64_t random_state;
static int errands;
static int errand; /* the one that this process is */

void *trace_share(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory != MAP_FAILED)
        return memory;
    perror("powercut: shared memory");
    exit(2);
}

void trace_open(void)
{
    if (notes != NULL)
        return;
    notes = trace_share(sizeof(*notes));
    ops = trace_share(TRACE_OPS_MAX * sizeof(*ops));
    bytes = trace_share(BYTES_MAX);
}

void trace_begin(const char *folder, uint64_t seed)
{
    struct stat root;
    trace_open();
    trace_be_repeatable(seed);
    if (stat(folder, &root) != 0) {
        perror(folder);
        exit(2);
    }
    notes->device = root.st_dev;
    notes->count = notes->used = 0;
    errands = 0;
    notes->is_on = true;
}

void trace_end(void)
{
    notes->is_on = false;
}

void trace_be_repeatable(uint64_t seed)
{
    is_repeatable = true;
    passed_us = 0;
    random_state = seed;
}

void trace_pass_us(int64_t us)
{
    passed_us += us;
}

size_t trace_count(void)
{
    return notes->count;
}

const struct trace_op *trace_op(size_t index)
{
    return &ops[index];
}

const uint8_t *trace_bytes(const struct trace_op *op)
{
    return bytes + op->bytes;
}

long trace_calls(void)
{
    return notes->calls;
}

bool trace_has_failed(void)
{
    return notes->has_failed;
}

void trace_fail(long nth, int err, bool sticky)
{
    trace_open();
    notes->calls = 0;
    notes->has_failed = false;
    notes->fail_at = nth;
    notes->fail_err = err;
    notes->fail_sticky = sticky;
}

static long memory_left; /* allocations until one fails, 0: none does */

long trace_fail_memory(long nth)
{
    long left = memory_left;
    memory_left = nth;
    return left;
}

bool trace_takes_memory(void)
{
    if (memory_left == 0 || --memory_left > 0)
        return false;
    notes->has_failed = true;
    return true;
}

/* ---- Notes */

static struct trace_op *note(enum trace_kind kind, ino_t inode)
{
    if (notes->count == TRACE_OPS_MAX) {
        fprintf(stderr, "powercut: too many operations\n");
        abort();
    }
    struct trace_op *op = &ops[notes->count++];
    *op = (struct trace_op){.kind = kind, .errand = errand, .inode = inode};
    return op;
}

static void note_write(ino_t inode, const void *what, size_t length, off_t at)
{
    struct trace_op *op = note(TRACE_WRITE, inode);
    if (notes->used + length > BYTES_MAX)
        abort();
    op->at = (uint64_t)at;
    op->length = length;
    op->bytes = notes->used;
    memcpy(bytes + notes->used, what, length);
    notes->used += length;
}

static void note_size(ino_t inode, off_t size)
{
    note(TRACE_SIZE, inode)->at = (uint64_t)size;
}

static struct trace_op *note_name(ino_t folder, const char *name, const char *old,
                                  const struct stat *target)
{
    struct trace_op *op = note(TRACE_NAME, folder);
    snprintf(op->name, sizeof(op->name), "%s", name);
    snprintf(op->old, sizeof(op->old), "%s", old);
    op->target = target ? target->st_ino : 0;
    op->is_folder = target && S_ISDIR(target->st_mode);
    return op;
}

void trace_mark(uint64_t number)
{
    if (notes->is_on)
        note(TRACE_MARK, 0)->at = number;
}

/* ---- Whether a call is about the traced file system */

static bool is_traced(int fd, struct stat *file)
{
    int saved = errno;
    bool traced = notes != NULL && notes->is_on && fstat(fd, file) == 0 &&
                  file->st_dev == notes->device &&
                  (S_ISREG(file->st_mode) || S_ISDIR(file->st_mode));
    errno = saved;
    return traced;
}

/* The folder that `path` is in, and the last part of its name. */
static bool is_traced_path(const char *path, struct stat *folder, const char **name)
{
    char above[4096];
    int saved = errno;
    const char *slash = strrchr(path, '/');
    *name = slash ? slash + 1 : path;
    if (notes == NULL || !notes->is_on || strlen(path) >= sizeof(above))
        return false;
    snprintf(above, sizeof(above), "%.*s", slash ? (int)(slash - path) : 1,
             slash ? path : ".");
    bool traced = stat(above, folder) == 0 && folder->st_dev == notes->device;
    errno = saved;
    return traced;
}

/* Whether this call is the one that fails. */
static bool fails(void)
{
    long call = ++notes->calls;
    if (notes->fail_at == 0 || call < notes->fail_at ||
        (call > notes->fail_at && !notes->fail_sticky))
        return false;
    notes->has_failed = true;
    errno = notes->fail_err;
    return true;
}

#define REAL(type, name, parameters)                                                     \
    static type(*real) parameters;                                                       \
    if (real == NULL)                                                                    \
    *(void **)&real = dlsym(RTLD_NEXT, #name)

/* ---- Names */

static int open_traced(const char *path, int flags, mode_t mode)
{
    struct stat folder, file;
    const char *name;
    bool traced = is_traced_path(path, &folder, &name);
    bool was_there = traced && lstat(path, &file) == 0;
    bool writes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT);
    if (traced && writes && fails())
        return -1;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    if (fd < 0 || !traced)
        return fd;
    if (!was_there && (flags & O_CREAT) && fstat(fd, &file) == 0)
        note_name(folder.st_ino, name, "", &file);
    else if (was_there && (flags & O_TRUNC) && file.st_size > 0)
        note_size(file.st_ino, 0);
    return fd;
}

int open(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    return open_traced(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    return open_traced(path, flags, mode);
}

int rename(const char *from, const char *to)
{
    struct stat folder, target, other;
    const char *old, *name;
    bool traced = is_traced_path(from, &folder, &old) &&
                  is_traced_path(to, &other, &name) && lstat(from, &target) == 0;
    if (traced && fails())
        return -1;
    int result = (int)syscall(SYS_rename, from, to);
    if (result == 0 && traced)
        note_name(other.st_ino, name, old, &target)->from =
            folder.st_ino == other.st_ino ? 0 : folder.st_ino;
    return result;
}

int link(const char *from, const char *to)
{
    struct stat folder, target;
    const char *name;
    bool traced = is_traced_path(to, &folder, &name) && lstat(from, &target) == 0;
    if (traced && fails())
        return -1;
    int result = (int)syscall(SYS_link, from, to);
    if (result == 0 && traced)
        note_name(folder.st_ino, name, "", &target);
    return result;
}

static int removes(long call, const char *path)
{
    struct stat folder;
    const char *name;
    bool traced = is_traced_path(path, &folder, &name);
    if (traced && fails())
        return -1;
    int result = (int)syscall(call, path);
    if (result == 0 && traced)
        note_name(folder.st_ino, name, "", NULL);
    return result;
}

int unlink(const char *path)
{
    return removes(SYS_unlink, path);
}

int rmdir(const char *path)
{
    return removes(SYS_rmdir, path);
}

int mkdir(const char *path, mode_t mode)
{
    struct stat folder, made;
    const char *name;
    bool traced = is_traced_path(path, &folder, &name);
    if (traced && fails())
        return -1;
    int result = (int)syscall(SYS_mkdir, path, mode);
    if (result == 0 && traced && lstat(path, &made) == 0)
        note_name(folder.st_ino, name, "", &made);
    return result;
}

/* ---- Contents */

ssize_t write(int fd, const void *what, size_t length)
{
    struct stat file;
    bool traced = is_traced(fd, &file);
    if (traced && fails())
        return -1;
    bool appends = traced && (fcntl(fd, F_GETFL) & O_APPEND);
    off_t at = appends ? file.st_size : traced ? lseek(fd, 0, SEEK_CUR) : 0;
    ssize_t written = syscall(SYS_write, fd, what, length);
    if (traced && written > 0)
        note_write(file.st_ino, what, (size_t)written, at);
    return written;
}

ssize_t pwrite64(int fd, const void *what, size_t length, off64_t at)
{
    struct stat file;
    bool traced = is_traced(fd, &file);
    if (traced && fails())
        return -1;
    ssize_t written = syscall(SYS_pwrite64, fd, what, length, at);
    if (traced && written > 0)
        note_write(file.st_ino, what, (size_t)written, at);
    return written;
}

ssize_t pwrite(int fd, const void *what, size_t length, off_t at)
{
    return pwrite64(fd, what, length, at);
}

int ftruncate64(int fd, off64_t size)
{
    struct stat file;
    bool traced = is_traced(fd, &file);
    if (traced && fails())
        return -1;
    int result = (int)syscall(SYS_ftruncate, fd, size);
    if (result == 0 && traced && file.st_size != size)
        note_size(file.st_ino, size);
    return result;
}

int ftruncate(int fd, off_t size)
{
    return ftruncate64(fd, size);
}

static int synced(long call, int fd)
{
    struct stat file;
    bool traced = is_traced(fd, &file);
    if (traced && fails())
        return -1;
    int result = (int)syscall(call, fd);
    if (result == 0 && traced)
        note(TRACE_SYNC, file.st_ino)->is_folder = S_ISDIR(file.st_mode);
    return result;
}

int fsync(int fd)
{
    return synced(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    return synced(SYS_fdatasync, fd);
}

/* ---- Time, chance and children */

pid_t fork(void)
{
    REAL(pid_t, fork, (void));
    siginfo_t ended;
    if (!is_repeatable)
        return real();
    int number = ++errands;
    pid_t pid = real();
    if (pid == 0)
        errand = number;
    if (pid <= 0)
        return pid;
    while (waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOWAIT) != 0 && errno == EINTR)
        ;
    return pid;
}

pid_t waitpid(pid_t pid, int *status, int options)
{
    REAL(pid_t, waitpid, (pid_t, int *, int));
    pid_t ended = real(pid, status, options);
    if (ended > 0 && errand == 0 && notes != NULL && notes->is_on)
        note(TRACE_JOIN, 0);
    return ended;
}

int clock_gettime(clockid_t clock, struct timespec *at)
{
    if (!is_repeatable)
        return (int)syscall(SYS_clock_gettime, clock, at);
    bool is_utc = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
    int64_t us = ++passed_us + (is_utc ? BEGAN_US : 1000000);
    at->tv_sec = us / 1000000;
    at->tv_nsec = us % 1000000 * 1000;
    return 0;
}

/* Without it libevent waits by epoll_wait() alone. */
int timerfd_create(int clock, int flags)
{
    if (!is_repeatable)
        return (int)syscall(SYS_timerfd_create, clock, flags);
    errno = EINVAL;
    return -1;
}

int epoll_wait(int epoll, struct epoll_event *events, int most, int timeout)
{
    if (!is_repeatable)
        return (int)syscall(SYS_epoll_wait, epoll, events, most, timeout);
    int ready =
        (int)syscall(SYS_epoll_wait, epoll, events, most, timeout < 0 ? IDLE_MS : 0);
    if (ready == 0 && timeout > 0)
        passed_us += (int64_t)timeout * 1000;
    return ready;
}

ssize_t getrandom(void *what, size_t length, unsigned flags)
{
    if (!is_repeatable)
        return syscall(SYS_getrandom, what, length, flags);
    for (size_t i = 0; i < length; i++) {
        random_state = random_state * 6364136223846793005U + 1442695040888963407U;
        ((uint8_t *)what)[i] = (uint8_t)(random_state >> 56);
    }
    return (ssize_t)length;
}
