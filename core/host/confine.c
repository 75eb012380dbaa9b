/* confine - see confine.h.
 *
 * Rule of this file: a system call that a library may try and do without is refused with EPERM; one
 * that only an attack needs ends the process. */
#include "host/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
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
    MOST_MEMORY = 128 * 1024 * 1024,
    PORT_NAMES = 53, /* a name server's long answers come over TCP */
    SOCKET_KIND = 0xf
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

/* What finds the address of a name. */
static const char RESOLV[] = "/etc/resolv.conf";
static const char *const RESOLVING[] = {RESOLV,           "/etc/hosts",
                                        "/etc/host.conf", "/etc/nsswitch.conf",
                                        "/etc/gai.conf",  "/etc/services"};

/* ---- Privileges and resource limits */

/* Whoever is root here stays an owner of root's files, and can listen below port 1024. */
static int drop_powers(void)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct powers[2] = {{0}};
    if (syscall(SYS_capget, &head, powers) != 0)
        return -errno;
    powers[0].permitted &= 1U << CAP_NET_BIND_SERVICE;
    powers[1].permitted = 0;
    for (size_t i = 0; i < countof(powers); i++) {
        powers[i].effective = powers[i].permitted;
        powers[i].inheritable = 0;
    }
    return syscall(SYS_capset, &head, powers) == 0 ? 0 : -errno;
}

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
    if (!err && !CONFINE_SANITIZED)
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

struct rules {
    int fd;
    int version;
    bool trees;
};

/* By what it is that the name leads to; a folder gives nothing where only files are meant. */
static uint64_t access_of(const struct rules *rules, mode_t mode)
{
    uint64_t device = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE;
    if (rules->version >= LANDLOCK_IOCTL)
        device |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
    return S_ISREG(mode)                   ? LANDLOCK_ACCESS_FS_READ_FILE
           : S_ISCHR(mode)                 ? device
           : S_ISDIR(mode) && rules->trees ? READS
                                           : 0;
}

static int allow_path(const struct rules *rules, const char *path, bool is_folder)
{
    struct landlock_path_beneath_attr rule = {0};
    struct stat found;
    rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
    if (rule.parent_fd < 0)
        return 0; /* who cannot reach it will not read it either */
    int err = fstat(rule.parent_fd, &found) == 0 ? 0 : -errno;
    if (!err)
        rule.allowed_access = is_folder ? (S_ISDIR(found.st_mode) ? READS : 0)
                                        : access_of(rules, found.st_mode);
    if (rule.allowed_access != 0 && syscall(SYS_landlock_add_rule, rules->fd,
                                            LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
        err = -errno;
    close(rule.parent_fd);
    return err;
}

static int allow_port(const struct rules *rules, uint16_t port, uint64_t access)
{
    struct port_rule rule = {access, port};
    if (rules->version < LANDLOCK_NETWORK)
        return 0;
    long done = syscall(SYS_landlock_add_rule, rules->fd, RULE_NET_PORT, &rule, 0);
    return done == 0 ? 0 : -errno;
}

/* What a service writes under /run is a new file each time: its folder, which has nothing else. */
static int allow_resolving(const struct rules *rules)
{
    char real[PATH_MAX];
    int err = allow_port(rules, PORT_NAMES, ACCESS_CONNECT);
    for (size_t i = 0; i < countof(RESOLVING) && !err; i++)
        err = allow_path(rules, RESOLVING[i], false);
    if (err || realpath(RESOLV, real) == NULL || strncmp(real, "/run/", 5) != 0)
        return err;
    *strrchr(real, '/') = '\0';
    return strcmp(real, "/run") == 0 ? 0 : allow_path(rules, real, true);
}

static int allow_range(const struct rules *rules, const struct confine_range *range)
{
    int err = 0;
    for (unsigned int port = range->from; port <= range->until && !err; port++)
        err = allow_port(rules, (uint16_t)port,
                         range->listens ? ACCESS_BIND : ACCESS_CONNECT);
    return err;
}

static int allow_all(const struct rules *rules, const struct confine_wish *wish)
{
    int err = wish->resolves ? allow_resolving(rules) : 0;
    for (int i = 0; i < CONFINE_PATHS_MAX && wish->folders[i] != NULL && !err; i++)
        err = allow_path(rules, wish->folders[i], true);
    for (int i = 0; i < CONFINE_PATHS_MAX && wish->paths[i] != NULL && !err; i++)
        err = allow_path(rules, wish->paths[i], false);
    for (int i = 0; i < CONFINE_PORTS_MAX && wish->ports[i] != 0 && !err; i++)
        err = allow_port(rules, wish->ports[i], ACCESS_BIND | ACCESS_CONNECT);
    for (int i = 0; i < CONFINE_RANGES_MAX && wish->ranges[i].from != 0 && !err; i++)
        err = allow_range(rules, &wish->ranges[i]);
    return err;
}

static int lock_files(int version, const struct confine_wish *wish)
{
    struct ruleset set = {all_of_files(version), ACCESS_BIND | ACCESS_CONNECT,
                          SCOPE_ABSTRACT | SCOPE_SIGNAL};
    struct rules rules = {.version = version, .trees = wish->trees};
    size_t length = version >= LANDLOCK_SCOPE     ? sizeof(set)
                    : version >= LANDLOCK_NETWORK ? 2 * sizeof(uint64_t)
                                                  : sizeof(uint64_t);
    rules.fd = (int)syscall(SYS_landlock_create_ruleset, &set, length, 0);
    if (rules.fd < 0)
        return -errno;
    int err = allow_all(&rules, wish);
    if (!err && syscall(SYS_landlock_restrict_self, rules.fd, 0) != 0)
        err = -errno;
    close(rules.fd);
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
    SCMP_SYS(readlink),
    SCMP_SYS(readlinkat),
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
    SCMP_SYS(listen),
    SCMP_SYS(accept),
    SCMP_SYS(accept4),
    SCMP_SYS(recvfrom),
    SCMP_SYS(recvmsg),
    SCMP_SYS(recvmmsg),
    SCMP_SYS(shutdown),
    SCMP_SYS(getsockname),
    SCMP_SYS(getpeername),
    SCMP_SYS(getsockopt),
    SCMP_SYS(brk),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(futex),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(adjtimex), /* reads the clock's state: without a privilege nothing is set */
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
    SCMP_SYS(setitimer),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(rseq),
    SCMP_SYS(set_robust_list),
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

/* Where these bits of an argument, and no others of them, are set. */
static struct scmp_arg_cmp bits(unsigned int argument, uint64_t mask, uint64_t set)
{
    return (struct scmp_arg_cmp){argument, SCMP_CMP_MASKED_EQ, mask, set};
}

static int allow_where(scmp_filter_ctx filter, int call, struct scmp_arg_cmp where)
{
    return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, 1, &where);
}

/* Memory that is run is not made, nor such that the limit does not count. */
static int allow_memory(scmp_filter_ctx filter)
{
    const struct scmp_arg_cmp mapped[] = {bits(2, PROT_EXEC, 0),
                                          bits(3, MAP_SHARED | MAP_PRIVATE, MAP_PRIVATE)};
    int err = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2, mapped);
    return err ? err : allow_where(filter, SCMP_SYS(mprotect), bits(2, PROT_EXEC, 0));
}

/* Landlock says which files; where there is none, at least no file is made or written. */
static int allow_opening(scmp_filter_ctx filter, const struct confine_wish *wish)
{
    uint64_t never = O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY);
    if (wish->paths[0] == NULL)
        never |= O_ACCMODE;
    int err = allow_where(filter, SCMP_SYS(openat), bits(2, never, 0));
    return err ? err : allow_where(filter, SCMP_SYS(open), bits(1, never, 0));
}

/* A serial line and a file descriptor may be set up, the line locked without waiting. */
static int allow_controls(scmp_filter_ctx filter)
{
    static const unsigned long CONTROLS[] = {TCGETS,   TCSETS,   TCSETSW,  TCSETSF,
                                             TCFLSH,   TIOCMGET, TIOCMSET, TIOCMBIS,
                                             TIOCMBIC, FIONREAD, TCSBRK,   FIONBIO};
    static const int SETS[] = {F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC};
    int err = 0;
    for (size_t i = 0; i < countof(CONTROLS) && !err; i++)
        err = allow_where(filter, SCMP_SYS(ioctl), bits(1, UINT32_MAX, CONTROLS[i]));
    for (size_t i = 0; i < countof(SETS) && !err; i++)
        err =
            allow_where(filter, SCMP_SYS(fcntl), bits(1, UINT32_MAX, (uint64_t)SETS[i]));
    return err ? err
               : allow_where(filter, SCMP_SYS(flock),
                             bits(1, UINT32_MAX, LOCK_EX | LOCK_NB));
}

/* All but SO_LINGER: closing a socket may wait as long as that says, and one that is passed to the
 * keeper is closed there. Any bit that is another one will do. */
static int allow_options(scmp_filter_ctx filter)
{
    int err = 0;
    for (uint64_t bit = 1; bit <= UINT32_MAX && !err; bit <<= 1)
        err = allow_where(filter, SCMP_SYS(setsockopt),
                          bits(2, bit, ~(uint64_t)SO_LINGER & bit));
    return err;
}

/* Protocol 0 or the one that is meant by it: Landlock does not know other kinds of streams. */
static int allow_socket(scmp_filter_ctx filter, int family, int type, int protocol)
{
    int err = 0;
    for (int i = 0; i < 2 && !err; i++) {
        const struct scmp_arg_cmp such[] = {
            bits(0, UINT32_MAX, (uint64_t)family), bits(1, SOCKET_KIND, (uint64_t)type),
            bits(2, UINT32_MAX, i == 0 ? 0 : (uint64_t)protocol)};
        err = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 3, such);
        if (protocol == 0)
            break;
    }
    return err;
}

/* getaddrinfo() asks a name server, and the kernel for its own addresses. */
static int allow_sockets(scmp_filter_ctx filter, const struct confine_wish *wish)
{
    static const int FAMILIES[] = {AF_INET, AF_INET6};
    int err = 0;
    for (size_t i = 0; i < countof(FAMILIES) && !err; i++) {
        err = allow_socket(filter, FAMILIES[i], SOCK_STREAM, IPPROTO_TCP);
        if (!err && (wish->udp || wish->resolves))
            err = allow_socket(filter, FAMILIES[i], SOCK_DGRAM, IPPROTO_UDP);
    }
    if (!err && wish->resolves)
        err = allow_socket(filter, AF_NETLINK, SOCK_RAW, 0);
    return err;
}

/* Without MSG_FASTOPEN, which connects and passes Landlock by. */
static int allow_sending(scmp_filter_ctx filter)
{
    int err = allow_where(filter, SCMP_SYS(sendto), bits(3, MSG_FASTOPEN, 0));
    if (!err)
        err = allow_where(filter, SCMP_SYS(sendmsg), bits(2, MSG_FASTOPEN, 0));
    return err ? err : allow_where(filter, SCMP_SYS(sendmmsg), bits(3, MSG_FASTOPEN, 0));
}

/* clone3() keeps its flags in memory, where no filter sees them: the C library then tries clone(). */
static int allow_threads(scmp_filter_ctx filter, const struct confine_wish *wish)
{
    const uint64_t thread = CLONE_THREAD | CLONE_VM | CLONE_SIGHAND;
    const struct scmp_arg_cmp pair[] = {bits(0, UINT32_MAX, AF_UNIX),
                                        bits(1, SOCKET_KIND, SOCK_STREAM)};
    int err = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    if (!err && wish->threads)
        err = allow_where(filter, SCMP_SYS(clone), bits(0, thread, thread));
    /* They wake each other; only datagrams could go elsewhere. */
    if (!err && wish->threads)
        err =
            seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(socketpair), 2, pair);
    return err;
}

/* Of signals only abort()'s, to itself: an end that counts as its own. A limit is asked for and not
 * set. */
static int allow_on_itself(scmp_filter_ctx filter)
{
    const struct scmp_arg_cmp aborts[] = {bits(0, UINT32_MAX, (uint64_t)getpid()),
                                          bits(2, UINT32_MAX, SIGABRT)};
    int err = allow_where(filter, SCMP_SYS(prlimit64),
                          (struct scmp_arg_cmp){2, SCMP_CMP_EQ, 0, 0});
    return err ? err
               : seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 2,
                                        aborts);
}

static int fill(scmp_filter_ctx filter, const struct confine_wish *wish)
{
    int err = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (!err)
        err = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    if (!err)
        err = allow_calls(filter);
    if (!err)
        err = allow_memory(filter);
    if (!err)
        err = allow_opening(filter, wish);
    if (!err)
        err = allow_controls(filter);
    if (!err)
        err = allow_sockets(filter, wish);
    if (!err)
        err = allow_options(filter);
    if (!err)
        err = allow_sending(filter);
    if (!err)
        err = allow_threads(filter, wish);
    return err ? err : allow_on_itself(filter);
}

static int lock_calls(const struct confine_wish *wish)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (filter == NULL)
        return -ENOMEM;
    int err = fill(filter, wish);
    if (!err)
        err = seccomp_load(filter);
    seccomp_release(filter);
    return err;
}

int confine(struct confine *confine, const struct confine_wish *wish)
{
    *confine = (struct confine){.landlock = landlock_version()};
    int err = drop_powers();
    if (err)
        return err;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0) != 0)
        return -errno;
    err = limit_all();
    if (!err && confine->landlock > 0)
        err = lock_files(confine->landlock, wish);
    return err ? err : lock_calls(wish);
}
