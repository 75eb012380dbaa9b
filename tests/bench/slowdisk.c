/* slowdisk - preloaded under a program: counts its syncs, and may make each as slow as a flash card.
 *
 *   BENCH_SYNCS=FILE   16 bytes there: how many syncs (u64), microseconds spent in them (u64)
 *   SYNC_US=5000       each sync takes at least so long
 *   SYNC_NOOP=1        syncs do nothing: what is left is CPU and page cache
 *
 * The file is shared with forked children, so an errand's syncs are counted apart by
 * BENCH_SYNCS_CHILD: those of any process but the first that was loaded. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

struct counters {
    _Atomic uint64_t syncs;
    _Atomic uint64_t us;
};

static struct counters *own, *others;
static pid_t first;
static int64_t least_us;
static int noop;

int fsync(int fd);
int fdatasync(int fd);

static struct counters *map(const char *name)
{
    const char *path = getenv(name);
    int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (fd < 0 || ftruncate(fd, sizeof(struct counters)) != 0)
        return calloc(1, sizeof(struct counters));
    void *at =
        mmap(NULL, sizeof(struct counters), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    return at == MAP_FAILED ? calloc(1, sizeof(struct counters)) : at;
}

__attribute__((constructor)) static void begin(void)
{
    const char *us = getenv("SYNC_US");
    least_us = us ? atoll(us) : 0;
    noop = getenv("SYNC_NOOP") != NULL;
    own = map("BENCH_SYNCS");
    others = map("BENCH_SYNCS_CHILD");
    first = getpid();
}

static int64_t now_us(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (int64_t)at.tv_sec * 1000000 + at.tv_nsec / 1000;
}

static int timed(int (*sync)(int fd), int fd)
{
    struct counters *counters = getpid() == first ? own : others;
    int64_t began_us = now_us();
    int result = noop ? 0 : sync(fd);
    int64_t left_us = least_us - (now_us() - began_us);
    if (left_us > 0)
        usleep((useconds_t)left_us);
    atomic_fetch_add(&counters->syncs, 1);
    atomic_fetch_add(&counters->us, (uint64_t)(now_us() - began_us));
    return result;
}

static int (*real(const char *name))(int fd)
{
    int (*function)(int fd);
    *(void **)&function = dlsym(RTLD_NEXT, name);
    return function;
}

int fsync(int fd)
{
    static int (*real_fsync)(int fd);
    if (real_fsync == NULL)
        real_fsync = real("fsync");
    return timed(real_fsync, fd);
}

int fdatasync(int fd)
{
    static int (*real_fdatasync)(int fd);
    if (real_fdatasync == NULL)
        real_fdatasync = real("fdatasync");
    return timed(real_fdatasync, fd);
}
