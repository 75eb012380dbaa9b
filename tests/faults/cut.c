/* cut - a library to preload: power fails as an errand of the keeper enters its k-th write, fsync,
 * rename or unlink.
 *
 * An errand is a forked child that executes no program; strace cannot tell it from the keeper when it
 * counts. CUT_FILE holds one 64-bit counter, shared by all errands of a run; at CUT_AT both the errand
 * and the keeper are killed. */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static pid_t program;
static long at;
static _Atomic long *count;

__attribute__((constructor)) static void cut_open(void)
{
    const char *path = getenv("CUT_FILE");
    int fd = path ? open(path, O_RDWR) : -1;
    void *shared =
        fd < 0 ? MAP_FAILED
               : mmap(NULL, sizeof(*count), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    program = getpid();
    at = atol(getenv("CUT_AT") ? getenv("CUT_AT") : "0");
    count = shared == MAP_FAILED ? NULL : shared;
}

static void enter(void)
{
    if (count == NULL || getpid() == program || ++*count != at)
        return;
    kill(getppid(), SIGKILL);
    kill(getpid(), SIGKILL);
}

#define CUT(type, name, parameters, arguments)                                           \
    type name parameters;                                                                \
    type name parameters                                                                 \
    {                                                                                    \
        type(*real) parameters = (type(*) parameters)dlsym(RTLD_NEXT, #name);            \
        enter();                                                                         \
        return real arguments;                                                           \
    }

CUT(ssize_t, write, (int fd, const void *bytes, size_t length), (fd, bytes, length))
CUT(ssize_t, pwrite64, (int fd, const void *bytes, size_t length, off64_t offset),
    (fd, bytes, length, offset))
CUT(int, fsync, (int fd), (fd))
CUT(int, fdatasync, (int fd), (fd))
CUT(int, rename, (const char *from, const char *to), (from, to))
CUT(int, unlink, (const char *path), (path))
