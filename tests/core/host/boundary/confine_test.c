/* The boundary: what an attack gets from the kernel, and that what a plugin needs still works. Each in
 * a process of its own. */
#include "host/boundary/confine.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/base.h"
#include "host/behind.h"

enum { KIND_MPTCP = 262 };

static char folder[] = "/tmp/confine-test-XXXXXX";
static char file[64], named_file[64], line[64]; /* line: a symlink to a terminal */
static uint16_t open_port, other_port, spare_port;
static int listeners[2], terminal;

static uint16_t listen_anywhere(int *fd)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    *fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(*fd, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(*fd, 5), 0);
    assert_int_equal(getsockname(*fd, (struct sockaddr *)&address, &length), 0);
    return ntohs(address.sin_port);
}

static void put(const char *path, const char *text)
{
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

static int make_all(void **state)
{
    int spare;
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(file, sizeof(file), "%s/plugin.lua", folder);
    snprintf(named_file, sizeof(named_file), "%s.named", folder);
    snprintf(line, sizeof(line), "%s.tty", folder);
    put(file, "return {}");
    put(named_file, "city.pem");
    terminal = posix_openpt(O_RDWR | O_NOCTTY);
    if (grantpt(terminal) != 0 || unlockpt(terminal) != 0 ||
        symlink(ptsname(terminal), line) != 0)
        return -1;
    open_port = listen_anywhere(&listeners[0]);
    other_port = listen_anywhere(&listeners[1]);
    spare_port = listen_anywhere(&spare);
    return close(spare);
}

static int remove_all(void **state)
{
    (void)state;
    unlink(file);
    unlink(named_file);
    unlink(line);
    close(terminal);
    close(listeners[0]);
    close(listeners[1]);
    return rmdir(folder);
}

static int wish_little(void **state)
{
    (void)state;
    wish = (struct confine_wish){
        .folders = {folder}, .ports = {open_port, spare_port}, .listens = true};
    return 0;
}

/* ---- Files */

static int reads_its_folder(void)
{
    char text[16] = "";
    int fd = open(file, O_RDONLY);
    return fd >= 0 && read(fd, text, 9) == 9 && strcmp(text, "return {}") == 0 ? DONE : 1;
}

static int takes_and_gives_memory(void)
{
    char *bytes = malloc(8 << 20);
    if (bytes == NULL)
        return 1;
    memset(bytes, 1, 8 << 20);
    free(bytes);
    return DONE;
}

static int connect_to(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fd < 0 ? errno
                  : result(connect(fd, (struct sockaddr *)&address, sizeof(address)));
}

static int connects_where_it_may(void)
{
    return connect_to(open_port);
}

static int listen_at(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_TCP);
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(fd, 5) != 0)
        return errno;
    return accept4(fd, NULL, NULL, SOCK_CLOEXEC) < 0 && errno == EAGAIN ? DONE : errno;
}

static int listens_where_it_may(void)
{
    return listen_at(spare_port);
}

static void what_a_plugin_needs_works(void **state)
{
    (void)state;
    assert_int_equal(confined(reads_its_folder), DONE);
    assert_int_equal(confined(takes_and_gives_memory), DONE);
    assert_int_equal(confined(connects_where_it_may), DONE);
    assert_int_equal(confined(listens_where_it_may), DONE);
}

static int reads_a_foreign_file(void)
{
    return result(open("/etc/passwd", O_RDONLY));
}

static int writes_beside_its_file(void)
{
    char path[96];
    snprintf(path, sizeof(path), "%s/new", folder);
    return result(open(path, O_WRONLY | O_CREAT, 0600));
}

static int writes_its_file(void)
{
    return result(open(file, O_WRONLY));
}

static int makes_a_nameless_file(void)
{
    return result(open(folder, O_TMPFILE | O_RDWR, 0600));
}

static int shortens_its_file(void)
{
    return result(truncate(file, 0));
}

static int removes_its_file(void)
{
    return result(unlink(file));
}

static void no_file_is_written_and_no_foreign_one_read(void **state)
{
    (void)state;
    assert_int_equal(confined(reads_a_foreign_file), EACCES);
    assert_int_equal(confined(writes_beside_its_file), EPERM);
    assert_int_equal(confined(writes_its_file), EPERM);
    assert_int_equal(confined(makes_a_nameless_file), EPERM);
    assert_int_equal(confined(shortens_its_file), EPERM);
    assert_int_equal(confined(removes_its_file), EPERM);
    wish.paths[0] = "/dev/null"; /* so that something may be written */
    assert_int_equal(confined(writes_its_file), EACCES);
}

static int reads_the_named_file(void)
{
    char text[16] = "";
    int fd = open(named_file, O_RDONLY);
    return fd >= 0 && read(fd, text, 8) == 8 && strcmp(text, "city.pem") == 0 ? DONE
                                                                              : errno;
}

static int writes_the_named_file(void)
{
    return result(open(named_file, O_WRONLY));
}

static void a_file_that_is_named_is_read_and_not_written(void **state)
{
    (void)state;
    assert_int_equal(confined(reads_the_named_file), EACCES);
    wish.paths[0] = named_file;
    assert_int_equal(confined(reads_the_named_file), DONE);
    assert_int_equal(confined(writes_the_named_file), EACCES);
}

static void a_folder_that_is_named_like_a_file_gives_nothing(void **state)
{
    (void)state;
    wish.folders[0] = "/usr/share";
    wish.paths[0] = folder;
    assert_int_equal(confined(reads_its_folder), 1);
}

static int uses_the_line(void)
{
    struct termios how;
    int fd = open(line, O_RDWR | O_NOCTTY);
    if (fd < 0 || tcgetattr(fd, &how) != 0)
        return errno;
    cfmakeraw(&how);
    cfsetspeed(&how, B9600);
    return tcsetattr(fd, TCSANOW, &how) == 0 && write(fd, "x", 1) == 1 ? DONE : errno;
}

static int types_into_the_line(void)
{
    char letter = '\n';
    int fd = open(line, O_RDWR | O_NOCTTY);
    return fd < 0 ? errno : result(ioctl(fd, TIOCSTI, &letter));
}

static int uses_another_device(void)
{
    return result(open("/dev/zero", O_RDWR));
}

static void a_device_that_is_named_is_used_also_through_a_link(void **state)
{
    (void)state;
    wish.paths[0] = "/dev/tty-that-is-not-there";
    wish.paths[1] = line;
    assert_int_equal(confined(uses_the_line), DONE);
    assert_int_equal(confined(types_into_the_line), EPERM);
    assert_int_equal(confined(uses_another_device), EACCES);
    wish.paths[1] = NULL;
    assert_int_equal(confined(uses_the_line), EACCES);
}

/* ---- Processes */

static int forks(void)
{
    return result(fork());
}

static int runs_a_program(void)
{
    return result(execl("/bin/true", "true", NULL));
}

static int traces(void)
{
    return result(ptrace(PTRACE_ATTACH, getppid(), 0, 0));
}

static int kills_its_parent(void)
{
    return result(kill(getppid(), SIGTERM));
}

static int kills_everybody(void)
{
    return result(kill(-1, SIGTERM));
}

/* It would look like somebody else's doing. */
static int kills_itself(void)
{
    return result(kill(getpid(), SIGKILL));
}

static int aborts(void)
{
    abort();
}

static void nobody_else_is_run_traced_or_killed(void **state)
{
    (void)state;
    assert_int_equal(confined(forks), EPERM);
    assert_int_equal(confined(runs_a_program), KILLED);
    assert_int_equal(confined(traces), KILLED);
    assert_int_equal(confined(kills_its_parent), EPERM);
    assert_int_equal(confined(kills_everybody), EPERM);
    assert_int_equal(confined(kills_itself), EPERM);
    assert_int_equal(confined(aborts), KILLED);
}

static int clones_with_hidden_flags(void)
{
    struct clone_args how = {.exit_signal = SIGCHLD};
    long pid = syscall(SYS_clone3, &how, sizeof(how));
    if (pid == 0)
        _exit(0);
    return result(pid);
}

static void *idle(void *nothing)
{
    return nothing;
}

static int starts_a_thread(void)
{
    pthread_t thread;
    int err = pthread_create(&thread, NULL, idle, NULL);
    return err ? err : pthread_join(thread, NULL);
}

static int pairs(int type)
{
    int ends[2];
    return result(socketpair(AF_UNIX, type, 0, ends));
}

static int wakes_its_threads(void)
{
    return pairs(SOCK_STREAM | SOCK_NONBLOCK);
}

/* An end that could be pointed at any local program's socket. */
static int pairs_for_datagrams(void)
{
    return pairs(SOCK_DGRAM);
}

static int pairs_for_packets(void)
{
    return pairs(SOCK_SEQPACKET);
}

static void threads_only_for_who_needs_them_and_never_a_process(void **state)
{
    (void)state;
    assert_int_equal(confined(starts_a_thread), EPERM);
    assert_int_equal(confined(wakes_its_threads), EPERM);
    wish.threads = wish.pairs = true;
    assert_int_equal(confined(starts_a_thread), DONE);
    assert_int_equal(confined(wakes_its_threads), DONE);
    assert_int_equal(confined(pairs_for_datagrams), EPERM);
    assert_int_equal(confined(pairs_for_packets), EPERM);
    assert_int_equal(confined(forks), EPERM);
    assert_int_equal(confined(clones_with_hidden_flags), ENOSYS);
}

/* As root too: what /proc says of a process behind the boundary. */
static void no_privilege_is_left_but_for_low_ports(void **state)
{
    char path[40], text[80], byte;
    unsigned long powers = ~0UL;
    int ready[2];
    (void)state;
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct confine told;
        if (confine(&told, &wish) == 0 && write(ready[1], "x", 1) == 1)
            pause();
        for (;;)
            poll(NULL, 0, 1000); /* pause() is no call it has */
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    FILE *status = fopen(path, "r");
    while (fgets(text, sizeof(text), status) != NULL)
        sscanf(text, "CapPrm: %lx", &powers);
    fclose(status);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close(ready[0]);
    close(ready[1]);
    assert_int_equal(powers & ~(1UL << 10), 0);
}

/* ---- The network */

static int connects_elsewhere(void)
{
    return connect_to(other_port);
}

/* The connection is made by the first bytes: no connect() is seen. */
static int sends_before_it_connects(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(other_port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return result(
        sendto(fd, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&address, sizeof(address)));
}

static int listens_elsewhere(void)
{
    return listen_at(0);
}

/* The kernel chooses a port then, and Landlock is not asked. */
static int listens_at_no_port(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return fd < 0 ? errno : result(listen(fd, 5));
}

static void who_listens_at_no_port_cannot_listen(void **state)
{
    (void)state;
    wish.listens = false;
    assert_int_equal(confined(listens_at_no_port), EPERM);
    assert_int_equal(confined(listens_where_it_may), EPERM);
    assert_int_equal(confined(connects_where_it_may), DONE);
    wish.ranges[0] = (struct confine_range){spare_port, spare_port, true};
    assert_int_equal(confined(listens_where_it_may), DONE);
}

static int opens(int family, int type, int protocol)
{
    int fd = socket(family, type, protocol);
    return fd < 0 ? errno : close(fd);
}

/* To local programs, raw, or by a stream that Landlock does not take for TCP. */
static int speaks_otherwise(void)
{
    static const int KINDS[][3] = {{AF_UNIX, SOCK_STREAM, 0},
                                   {AF_PACKET, SOCK_RAW, 0},
                                   {AF_INET, SOCK_RAW, IPPROTO_ICMP},
                                   {AF_INET, SOCK_STREAM, KIND_MPTCP}};
    for (size_t i = 0; i < countof(KINDS); i++)
        if (opens(KINDS[i][0], KINDS[i][1], KINDS[i][2]) != EPERM)
            return (int)i;
    return EPERM;
}

/* Passed to the keeper, which cannot refuse it, such a socket would hold up whoever closes it. */
static int lingers(void)
{
    struct linger linger = {1, 3600};
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0)
        return DONE;
    return result(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
}

static int speaks_udp(void)
{
    return opens(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0);
}

static int speaks_to_the_kernel(void)
{
    return opens(AF_NETLINK, SOCK_RAW, 0);
}

static void the_network_is_what_was_named(void **state)
{
    (void)state;
    assert_int_equal(confined(connects_elsewhere), EACCES);
    assert_int_equal(confined(sends_before_it_connects), EPERM);
    assert_int_equal(confined(listens_elsewhere), EACCES);
    assert_int_equal(confined(speaks_otherwise), EPERM);
    assert_int_equal(confined(lingers), EPERM);
    assert_int_equal(confined(speaks_udp), EPERM);
    assert_int_equal(confined(speaks_to_the_kernel), EPERM);
}

static int finds_the_resolver(void)
{
    return result(open("/etc/hosts", O_RDONLY));
}

static void names_are_looked_up_only_by_who_has_names(void **state)
{
    (void)state;
    assert_int_equal(confined(finds_the_resolver), EACCES);
    wish.resolves = true;
    assert_int_equal(confined(finds_the_resolver), DONE);
    assert_int_equal(confined(speaks_udp), DONE);
    assert_int_equal(confined(speaks_to_the_kernel), DONE);
    wish = (struct confine_wish){.udp = true};
    assert_int_equal(confined(speaks_udp), DONE);
    assert_int_equal(confined(speaks_to_the_kernel), EPERM);
}

/* ---- Memory and descriptors */

static int takes_a_gigabyte(void)
{
    void *volatile bytes = malloc((size_t)1 << 30);
    return bytes == NULL ? ENOMEM : DONE;
}

static int opens_without_end(void)
{
    for (int i = 0; i < 100000; i++)
        if (open(file, O_RDONLY) < 0)
            return errno;
    return DONE;
}

static void memory_and_descriptors_end(void **state)
{
    (void)state;
    if (!CONFINE_SANITIZED) /* it has no limit there, and malloc() ends the process */
        assert_int_equal(confined(takes_a_gigabyte), ENOMEM);
    assert_int_equal(confined(opens_without_end), EMFILE);
}

static int raises_its_limit(void)
{
    struct rlimit more = {4096, 4096};
    return result(setrlimit(RLIMIT_NOFILE, &more));
}

static void what_is_limited_stays_so(void **state)
{
    (void)state;
    assert_int_not_equal(confined(raises_its_limit), DONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_a_plugin_needs_works, wish_little),
        cmocka_unit_test_setup(no_file_is_written_and_no_foreign_one_read, wish_little),
        cmocka_unit_test_setup(a_file_that_is_named_is_read_and_not_written, wish_little),
        cmocka_unit_test_setup(a_folder_that_is_named_like_a_file_gives_nothing,
                               wish_little),
        cmocka_unit_test_setup(a_device_that_is_named_is_used_also_through_a_link,
                               wish_little),
        cmocka_unit_test_setup(nobody_else_is_run_traced_or_killed, wish_little),
        cmocka_unit_test_setup(threads_only_for_who_needs_them_and_never_a_process,
                               wish_little),
        cmocka_unit_test_setup(no_privilege_is_left_but_for_low_ports, wish_little),
        cmocka_unit_test_setup(the_network_is_what_was_named, wish_little),
        cmocka_unit_test_setup(who_listens_at_no_port_cannot_listen, wish_little),
        cmocka_unit_test_setup(names_are_looked_up_only_by_who_has_names, wish_little),
        cmocka_unit_test_setup(memory_and_descriptors_end, wish_little),
        cmocka_unit_test_setup(what_is_limited_stays_so, wish_little),
    };
    return cmocka_run_group_tests(tests, make_all, remove_all);
}
