/* Connecting: to who is there, who is not, and who does not answer. */
#include "host/lines/dial.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/base.h"
#include "base/now.h"

static struct {
    struct loop *loop;
    struct dial dial;
    int door;
    int port;
    int calls;
    int err;
} bench;

static void over(struct dial *dial, int err)
{
    (void)dial;
    bench.calls++;
    bench.err = err;
}

/* A port of this machine, with room for `backlog` connections nobody takes; -1: nobody listens. */
static void open_door(int backlog)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    bench.door = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(bench.door, (struct sockaddr *)&address, length), 0);
    assert_int_equal(getsockname(bench.door, (struct sockaddr *)&address, &length), 0);
    bench.port = ntohs(address.sin_port);
    if (backlog >= 0)
        assert_int_equal(listen(bench.door, backlog), 0);
}

static int open_all(void **state)
{
    (void)state;
    memset(&bench, 0, sizeof(bench));
    bench.door = -1;
    return loop_open(&bench.loop);
}

static int close_all(void **state)
{
    (void)state;
    dial_stop(&bench.dial);
    loop_close(bench.loop);
    if (bench.door >= 0)
        close(bench.door);
    return 0;
}

static int result_of(int type, const char *host, int timeout_ms)
{
    bench.calls = 0;
    bench.dial.done = over;
    dial_start(bench.loop, &bench.dial, type, host, bench.port, timeout_ms);
    assert_int_equal(bench.calls, 0);
    while (bench.calls == 0)
        loop_turn(bench.loop);
    assert_int_equal(bench.calls, 1);
    return bench.err;
}

static void who_listens_is_reached(void **state)
{
    (void)state;
    open_door(1);
    assert_int_equal(result_of(SOCK_STREAM, "127.0.0.1", 1000), 0);
    assert_true(fcntl(bench.dial.fd, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(bench.dial.fd, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(address_port(&bench.dial.peer), bench.port);
    close(bench.dial.fd);
    assert_int_equal(result_of(SOCK_STREAM, "localhost", 1000), 0);
    close(bench.dial.fd);
    assert_int_equal(result_of(SOCK_DGRAM, "localhost", 1000), 0);
    close(bench.dial.fd);
}

static void who_does_not_listen_refuses(void **state)
{
    (void)state;
    open_door(-1);
    int err = result_of(SOCK_STREAM, "127.0.0.1", 1000);
    assert_string_equal(dial_code(err), "refused");
}

/* A full queue answers nobody any more. */
static void who_does_not_answer_is_given_up_in_time(void **state)
{
    int fds[3];
    (void)state;
    open_door(0);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)bench.port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (size_t i = 0; i < countof(fds); i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        connect(fds[i], (struct sockaddr *)&address, sizeof(address));
    }
    int64_t begun_us = now_mono_us();
    int err = result_of(SOCK_STREAM, "127.0.0.1", 100);
    assert_string_equal(dial_code(err), "timeout");
    assert_in_range(now_mono_us() - begun_us, 90 * 1000, 60 * 1000 * 1000);
    for (size_t i = 0; i < countof(fds); i++)
        close(fds[i]);
}

static void a_name_that_takes_too_long_is_given_up_in_time(void **state)
{
    (void)state;
    bench.dial.resolve.hosts = "/dev/null/none";
    bench.dial.resolve.servers = "/dev/null/none";
    assert_string_equal(dial_code(result_of(SOCK_STREAM, "far.example", 1000)),
                        "resolve");
    assert_string_equal(dial_code(result_of(SOCK_STREAM, "a..b", 1000)), "resolve");
}

static void stopping_closes_what_was_begun(void **state)
{
    (void)state;
    open_door(1);
    bench.dial.done = over;
    dial_start(bench.loop, &bench.dial, SOCK_STREAM, "127.0.0.1", bench.port, 1000);
    loop_turn(bench.loop);
    bool was_trying = bench.dial.is_trying;
    int fd = bench.dial.fd;
    dial_stop(&bench.dial);
    dial_stop(&bench.dial);
    assert_true(was_trying);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    assert_int_equal(bench.calls, 0);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, open_all, close_all)
    const struct CMUnitTest tests[] = {
        WITH(who_listens_is_reached),
        WITH(who_does_not_listen_refuses),
        WITH(who_does_not_answer_is_given_up_in_time),
        WITH(a_name_that_takes_too_long_is_given_up_in_time),
        WITH(stopping_closes_what_was_begun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
