/* UDP between a port of ours and the test's. */
#include "host/lines/datagram.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/base.h"
#include "host/lines/socket.h"

static struct {
    struct loop *loop;
    struct datagram port;
    struct address at, far_at;
    int far;
    int calls;
} bench;

static void came(struct datagram *datagram)
{
    (void)datagram;
    bench.calls++;
}

static int bound(struct address *at)
{
    int fd;
    assert_int_equal(address_parse(at, "127.0.0.1", 0), 0);
    assert_int_equal(socket_bind(&fd, at, SOCK_DGRAM, 0), 0);
    assert_int_equal(address_parse(at, "127.0.0.1", socket_port(fd)), 0);
    return fd;
}

static int open_all(void **state)
{
    (void)state;
    memset(&bench, 0, sizeof(bench));
    assert_int_equal(loop_open(&bench.loop), 0);
    bench.far = bound(&bench.far_at);
    bench.port.came = came;
    datagram_open(&bench.port, bench.loop, bound(&bench.at), false);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    datagram_drop(&bench.port);
    close(bench.far);
    loop_close(bench.loop);
    return 0;
}

static void say(const void *bytes, size_t length)
{
    assert_int_equal(
        sendto(bench.far, bytes, length, 0, &bench.at.is.any, bench.at.length), length);
}

static int wait_result(int64_t timeout_ms)
{
    int err = datagram_wait(&bench.port, timeout_ms);
    while (err == -EINPROGRESS && bench.calls == 0)
        loop_turn(bench.loop);
    bench.calls = 0;
    return err == -EINPROGRESS ? bench.port.err : err;
}

static void a_message_comes_whole_with_its_sender(void **state)
{
    char room[16];
    struct address from;
    uint32_t lost;
    (void)state;
    assert_int_equal(datagram_take(&bench.port, room, sizeof(room), &from, &lost),
                     -EAGAIN);
    say("one", 3);
    say("", 0);
    assert_int_equal(wait_result(1000), 0);
    assert_int_equal(datagram_take(&bench.port, room, sizeof(room), &from, &lost), 3);
    assert_memory_equal(room, "one", 3);
    assert_int_equal(address_port(&from), address_port(&bench.far_at));
    assert_int_equal(datagram_take(&bench.port, room, sizeof(room), &from, &lost), 0);
}

static void one_that_is_too_long_is_gone(void **state)
{
    char room[4];
    struct address from;
    uint32_t lost;
    (void)state;
    say("12345", 5);
    say("1234", 4);
    assert_int_equal(datagram_take(&bench.port, room, sizeof(room), &from, &lost),
                     -EMSGSIZE);
    assert_int_equal(datagram_take(&bench.port, room, sizeof(room), &from, &lost), 4);
}

static void what_the_kernel_has_no_room_for_is_counted(void **state)
{
    static char much[16 * 1024];
    struct address from;
    uint32_t lost, all = 0;
    int heard = 0;
    (void)state;
    for (int i = 0; i < 200; i++)
        say(much, sizeof(much));
    for (int round = 0; round < 2; round++) { /* the next one tells how many were lost */
        while (datagram_take(&bench.port, much, sizeof(much), &from, &lost) >= 0) {
            heard++;
            all += lost;
        }
        if (round == 0)
            say("x", 1);
    }
    assert_true(heard < 100);
    assert_int_equal((uint32_t)heard + all, 201);
}

static void nothing_in_time_is_told(void **state)
{
    (void)state;
    assert_int_equal(wait_result(10), -ETIMEDOUT);
    assert_int_equal(datagram_wait(&bench.port, 1000), -EINPROGRESS);
    assert_int_equal(datagram_wait(&bench.port, 1000), -EBUSY);
    datagram_close(&bench.port);
    assert_int_equal(bench.calls, 0);
    while (bench.calls == 0)
        loop_turn(bench.loop);
    assert_int_equal(bench.port.err, -ECANCELED);
    assert_int_equal(datagram_wait(&bench.port, 1000), -ECANCELED);
    assert_int_equal(datagram_send(&bench.port, "x", 1, &bench.far_at), -ECANCELED);
}

static void a_message_is_sent(void **state)
{
    char room[8] = "";
    static char much[DATAGRAM_MAX + 1];
    (void)state;
    assert_int_equal(datagram_send(&bench.port, "hello", 5, &bench.far_at), 0);
    assert_int_equal(recv(bench.far, room, sizeof(room), 0), 5);
    assert_string_equal(room, "hello");
    assert_int_equal(datagram_send(&bench.port, much, sizeof(much), &bench.far_at),
                     -EMSGSIZE);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, open_all, close_all)
    const struct CMUnitTest tests[] = {
        WITH(a_message_comes_whole_with_its_sender),
        WITH(one_that_is_too_long_is_gone),
        WITH(what_the_kernel_has_no_room_for_is_counted),
        WITH(nothing_in_time_is_told),
        WITH(a_message_is_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
