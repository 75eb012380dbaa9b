/* attacks - what a plugin does that has taken over its host: native code inside the real process.
 *
 * Preloaded, it waits for a line of the log that says "attack NAME ARGUMENT": any plugin can have that
 * written, behind the boundary. It tries, and writes what came of it to the same descriptor. What an
 * attack has achieved is not what it says but what the test sees outside. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LINE = 3, ARGUMENT_ROOM = 400, GIGABYTE = 1 << 30, PAGE = 4096 };

static ssize_t say(const char *text, size_t length)
{
    return syscall(SYS_write, STDERR_FILENO, text, length);
}

static int result(long done)
{
    return done < 0 ? errno : 0;
}

static int put(const char *path, int flags)
{
    int fd = open(path, O_WRONLY | flags, 0644);
    if (fd < 0)
        return errno;
    return result(write(fd, "stolen\n", 7));
}

/* ---- Files */

static int makes_a_file(const char *path)
{
    return put(path, O_CREAT);
}

static int changes_a_file(const char *path)
{
    return put(path, O_TRUNC);
}

static int reads_a_file(const char *path)
{
    char text[100];
    int fd = open(path, O_RDONLY);
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof(text));
    if (length < 0)
        return errno;
    say(text, (size_t)length);
    return 0;
}

static int removes_a_file(const char *path)
{
    return result(unlink(path));
}

static int links_a_file(const char *path)
{
    return result(symlink("/etc/passwd", path));
}

static int opens_a_file_to_all(const char *path)
{
    return result(chmod(path, 0777));
}

static int makes_shared_memory(const char *name)
{
    return result(shm_open(name, O_CREAT | O_RDWR, 0600));
}

static int mounts_over_a_folder(const char *path)
{
    return result(mount("none", path, "tmpfs", 0, NULL));
}

/* ---- Programs and processes */

static int forks(const char *path)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(put(path, O_CREAT));
    return pid < 0 ? errno : result(waitpid(pid, NULL, 0));
}

static int runs_a_shell(const char *path)
{
    char command[ARGUMENT_ROOM + 8];
    snprintf(command, sizeof(command), "touch %s", path);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    return errno;
}

static int runs_a_child_shell(const char *path)
{
    char command[ARGUMENT_ROOM + 8];
    snprintf(command, sizeof(command), "touch %s", path);
    return system(command) == 0 ? 0 : EPERM;
}

static int runs_from_memory(const char *path)
{
    char script[ARGUMENT_ROOM + 24], *none[] = {NULL};
    int length = snprintf(script, sizeof(script), "#!/bin/sh\ntouch %s\n", path);
    int fd = (int)syscall(SYS_memfd_create, "x", 0);
    if (fd < 0 || write(fd, script, (size_t)length) != length)
        return errno;
    char name[] = "x", *arguments[] = {name, NULL};
    fexecve(fd, arguments, none);
    return errno;
}

static int traces(const char *pid)
{
    if (ptrace(PTRACE_ATTACH, atoi(pid), 0, 0) != 0)
        return errno;
    return result(waitpid(atoi(pid), NULL, 0));
}

static int kills(const char *pid)
{
    return result(kill(atoi(pid), SIGKILL));
}

static int kills_by_handle(const char *pid)
{
    int fd = (int)syscall(SYS_pidfd_open, atoi(pid), 0);
    return fd < 0 ? errno : result(syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0));
}

static int limits(const char *pid)
{
    struct rlimit few = {7, 7};
    return result(prlimit(atoi(pid), RLIMIT_NOFILE, &few, NULL));
}

static void parse_place(const char *argument, pid_t *pid, uintptr_t *place)
{
    char *rest;
    *pid = (pid_t)strtol(argument, &rest, 10);
    *place = (uintptr_t)strtoull(rest, NULL, 10);
}

static int writes_foreign_memory(const char *argument)
{
    uintptr_t place;
    pid_t pid;
    parse_place(argument, &pid, &place);
    char word[] = "stolen";
    struct iovec ours = {word, 6}, theirs = {(void *)place, 6};
    return result(process_vm_writev(pid, &ours, 1, &theirs, 1, 0));
}

static int writes_memory_as_a_file(const char *argument)
{
    char path[40];
    uintptr_t place;
    pid_t pid;
    parse_place(argument, &pid, &place);
    snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
    int fd = open(path, O_RDWR);
    return fd < 0 ? errno : result(pwrite(fd, "stolen", 6, (off_t)place));
}

/* ---- The network */

static struct sockaddr_in at(const char *port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)atoi(port)),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int connects(const char *port)
{
    struct sockaddr_in address = at(port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return fd < 0 ? errno
                  : result(connect(fd, (struct sockaddr *)&address, sizeof(address)));
}

static int connects_by_its_first_bytes(const char *port)
{
    struct sockaddr_in address = at(port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return fd < 0 ? errno
                  : result(sendto(fd, "stolen", 6, MSG_FASTOPEN,
                                  (struct sockaddr *)&address, sizeof(address)));
}

static int listens(const char *port)
{
    struct sockaddr_in address = at(port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        return errno;
    return result(listen(fd, 5));
}

/* At the kernel's choice of a port: it says which. */
static int listens_anywhere(const char *nothing)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof(address);
    char told[40];
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    (void)nothing;
    if (fd < 0 || listen(fd, 5) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) != 0)
        return errno;
    int written =
        snprintf(told, sizeof(told), "listens at %d\n", ntohs(address.sin_port));
    say(told, (size_t)written);
    return 0;
}

static int sends_a_datagram(const char *port)
{
    struct sockaddr_in address = at(port);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    return fd < 0 ? errno
                  : result(sendto(fd, "stolen", 6, 0, (struct sockaddr *)&address,
                                  sizeof(address)));
}

/* With a header of its own making: source, destination, length, no checksum. */
static int sends_raw(const char *port)
{
    struct sockaddr_in address = at(port);
    uint16_t datagram[7] = {htons(9), address.sin_port, htons(14), 0};
    int fd = socket(AF_INET, SOCK_RAW, IPPROTO_UDP);
    memcpy(datagram + 4, "stolen", 6);
    return fd < 0 ? errno
                  : result(sendto(fd, datagram, sizeof(datagram), 0,
                                  (struct sockaddr *)&address, sizeof(address)));
}

static int connects_to_a_local_program(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
    return fd < 0 ? errno
                  : result(connect(fd, (struct sockaddr *)&address, sizeof(address)));
}

/* ---- Using up what there is */

static int takes_a_gigabyte(const char *nothing)
{
    (void)nothing;
    char *bytes =
        mmap(NULL, GIGABYTE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (bytes == MAP_FAILED)
        return errno;
    memset(bytes, 1, GIGABYTE);
    return 0;
}

static int shares_a_gigabyte(const char *nothing)
{
    (void)nothing;
    char *bytes =
        mmap(NULL, GIGABYTE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (bytes == MAP_FAILED)
        return errno;
    memset(bytes, 1, GIGABYTE);
    return 0;
}

/* A stack that grows is not counted as data. */
static int takes_a_gigabyte_of_stack(const char *nothing)
{
    (void)nothing;
    char *bytes = mmap(NULL, GIGABYTE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN, -1, 0);
    if (bytes == MAP_FAILED)
        return errno;
    memset(bytes, 1, GIGABYTE);
    return 0;
}

static int makes_its_stack_a_gigabyte(const char *nothing)
{
    uintptr_t here = (uintptr_t)&nothing & ~(uintptr_t)(PAGE - 1);
    char *bytes = mremap((void *)(here - 4 * PAGE), PAGE, GIGABYTE, MREMAP_MAYMOVE);
    if (bytes == MAP_FAILED)
        return errno;
    memset(bytes, 1, GIGABYTE);
    return 0;
}

static int opens_without_end(const char *nothing)
{
    (void)nothing;
    for (int i = 0; i < 500; i++)
        if (socket(AF_INET, SOCK_STREAM, 0) < 0)
            return errno;
    return 0;
}

/* ---- Dying and hanging */

static int reads_from_nowhere(const char *nothing)
{
    (void)nothing;
    return *(volatile int *)16;
}

static int ends_without_a_word(const char *nothing)
{
    (void)nothing;
    _exit(0);
}

static int spins_deaf(const char *nothing)
{
    sigset_t all;
    (void)nothing;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    for (volatile int i = 0; i >= 0; i = 0)
        ;
    return 0;
}

static int says_nonsense(const char *nothing)
{
    (void)nothing;
    return result(send(LINE, "nonsense", 8, MSG_NOSIGNAL));
}

static int hangs_up(const char *nothing)
{
    (void)nothing;
    return result(shutdown(LINE, SHUT_RDWR));
}

/* A COMMIT frame (type 3) of one EVENT (tag 3) with TYPE (4) and DATA (7), as in wire/frame.h: as many
 * as the keeper takes, and nobody hears the answers. */
static int floods_the_keeper(const char *seconds)
{
    static const char EVENT[] = "\x04\x0c\0\0villain.said\x07\x02\0\0{}";
    char frame[12 + sizeof(EVENT) - 1] = "O\x01\x03\0\x01\0\0\0\x03";
    time_t until = time(NULL) + atoi(seconds);
    frame[9] = sizeof(EVENT) - 1;
    memcpy(frame + 12, EVENT, sizeof(EVENT) - 1);
    while (time(NULL) < until && send(LINE, frame, sizeof(frame), MSG_NOSIGNAL) > 0)
        ;
    return 0;
}

static int forges_an_alarm(const char *nothing)
{
    static const char EVENT[] = "\x04\x0f\0\0journal.damaged\x07\x02\0\0{}";
    char frame[12 + sizeof(EVENT) - 1] = "O\x01\x03\0\x01\0\0\0\x03";
    (void)nothing;
    frame[9] = sizeof(EVENT) - 1;
    memcpy(frame + 12, EVENT, sizeof(EVENT) - 1);
    return result(send(LINE, frame, sizeof(frame), MSG_NOSIGNAL));
}

/* ---- The log, which is everybody's */

static int shuts_the_log(const char *nothing)
{
    (void)nothing;
    return result(shutdown(STDERR_FILENO, SHUT_RDWR));
}

static int rewinds_the_log(const char *nothing)
{
    (void)nothing;
    if (fcntl(STDERR_FILENO, F_SETFL, 0) != 0 || lseek(STDERR_FILENO, 0, SEEK_SET) != 0)
        return errno;
    return result(say("stolen\n", 7));
}

/* The other end of a pipe, for so many seconds: what it reads nobody else does. */
static int reads_the_log(const char *seconds)
{
    char text[1024];
    time_t until = time(NULL) + atoi(seconds);
    int fd = open("/proc/self/fd/2", O_RDONLY | O_NONBLOCK);
    if (fd < 0)
        return errno;
    while (time(NULL) < until)
        if (read(fd, text, sizeof(text)) < 0)
            usleep(100);
    return 0;
}

static int floods_the_log(const char *seconds)
{
    static const char LINE_OF_IT[] =
        "2026-11-22T00:00:00.000000Z error keeper: noise noise noise noise noise\n";
    time_t until = time(NULL) + atoi(seconds);
    while (time(NULL) < until && say(LINE_OF_IT, sizeof(LINE_OF_IT) - 1) > 0)
        ;
    return 0;
}

static const struct attack {
    const char *name;
    int (*attack)(const char *argument);
} ATTACKS[] = {
    {"makes_a_file", makes_a_file},
    {"changes_a_file", changes_a_file},
    {"reads_a_file", reads_a_file},
    {"removes_a_file", removes_a_file},
    {"links_a_file", links_a_file},
    {"opens_a_file_to_all", opens_a_file_to_all},
    {"makes_shared_memory", makes_shared_memory},
    {"mounts_over_a_folder", mounts_over_a_folder},
    {"forks", forks},
    {"runs_a_shell", runs_a_shell},
    {"runs_a_child_shell", runs_a_child_shell},
    {"runs_from_memory", runs_from_memory},
    {"traces", traces},
    {"kills", kills},
    {"kills_by_handle", kills_by_handle},
    {"limits", limits},
    {"writes_foreign_memory", writes_foreign_memory},
    {"writes_memory_as_a_file", writes_memory_as_a_file},
    {"connects", connects},
    {"connects_by_its_first_bytes", connects_by_its_first_bytes},
    {"listens", listens},
    {"sends_a_datagram", sends_a_datagram},
    {"sends_raw", sends_raw},
    {"connects_to_a_local_program", connects_to_a_local_program},
    {"takes_a_gigabyte", takes_a_gigabyte},
    {"shares_a_gigabyte", shares_a_gigabyte},
    {"takes_a_gigabyte_of_stack", takes_a_gigabyte_of_stack},
    {"makes_its_stack_a_gigabyte", makes_its_stack_a_gigabyte},
    {"listens_anywhere", listens_anywhere},
    {"shuts_the_log", shuts_the_log},
    {"rewinds_the_log", rewinds_the_log},
    {"reads_the_log", reads_the_log},
    {"floods_the_log", floods_the_log},
    {"opens_without_end", opens_without_end},
    {"reads_from_nowhere", reads_from_nowhere},
    {"ends_without_a_word", ends_without_a_word},
    {"spins_deaf", spins_deaf},
    {"says_nonsense", says_nonsense},
    {"hangs_up", hangs_up},
    {"floods_the_keeper", floods_the_keeper},
    {"forges_an_alarm", forges_an_alarm},
};

static void try_it(const char *order)
{
    char name[60] = "", argument[ARGUMENT_ROOM] = "", told[200];
    if (sscanf(order, "attack %59s %399[^\n]", name, argument) < 1)
        return;
    for (size_t i = 0; i < sizeof(ATTACKS) / sizeof(ATTACKS[0]); i++) {
        if (strcmp(ATTACKS[i].name, name) != 0)
            continue;
        int err = ATTACKS[i].attack(argument);
        int length = snprintf(told, sizeof(told), "attacked %s: %s\n", name,
                              err ? strerror(err) : "done");
        say(told, (size_t)length);
    }
}

/* The line is written first, so that it is seen before what it does. Only in a host: the keeper puts the
 * same line into the log. */
ssize_t write(int fd, const void *bytes, size_t length)
{
    ssize_t written = syscall(SYS_write, fd, bytes, length);
    if (fd != STDERR_FILENO || length >= 900 ||
        strcmp(program_invocation_short_name, "host") != 0)
        return written;
    char line[900];
    memcpy(line, bytes, length);
    line[length] = '\0';
    const char *order = strstr(line, ": attack ");
    if (order != NULL)
        try_it(order + 2);
    return written;
}
