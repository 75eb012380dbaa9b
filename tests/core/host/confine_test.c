/* The boundary: what an attack gets from the kernel, and that what a plugin needs still works. Each in
 * a process of its own. */
#include "host/confine.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/base.h"

enum { DONE = 0, KILLED = 1000 };

static char folder[] = "/tmp/confine-test-XXXXXX";
static char file[64];
static uint16_t open_port, other_port;
static int listeners[2];

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

static int make_all(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(file, sizeof(file), "%s/plugin.lua", folder);
    FILE *out = fopen(file, "w");
    fputs("return {}", out);
    fclose(out);
    open_port = listen_anywhere(&listeners[0]);
    other_port = listen_anywhere(&listeners[1]);
    return 0;
}

static int remove_all(void **state)
{
    (void)state;
    unlink(file);
    close(listeners[0]);
    close(listeners[1]);
    return rmdir(folder);
}

/* What it answers behind the boundary: its result (0 or an errno), or KILLED. */
static int confined(int (*attack)(void))
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        struct confine told;
        struct confine_wish wish = {.folders = {folder}, .ports = {open_port}};
        if (confine(&told, &wish) != 0)
            _exit(200);
        _exit(attack());
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status))
        return KILLED;
    assert_int_not_equal(WEXITSTATUS(status), 200);
    return WEXITSTATUS(status);
}

static int result(long done)
{
    return done < 0 ? errno : DONE;
}

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

static void what_a_plugin_needs_works(void **state)
{
    (void)state;
    assert_int_equal(confined(reads_its_folder), DONE);
    assert_int_equal(confined(takes_and_gives_memory), DONE);
    assert_int_equal(confined(connects_where_it_may), DONE);
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
    assert_int_equal(confined(writes_beside_its_file), EACCES);
    assert_int_equal(confined(writes_its_file), EACCES);
    assert_int_equal(confined(shortens_its_file), EPERM);
    assert_int_equal(confined(removes_its_file), EPERM);
}

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

static void nobody_else_is_run_traced_or_killed(void **state)
{
    (void)state;
    assert_int_equal(confined(forks), EPERM);
    assert_int_equal(confined(runs_a_program), KILLED);
    assert_int_equal(confined(traces), KILLED);
    assert_int_equal(confined(kills_its_parent), EPERM);
    assert_int_equal(confined(kills_everybody), EPERM);
}

static int connects_elsewhere(void)
{
    return connect_to(other_port);
}

static int listens(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return result(bind(fd, (struct sockaddr *)&address, sizeof(address)));
}

static int speaks_to_local_programs(void)
{
    return result(socket(AF_UNIX, SOCK_STREAM, 0));
}

static int speaks_raw(void)
{
    return result(socket(AF_PACKET, SOCK_RAW, 0));
}

static void the_network_is_what_was_named(void **state)
{
    (void)state;
    assert_int_equal(confined(connects_elsewhere), EACCES);
    assert_int_equal(confined(listens), EACCES);
    assert_int_equal(confined(speaks_to_local_programs), EPERM);
    assert_int_equal(confined(speaks_raw), EPERM);
}

static int makes_memory_to_run(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? errno : DONE;
}

static int makes_memory_runnable(void)
{
    void *page =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return result(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}

static int takes_a_gigabyte(void)
{
    return malloc((size_t)1 << 30) == NULL ? ENOMEM : DONE;
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
    assert_int_equal(confined(makes_memory_to_run), EPERM);
    assert_int_equal(confined(makes_memory_runnable), EPERM);
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
        cmocka_unit_test(what_a_plugin_needs_works),
        cmocka_unit_test(no_file_is_written_and_no_foreign_one_read),
        cmocka_unit_test(nobody_else_is_run_traced_or_killed),
        cmocka_unit_test(the_network_is_what_was_named),
        cmocka_unit_test(memory_and_descriptors_end),
        cmocka_unit_test(what_is_limited_stays_so),
    };
    return cmocka_run_group_tests(tests, make_all, remove_all);
}
