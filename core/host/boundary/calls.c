/* calls - see calls.h. The door to libseccomp.
 *
 * Rule of this file: a system call that a library may try and do without is refused with EPERM; one
 * that only an attack needs ends the process. */
#include "host/boundary/calls.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/base.h"

enum { SOCKET_KIND = 0xf };

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

/* Memory that is run is not made, nor such that the limit does not count: what is shared, and stacks that
 * grow. The stack of this process is one, above all that is mapped: it is not made longer as a mapping. */
static int allow_memory(scmp_filter_ctx filter)
{
    const struct scmp_arg_cmp mapped[] = {
        bits(2, PROT_EXEC, 0),
        bits(3, MAP_SHARED | MAP_PRIVATE | MAP_GROWSDOWN, MAP_PRIVATE)};
    const struct scmp_arg_cmp below = {
        0, SCMP_CMP_LT,
        (uintptr_t)__builtin_frame_address(0) - 2 * (uintptr_t)CALLS_STACK, 0};
    int err = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2, mapped);
    if (!err)
        err = allow_where(filter, SCMP_SYS(mremap), below);
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
    /* A socket that is bound to nothing listens at a port of the kernel's choice, and Landlock does not
     * see it: for who listens at none there is no listening. */
    bool listens = wish->listens;
    for (int i = 0; i < CONFINE_RANGES_MAX && wish->ranges[i].from != 0; i++)
        listens = listens || wish->ranges[i].listens;
    if (!err && listens)
        err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(listen), 0);
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
    if (!err && wish->pairs)
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

int calls_lock(const struct confine_wish *wish)
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
