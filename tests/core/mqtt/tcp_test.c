#include "mqtt/tcp.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

/* A socket on the way to a loopback port that listens, or to one where nobody does. */
static int on_the_way(bool somebody, int *listener)
{
    struct sockaddr_in where = {.sin_family = AF_INET};
    socklen_t length = sizeof(where);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(*listener, (struct sockaddr *)&where, length), 0);
    assert_int_equal(getsockname(*listener, (struct sockaddr *)&where, &length), 0);
    if (somebody)
        assert_int_equal(listen(*listener, 1), 0);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    (void)!connect(fd, (struct sockaddr *)&where, length);
    struct pollfd ready = {.fd = fd, .events = POLLOUT};
    assert_int_equal(poll(&ready, 1, -1), 1);
    assert_true(ready.revents & POLLOUT);
    return fd;
}

static void a_refused_connection_is_writable_but_not_connected(void **state)
{
    (void)state;
    for (int somebody = 0; somebody < 2; somebody++) {
        int listener, fd = on_the_way(somebody, &listener);
        assert_int_equal(tcp_is_connected(fd), somebody);
        close(fd);
        close(listener);
    }
    assert_false(tcp_is_connected(-1));
}

static void unacknowledged_bytes_end_a_connection(void **state)
{
    int listener, fd = on_the_way(true, &listener);
    unsigned stall = 0;
    socklen_t length = sizeof(stall);
    (void)state;
    tcp_tune(fd, 5000);
    tcp_acknowledge_now(fd);
    assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &stall, &length), 0);
    assert_int_equal(stall, 5000);
    tcp_tune(-1, 5000);
    tcp_acknowledge_now(-1);
    close(fd);
    close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refused_connection_is_writable_but_not_connected),
        cmocka_unit_test(unacknowledged_bytes_end_a_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
