/* The system calls behind the boundary: those that only an attack needs, one by one. */
#include "host/boundary/calls.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "base/base.h"
#include "host/behind.h"

static int wish_nothing(void **state)
{
    (void)state;
    wish = (struct confine_wish){.folders = {NULL}};
    return 0;
}

/* ---- Calls by their numbers, whose arguments do not matter */

static long number;

static int calls(void)
{
    return result(syscall((int)number, 0, 0, 0, 0, 0, 0));
}

static void expect(long call, int what)
{
    number = call;
    int came = confined(calls);
    if (came != what)
        fail_msg("call %ld: expected %d, came %d", call, what, came);
}

static void what_only_an_attack_needs_ends_it(void **state)
{
    static const long CALLS[] = {SYS_io_uring_setup,
                                 SYS_userfaultfd,
                                 SYS_keyctl,
                                 SYS_add_key,
                                 SYS_bpf,
                                 SYS_perf_event_open,
                                 SYS_ptrace,
                                 SYS_process_vm_readv,
                                 SYS_process_vm_writev,
                                 SYS_kcmp,
                                 SYS_execve,
                                 SYS_execveat,
                                 SYS_mount,
                                 SYS_umount2,
                                 SYS_pivot_root,
                                 SYS_setns,
                                 SYS_unshare,
                                 SYS_init_module,
                                 SYS_finit_module,
                                 SYS_kexec_load,
                                 SYS_reboot};
    (void)state;
    for (size_t i = 0; i < countof(CALLS); i++)
        expect(CALLS[i], KILLED);
}

/* clang-format off */
static const long REFUSED[] = {
    SYS_pidfd_open, SYS_pidfd_getfd, SYS_pidfd_send_signal, SYS_memfd_create,
    SYS_memfd_secret, SYS_open_by_handle_at, SYS_name_to_handle_at, SYS_openat2,
    SYS_splice, SYS_vmsplice, SYS_tee, SYS_sendfile, SYS_copy_file_range, SYS_fork,
    SYS_vfork, SYS_clone, SYS_kill, SYS_tkill, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo,
    SYS_io_uring_enter, SYS_io_uring_register, SYS_process_madvise, SYS_process_mrelease,
    SYS_shmget, SYS_semget, SYS_msgget, SYS_mq_open, SYS_inotify_init1, SYS_fanotify_init,
    SYS_signalfd4, SYS_timer_create, SYS_setsid, SYS_setpgid, SYS_setuid, SYS_setgroups,
    SYS_capset, SYS_setpriority, SYS_sched_setscheduler, SYS_sched_setaffinity,
    SYS_ioprio_set, SYS_personality, SYS_prctl, SYS_arch_prctl, SYS_seccomp,
    SYS_landlock_create_ruleset, SYS_setrlimit, SYS_ftruncate, SYS_fallocate, SYS_fchmod,
    SYS_fchown, SYS_unlinkat, SYS_renameat2, SYS_linkat, SYS_symlinkat, SYS_mkdirat,
    SYS_mknodat, SYS_utimensat, SYS_flock, SYS_fsync, SYS_sync, SYS_chdir, SYS_fchdir,
    SYS_chroot, SYS_syslog, SYS_settimeofday, SYS_clock_settime, SYS_clock_adjtime,
    SYS_sethostname, SYS_swapon, SYS_acct, SYS_quotactl, SYS_pkey_mprotect,
    SYS_remap_file_pages, SYS_mlockall, SYS_dup2, SYS_dup3, SYS_membarrier};
/* clang-format on */

static void what_a_library_may_try_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(REFUSED); i++)
        expect(REFUSED[i], EPERM);
}

#if defined(__x86_64__)
/* getpid() of 32 bits, whose number is another call's of 64. */
static int calls_as_32_bits(void)
{
    long came;
    __asm__ volatile("int $0x80"
                     : "=a"(came)
                     : "a"(20)
                     : "memory", "r8", "r9", "r10", "r11");
    return came > 0 ? DONE : EPERM;
}

enum { X32 = 0x40000000 };

static void the_calls_of_other_machines_are_none(void **state)
{
    (void)state;
    assert_int_equal(confined(calls_as_32_bits), KILLED);
    expect(X32 + SYS_getpid, KILLED);
    expect(X32 + SYS_ptrace, KILLED);
}
#endif

/* ---- Arguments that matter */

static int control(unsigned long what)
{
    char letter = 'x';
    return result(ioctl(STDIN_FILENO, what, &letter));
}

static int types_into_a_terminal(void)
{
    return control(TIOCSTI);
}

/* The highest bits of the number are not looked at by the kernel. */
static int types_into_a_terminal_by_another_number(void)
{
    return control(TIOCSTI | 1UL << 40);
}

static int takes_a_terminal(void)
{
    return control(TIOCSCTTY);
}

static int set(int what)
{
    return result(fcntl(STDERR_FILENO, what, getpid()));
}

static int has_signals_sent(void)
{
    return set(F_SETOWN);
}

static int has_other_signals_sent(void)
{
    return set(F_SETSIG);
}

static int locks(void)
{
    struct flock lock = {.l_type = F_WRLCK};
    return result(fcntl(STDERR_FILENO, F_SETLK, &lock));
}

static int leases(void)
{
    return set(F_SETLEASE);
}

static int seals(void)
{
    return set(F_ADD_SEALS);
}

static int makes_a_pipe_larger(void)
{
    return set(F_SETPIPE_SZ);
}

static void descriptors_are_not_made_to_do_other_things(void **state)
{
    static int (*const TRIES[])(void) = {types_into_a_terminal,
                                         types_into_a_terminal_by_another_number,
                                         takes_a_terminal,
                                         has_signals_sent,
                                         has_other_signals_sent,
                                         locks,
                                         leases,
                                         seals,
                                         makes_a_pipe_larger};
    (void)state;
    for (size_t i = 0; i < countof(TRIES); i++)
        assert_int_equal(confined(TRIES[i]), EPERM);
}

static int looks_at_its_limits(void)
{
    struct rlimit limits;
    return result(prlimit(0, RLIMIT_NOFILE, NULL, &limits));
}

static int sets_the_limits_of_its_parent(void)
{
    struct rlimit few = {7, 7};
    return result(prlimit(getppid(), RLIMIT_NOFILE, &few, NULL));
}

static void limits_are_looked_at_and_not_set(void **state)
{
    (void)state;
    assert_int_equal(confined(looks_at_its_limits), DONE);
    assert_int_equal(confined(sets_the_limits_of_its_parent), EPERM);
}

/* With threads allowed, what else clone() could make. */
static int clones(unsigned long flags)
{
    long pid = syscall(SYS_clone, flags, NULL, NULL, NULL, NULL);
    if (pid == 0)
        syscall(SYS_exit, 0);
    return result(pid);
}

static int clones_a_process(void)
{
    return clones(CLONE_VM | CLONE_VFORK | SIGCHLD);
}

static int clones_a_room_of_its_own(void)
{
    return clones(CLONE_NEWUSER | SIGCHLD);
}

static void who_may_have_threads_makes_nothing_else(void **state)
{
    (void)state;
    wish.threads = wish.pairs = true;
    assert_int_equal(confined(clones_a_process), EPERM);
    assert_int_equal(confined(clones_a_room_of_its_own), EPERM);
}

static int opens(int family, int type, int protocol)
{
    int fd = socket(family, type, protocol);
    return fd < 0 ? errno : close(fd);
}

static int speaks_otherwise(void)
{
    static const int KINDS[][3] = {
        {AF_VSOCK, SOCK_STREAM, 0},  {AF_NETLINK, SOCK_RAW, 0},
        {AF_UNIX, SOCK_STREAM, 0},   {AF_UNIX, SOCK_SEQPACKET, 0},
        {AF_ALG, SOCK_SEQPACKET, 0}, {AF_PACKET, SOCK_DGRAM, 0},
        {AF_BLUETOOTH, SOCK_RAW, 0}, {AF_CAN, SOCK_RAW, 0},
        {AF_TIPC, SOCK_RDM, 0},      {AF_INET, SOCK_SEQPACKET, 132},
        {AF_INET, SOCK_DCCP, 33},    {AF_INET, SOCK_DGRAM, 136}};
    for (size_t i = 0; i < countof(KINDS); i++)
        if (opens(KINDS[i][0], KINDS[i][1], KINDS[i][2]) != EPERM)
            return (int)i + 100;
    return EPERM;
}

static void no_other_kind_of_socket_is_there(void **state)
{
    (void)state;
    assert_int_equal(confined(speaks_otherwise), EPERM);
}

/* ---- Memory */

static int map(int protection, int how)
{
    return mmap(NULL, 4096, protection, how | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? errno
                                                                                  : DONE;
}

static int makes_memory_to_run(void)
{
    return map(PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE);
}

static int makes_memory_that_is_not_counted(void)
{
    return map(PROT_READ | PROT_WRITE, MAP_SHARED);
}

static int makes_a_stack_that_is_not_counted(void)
{
    return map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_GROWSDOWN);
}

/* A piece of our own stack becomes a mapping of any length. */
static int makes_its_stack_a_mapping(void)
{
    char here = 0;
    void *page = (void *)((uintptr_t)&here & ~(uintptr_t)4095);
    return mremap(page, 4096, (size_t)1 << 30, MREMAP_MAYMOVE) == MAP_FAILED ? errno
                                                                             : DONE;
}

static int moves_its_memory(void)
{
    void *page =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return mremap(page, 4096, 1 << 20, MREMAP_MAYMOVE) == MAP_FAILED ? errno : DONE;
}

static int makes_memory_runnable(void)
{
    void *page =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return result(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}

static void memory_is_counted_and_not_run(void **state)
{
    (void)state;
    assert_int_equal(confined(makes_memory_to_run), EPERM);
    assert_int_equal(confined(makes_memory_that_is_not_counted), EPERM);
    assert_int_equal(confined(makes_a_stack_that_is_not_counted), EPERM);
    assert_int_equal(confined(makes_its_stack_a_mapping), EPERM);
    assert_int_equal(confined(moves_its_memory), DONE);
    assert_int_equal(confined(makes_memory_runnable), EPERM);
}

#define CASE(name) cmocka_unit_test_setup(name, wish_nothing)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_only_an_attack_needs_ends_it),
        CASE(what_a_library_may_try_is_refused),
#if defined(__x86_64__)
        CASE(the_calls_of_other_machines_are_none),
#endif
        CASE(descriptors_are_not_made_to_do_other_things),
        CASE(limits_are_looked_at_and_not_set),
        CASE(who_may_have_threads_makes_nothing_else),
        CASE(no_other_kind_of_socket_is_there),
        CASE(memory_is_counted_and_not_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
