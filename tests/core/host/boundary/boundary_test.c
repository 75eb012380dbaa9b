/* A device that comes later, goes, or is another one, and ranges of ports: each in a process that is
 * confined for good. */
#include "host/boundary/boundary.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/base.h"

enum {
    UNCONFINED = 200,
    OLD_KERNEL,
    STILL = 0,
    MOVED = 1,
    LOOKS = 3,
    LANDLOCK_NETWORK = 4
};

static char folder[] = "/tmp/boundary-test-XXXXXX";
static char line[64]; /* a symlink to a terminal, as under /dev/serial/by-id */
static const char *needs = "[]";
static int moves;

static int open_terminal(void)
{
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_int_equal(grantpt(fd), 0);
    assert_int_equal(unlockpt(fd), 0);
    return fd;
}

static void plug_in(int terminal)
{
    unlink(line);
    assert_int_equal(symlink(ptsname(terminal), line), 0);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static int name_line(void **state)
{
    (void)state;
    snprintf(line, sizeof(line), "%s/adapter", folder);
    return 0;
}

static int unplug(void **state)
{
    (void)state;
    unlink(line);
    return 0;
}

static void note_move(void *owner, const char *path)
{
    (void)owner;
    moves += strcmp(path, line) == 0 ? 1 : 100;
}

/* Looks without waiting for the time to come. */
static void look_often(struct boundary *boundary)
{
    for (int i = 0; i < LOOKS && loop_timer_is_running(&boundary->look); i++) {
        loop_timer_stop(&boundary->look);
        boundary->look.fire(&boundary->look);
    }
}

/* In a child: raises a boundary, says so, waits until the parent has changed the world, and looks. */
static int live(const char *config, int said, int heard)
{
    struct boundary boundary = {.moved = note_move};
    char start[300], byte;
    snprintf(
        start, sizeof(start),
        "{\"folder\":\"%s\",\"lua\":\"%s\",\"needs\":%s,\"config\":{\"url\":\"%s\"}}",
        folder, folder, needs, config);
    if (loop_open(&boundary.loop) != 0 ||
        boundary_raise(&boundary, start, strlen(start)) != NULL)
        return UNCONFINED;
    if ((boundary.count > 0) != loop_timer_is_running(&boundary.look))
        return UNCONFINED;
    if (write(said, "x", 1) != 1 || read(heard, &byte, 1) != 1)
        return UNCONFINED;
    look_often(&boundary);
    boundary_close(&boundary);
    loop_close(boundary.loop);
    return moves;
}

static int terminals[2];

/* What a process says that named the line, when `change` happens while it runs. */
static int lives_through(const char *config, void (*change)(void))
{
    int down[2], up[2], status;
    char byte;
    assert_int_equal(pipe(down), 0);
    assert_int_equal(pipe(up), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(terminals[0]); /* the parent's alone to pull out */
        close(terminals[1]);
        _exit(live(config, up[1], down[0]));
    }
    close(up[1]);
    if (read(up[0], &byte, 1) == 1) {
        change();
        assert_int_equal(write(down[1], "x", 1), 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    close(up[0]);
    close(down[0]);
    close(down[1]);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void nothing(void)
{
}

static void plug_in_first(void)
{
    plug_in(terminals[0]);
}

static void plug_in_second(void)
{
    plug_in(terminals[1]);
}

static void pull_out(void)
{
    close(terminals[0]); /* the link leads to nothing */
}

/* The number of a terminal is given again at once. */
static void plug_out_and_in(void)
{
    close(terminals[0]);
    terminals[0] = open_terminal();
    plug_in(terminals[0]);
}

static void begin_line(bool is_in)
{
    terminals[0] = open_terminal();
    terminals[1] = open_terminal();
    if (is_in)
        plug_in(terminals[0]);
}

static void end_line(void)
{
    close(terminals[0]);
    close(terminals[1]);
}

static const char *url(void)
{
    static char text[100];
    snprintf(text, sizeof(text), "modbus-rtu://%s?baud=9600", line);
    return text;
}

static void what_stays_where_it_was_is_no_news(void **state)
{
    (void)state;
    begin_line(true);
    assert_int_equal(lives_through(url(), nothing), STILL);
    assert_int_equal(lives_through(url(), plug_in_first), STILL); /* the same one again */
    end_line();
}

static void a_device_that_comes_later_is_told_once(void **state)
{
    (void)state;
    begin_line(false);
    assert_int_equal(lives_through(url(), plug_in_first), MOVED);
    end_line();
}

static void a_device_that_is_plugged_in_again_is_another_one(void **state)
{
    (void)state;
    begin_line(true);
    assert_int_equal(lives_through(url(), plug_out_and_in), MOVED);
    plug_in(terminals[0]);
    assert_int_equal(lives_through(url(), plug_in_second), MOVED);
    end_line();
}

static void a_device_that_goes_is_no_news(void **state)
{
    (void)state;
    begin_line(true);
    assert_int_equal(lives_through(url(), pull_out), STILL);
    close(terminals[1]);
}

/* ---- Folders, for who reads them: a disk that is plugged in later is another folder */

static void make_disk(void)
{
    assert_int_equal(mkdir(line, 0700), 0);
}

static void remove_disk(void)
{
    assert_int_equal(rmdir(line), 0);
}

/* Whose number on the disk may be the same. */
static void exchange_disk(void)
{
    remove_disk();
    make_disk();
}

static int need_folders(void **state)
{
    needs = "[\"folder\"]";
    return name_line(state);
}

static int need_nothing(void **state)
{
    char path[100];
    needs = "[]";
    snprintf(path, sizeof(path), "%s/clip", line);
    unlink(path);
    rmdir(line);
    return unplug(state);
}

static void a_folder_that_comes_later_or_is_another_one_is_told(void **state)
{
    (void)state;
    begin_line(false);
    assert_int_equal(lives_through(line, make_disk), MOVED);
    assert_int_equal(lives_through(line, nothing), STILL);
    assert_int_equal(lives_through(line, exchange_disk), MOVED);
    assert_int_equal(lives_through(line, remove_disk), STILL);
    end_line();
}

static void a_folder_means_nothing_to_who_reads_none(void **state)
{
    (void)state;
    needs = "[]";
    begin_line(false);
    assert_int_equal(lives_through(line, make_disk), STILL);
    assert_int_equal(lives_through(line, exchange_disk), STILL);
    end_line();
}

/* What lies below is read, and nothing is made there. */
static bool write_and_read_in_disk(void)
{
    char path[100], byte;
    snprintf(path, sizeof(path), "%s/clip", line);
    int fd = open(path, O_RDONLY);
    bool is_read = fd >= 0 && read(fd, &byte, 1) == 1 && byte == 'x';
    return is_read && open(path, O_WRONLY) < 0 && mkdir(line, 0700) < 0 &&
           open(path, O_RDWR | O_CREAT, 0600) < 0;
}

static void put_clip(void)
{
    char path[100];
    snprintf(path, sizeof(path), "%s/clip", line);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs("x", out);
    fclose(out);
}

/* Nobody holds it: a disk can be unmounted while a plugin reads it. */
static void a_folder_is_known_and_not_held(void **state)
{
    struct boundary boundary = {.moved = note_move};
    (void)state;
    assert_null(*boundary_roots(NULL));
    assert_null(*boundary_roots(&boundary));
    make_disk();
    put_clip();
    pid_t pid = fork();
    if (pid == 0) {
        char start[300];
        snprintf(start, sizeof(start),
                 "{\"folder\":\"%s\",\"lua\":\"%s\",\"needs\":%s,\"config\":[\"%s\"]}",
                 folder, folder, needs, line);
        if (loop_open(&boundary.loop) != 0 ||
            boundary_raise(&boundary, start, strlen(start)) != NULL)
            _exit(UNCONFINED);
        const char *const *roots = boundary_roots(&boundary);
        bool is_read = write_and_read_in_disk();
        bool is_root =
            is_read && roots[0] != NULL && strcmp(roots[0], line) == 0 && !roots[1];
        _exit(is_root && boundary.count == 1 && boundary.places[0].fd < 0 ? STILL
                                                                          : MOVED);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void who_names_no_file_is_never_woken(void **state)
{
    (void)state;
    begin_line(false);
    assert_int_equal(lives_through("tcp://10.0.0.5:99", plug_in_first), STILL);
    end_line();
}

static void who_names_too_much_is_not_confined(void **state)
{
    struct boundary boundary = {0};
    char start[600] = "{\"folder\":\"/p\",\"lua\":\"/l\",\"config\":[\"x\"";
    (void)state;
    for (int i = 0; i <= CONFINE_PATHS_MAX; i++)
        snprintf(start + strlen(start), sizeof(start) - strlen(start), ",\"/dev/tty%d\"",
                 i);
    strcat(start, "]}");
    assert_non_null(
        strstr(boundary_raise(&boundary, start, strlen(start)), "more files"));
    assert_non_null(strstr(boundary_raise(&boundary, "{}", 2), "START: expected"));
}

/* ---- Ranges of ports: connected to or listened at, whichever was wished, and nothing beside them */

static int listeners[2];
static uint16_t ports[2]; /* where somebody listens */
static struct confine_wish wish;

static int listen_anywhere(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t length = sizeof(address);
        listeners[i] = socket(AF_INET, SOCK_STREAM, 0);
        if (bind(listeners[i], (struct sockaddr *)&address, length) != 0 ||
            listen(listeners[i], 5) != 0 ||
            getsockname(listeners[i], (struct sockaddr *)&address, &length) != 0)
            return -1;
        ports[i] = ntohs(address.sin_port);
    }
    return 0;
}

static int stop_listening(void **state)
{
    (void)state;
    return close(listeners[0]) + close(listeners[1]);
}

static int try(uint16_t port, bool listens)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int done = listens ? bind(fd, (struct sockaddr *)&address, sizeof(address))
                       : connect(fd, (struct sockaddr *)&address, sizeof(address));
    return done == 0 ? 0 : errno;
}

/* What a confined process is answered: 0 or an errno. */
static int confined(uint16_t port, bool listens)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        struct confine told;
        if (confine(&told, &wish) != 0)
            _exit(UNCONFINED);
        _exit(told.landlock < LANDLOCK_NETWORK ? OLD_KERNEL : try(port, listens));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) != UNCONFINED);
    if (WEXITSTATUS(status) == OLD_KERNEL) {
        print_message("skipped: this kernel does not confine ports\n");
        skip();
    }
    return WEXITSTATUS(status);
}

static void a_range_is_connected_to_or_listened_at_and_not_both(void **state)
{
    (void)state;
    wish = (struct confine_wish){.ranges = {{(uint16_t)(ports[0] - 1), ports[0], false}}};
    assert_int_equal(confined(ports[0], false), 0);
    assert_int_equal(confined(ports[0], true), EACCES);
    wish.ranges[0].listens = true;
    assert_int_equal(confined(ports[0], false), EACCES);
    assert_int_equal(confined(ports[0], true), EADDRINUSE);
}

static void a_port_beside_it_is_not_reached(void **state)
{
    (void)state;
    wish = (struct confine_wish){.ranges = {{ports[0], ports[0], false}}};
    assert_int_equal(confined(ports[1], false), EACCES);
    assert_int_equal(confined(ports[1], true), EACCES);
}

static void all_ports_can_be_a_range(void **state)
{
    (void)state;
    wish = (struct confine_wish){.ranges = {{1024, 65535, false}}};
    assert_int_equal(confined(ports[0], false), 0);
    assert_int_equal(confined(ports[1], false), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_stays_where_it_was_is_no_news, name_line,
                                        unplug),
        cmocka_unit_test_setup_teardown(a_device_that_comes_later_is_told_once, name_line,
                                        unplug),
        cmocka_unit_test_setup_teardown(a_device_that_is_plugged_in_again_is_another_one,
                                        name_line, unplug),
        cmocka_unit_test_setup_teardown(a_device_that_goes_is_no_news, name_line, unplug),
        cmocka_unit_test_setup_teardown(who_names_no_file_is_never_woken, name_line,
                                        unplug),
        cmocka_unit_test_setup_teardown(
            a_folder_that_comes_later_or_is_another_one_is_told, need_folders,
            need_nothing),
        cmocka_unit_test_setup_teardown(a_folder_means_nothing_to_who_reads_none,
                                        need_folders, need_nothing),
        cmocka_unit_test_setup_teardown(a_folder_is_known_and_not_held, need_folders,
                                        need_nothing),
        cmocka_unit_test(who_names_too_much_is_not_confined),
        cmocka_unit_test_setup_teardown(
            a_range_is_connected_to_or_listened_at_and_not_both, listen_anywhere,
            stop_listening),
        cmocka_unit_test_setup_teardown(a_port_beside_it_is_not_reached, listen_anywhere,
                                        stop_listening),
        cmocka_unit_test_setup_teardown(all_ports_can_be_a_range, listen_anywhere,
                                        stop_listening),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
