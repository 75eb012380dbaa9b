/* confine - see confine.h.
 *
 * Rule of this file: a system call that a library may try and do without is refused with EPERM; one
 * that only an attack needs ends the process. */
#include "host/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/base.h"

/* Newer than the headers of Debian 12. */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15)
#endif

enum {
    LANDLOCK_TRUNCATE = 3, /* the version that brought it */
    LANDLOCK_NETWORK = 4,
    LANDLOCK_IOCTL = 5,
    LANDLOCK_SCOPE = 6,
    RULE_NET_PORT = 2,
    ACCESS_BIND = 1 << 0,
    ACCESS_CONNECT = 1 << 1,
    SCOPE_ABSTRACT = 1 << 0,
    SCOPE_SIGNAL = 1 << 1,
    MOST_FILES = 128, /* libmodbus waits with select(), which knows none from 1024 on */
    MOST_MEMORY = 256 * 1024 * 1024
};

/* As the kernel has it since 6.12; an older one takes the front of it. */
struct ruleset {
    uint64_t files;
    uint64_t network;
    uint64_t scopes;
};

struct port_rule {
    uint64_t access;
    uint64_t port;
};

static const uint64_t READS = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;

/* ---- Resource limits */

static int limit(int what, rlim_t most)
{
    struct rlimit limits = {most, most};
    return setrlimit((__rlimit_resource_t)what, &limits) == 0 ? 0 : -errno;
}

static int limit_all(void)
{
    int err = limit(RLIMIT_NOFILE, MOST_FILES);
    if (!err)
        err = limit(RLIMIT_CORE, 0); /* persons are in it */
    if (!err)
        err = limit(RLIMIT_DATA, MOST_MEMORY);
    if (!err)
        err = limit(RLIMIT_MEMLOCK, 0);
    return err ? err : limit(RLIMIT_MSGQUEUE, 0);
}

/* ---- Files and ports: Landlock */

static int landlock_version(void)
{
    long version =
        syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return version > 0 ? (int)version : 0;
}

static uint64_t all_of_files(int version)
{
    uint64_t all = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1; /* of the first version */
    if (version > 1)
        all |= LANDLOCK_ACCESS_FS_REFER;
    if (version >= LANDLOCK_TRUNCATE)
        all |= LANDLOCK_ACCESS_FS_TRUNCATE;
    if (version >= LANDLOCK_IOCTL)
        all |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
    return all;
}

static int allow_path(int rules, const char *path, uint64_t access)
{
    struct landlock_path_beneath_attr rule = {.allowed_access = access};
    rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
    if (rule.parent_fd < 0)
        return errno == ENOENT ? 0 : -errno;
    long done =
        syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    int err = done == 0 ? 0 : -errno;
    close(rule.parent_fd);
    return err;
}

static int allow_port(int rules, uint16_t port)
{
    struct port_rule rule = {ACCESS_CONNECT, port};
    long done = syscall(SYS_landlock_add_rule, rules, RULE_NET_PORT, &rule, 0);
    return done == 0 ? 0 : -errno;
}

static int allow_all(int rules, int version, const struct confine_wish *wish)
{
    uint64_t uses = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE;
    int err = 0;
    if (version >= LANDLOCK_IOCTL)
        uses |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
    for (int i = 0; i < CONFINE_PATHS_MAX && wish->folders[i] != NULL && !err; i++)
        err = allow_path(rules, wish->folders[i], READS);
    for (int i = 0; i < CONFINE_PATHS_MAX && wish->files[i] != NULL && !err; i++)
        err = allow_path(rules, wish->files[i], LANDLOCK_ACCESS_FS_READ_FILE);
    for (int i = 0; i < CONFINE_PATHS_MAX && wish->devices[i] != NULL && !err; i++)
        err = allow_path(rules, wish->devices[i], uses);
    for (int i = 0; i < CONFINE_PORTS_MAX && wish->ports[i] != 0 && !err; i++)
        err = version >= LANDLOCK_NETWORK ? allow_port(rules, wish->ports[i]) : 0;
    return err;
}

static int lock_files(int version, const struct confine_wish *wish)
{
    struct ruleset set = {all_of_files(version), ACCESS_BIND | ACCESS_CONNECT,
                          SCOPE_ABSTRACT | SCOPE_SIGNAL};
    size_t length = version >= LANDLOCK_SCOPE     ? sizeof(set)
                    : version >= LANDLOCK_NETWORK ? 2 * sizeof(uint64_t)
                                                  : sizeof(uint64_t);
    int rules = (int)syscall(SYS_landlock_create_ruleset, &set, length, 0);
    if (rules < 0)
        return -errno;
    int err = allow_all(rules, version, wish);
    if (!err && syscall(SYS_landlock_restrict_self, rules, 0) != 0)
        err = -errno;
    close(rules);
    return err;
}

/* ---- System calls: seccomp */

/* What runs Lua, a loop, sockets and a serial line. */
static const int ALLOWED[] = {
    SCMP_SYS(read),
    SCMP_SYS(write),
    SCMP_SYS(readv),
    SCMP_SYS(writev),
    SCMP_SYS(close),
    SCMP_SYS(lseek),
    SCMP_SYS(fstat),
    SCMP_SYS(newfstatat),
    SCMP_SYS(stat),
    SCMP_SYS(lstat),
    SCMP_SYS(statx),
    SCMP_SYS(access),
    SCMP_SYS(openat),
    SCMP_SYS(open),
    SCMP_SYS(readlink),
    SCMP_SYS(getdents64),
    SCMP_SYS(dup),
    SCMP_SYS(pipe2),
    SCMP_SYS(eventfd2),
    SCMP_SYS(timerfd_create),
    SCMP_SYS(timerfd_settime),
    SCMP_SYS(epoll_create1),
    SCMP_SYS(epoll_ctl),
    SCMP_SYS(epoll_wait),
    SCMP_SYS(epoll_pwait),
    SCMP_SYS(epoll_pwait2),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(select),
    SCMP_SYS(pselect6),
    SCMP_SYS(connect),
    SCMP_SYS(bind),
    SCMP_SYS(sendto),
    SCMP_SYS(sendmsg),
    SCMP_SYS(sendmmsg),
    SCMP_SYS(recvfrom),
    SCMP_SYS(recvmsg),
    SCMP_SYS(recvmmsg),
    SCMP_SYS(shutdown),
    SCMP_SYS(getsockname),
    SCMP_SYS(getpeername),
    SCMP_SYS(getsockopt),
    SCMP_SYS(setsockopt),
    SCMP_SYS(brk),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(futex),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(adjtimex),
    SCMP_SYS(getrandom),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(getuid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getegid),
    SCMP_SYS(uname),
    SCMP_SYS(sysinfo),
    SCMP_SYS(getrusage),
    SCMP_SYS(timer_create),
    SCMP_SYS(timer_settime),
    SCMP_SYS(timer_delete),
    SCMP_SYS(setitimer),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(sched_yield),
    SCMP_SYS(rseq),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(restart_syscall),
};

/* What nobody needs who means well. */
static const int DEADLY[] = {
    SCMP_SYS(execve),
    SCMP_SYS(execveat),
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(kcmp),
    SCMP_SYS(bpf),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(keyctl),
    SCMP_SYS(add_key),
    SCMP_SYS(mount),
    SCMP_SYS(umount2),
    SCMP_SYS(pivot_root),
    SCMP_SYS(setns),
    SCMP_SYS(unshare),
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(kexec_load),
    SCMP_SYS(reboot),
    SCMP_SYS(io_uring_setup),
};

static int allow_calls(scmp_filter_ctx filter)
{
    int err = 0;
    for (size_t i = 0; i < countof(ALLOWED) && !err; i++)
        err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, ALLOWED[i], 0);
    for (size_t i = 0; i < countof(DEADLY) && !err; i++)
        err = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, DEADLY[i], 0);
    return err;
}

static int allow_socket(scmp_filter_ctx filter, int family)
{
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
                            SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)family));
}

/* Memory to be run is not made; a file descriptor and a serial line may be set up. */
static int allow_with_care(scmp_filter_ctx filter)
{
    static const unsigned long CONTROLS[] = {TCGETS,   TCSETS,   TCSETSW,  TCSETSF,
                                             TCFLSH,   TIOCMGET, TIOCMSET, TIOCMBIS,
                                             TIOCMBIC, FIONREAD, TCSBRK,   FIONBIO};
    static const int SETS[] = {F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC};
    struct scmp_arg_cmp unrunnable = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
    int err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, unrunnable);
    if (!err)
        err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, unrunnable);
    for (size_t i = 0; i < countof(CONTROLS) && !err; i++)
        err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
                               SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff, CONTROLS[i]));
    for (size_t i = 0; i < countof(SETS) && !err; i++)
        err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
                               SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)SETS[i]));
    if (!err)
        err = allow_socket(filter, AF_INET);
    if (!err)
        err = allow_socket(filter, AF_INET6);
    return err ? err
               : allow_socket(filter, AF_NETLINK); /* getaddrinfo() asks for addresses */
}

/* A signal only to itself: abort() needs that. A limit is asked for and not set. */
static int allow_on_itself(scmp_filter_ctx filter)
{
    scmp_datum_t own = (scmp_datum_t)getpid();
    int err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1,
                               SCMP_A2(SCMP_CMP_EQ, 0));
    if (!err)
        err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                               SCMP_A0(SCMP_CMP_EQ, own));
    return err ? err
               : seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(kill), 1,
                                  SCMP_A0(SCMP_CMP_EQ, own));
}

static int lock_calls(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (filter == NULL)
        return -ENOMEM;
    int err = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (!err)
        err = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    if (!err)
        err = allow_calls(filter);
    if (!err)
        err = allow_with_care(filter);
    if (!err)
        err = allow_on_itself(filter);
    if (!err)
        err = seccomp_load(filter);
    seccomp_release(filter);
    return err;
}

int confine(struct confine *confine, const struct confine_wish *wish)
{
    *confine = (struct confine){.landlock = landlock_version()};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0) != 0)
        return -errno;
    int err = limit_all();
    if (!err && confine->landlock > 0)
        err = lock_files(confine->landlock, wish);
    return err ? err : lock_calls();
}
