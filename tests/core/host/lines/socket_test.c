/* What sockets of plugins are set to. */
#include "host/lines/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

static int option_of(int fd, int level, int name)
{
    int value = -1;
    socklen_t length = sizeof(value);
    assert_int_equal(getsockopt(fd, level, name, &value, &length), 0);
    return value;
}

static void a_dead_peer_is_found_in_the_time_named(void **state)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    (void)state;
    socket_tune(fd, true, 60 * 1000);
    assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_NODELAY), 1);
    assert_int_equal(option_of(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
    int idle = option_of(fd, IPPROTO_TCP, TCP_KEEPIDLE);
    int every = option_of(fd, IPPROTO_TCP, TCP_KEEPINTVL);
    int probes = option_of(fd, IPPROTO_TCP, TCP_KEEPCNT);
    assert_int_equal(idle + every * probes, 60);
    assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 60 * 1000);
    socket_tune(fd, false, 3 * 1000);
    assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_NODELAY), 0);
    assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_KEEPINTVL), 1);
    close(fd);
}

static void a_port_is_bound_once(void **state)
{
    struct address address;
    int first, second;
    (void)state;
    assert_int_equal(address_parse(&address, "127.0.0.1", 0), 0);
    assert_int_equal(socket_bind(&first, &address, SOCK_STREAM, 5), 0);
    assert_true(fcntl(first, F_GETFL) & O_NONBLOCK);
    assert_int_equal(address_parse(&address, "127.0.0.1", socket_port(first)), 0);
    assert_int_equal(socket_bind(&second, &address, SOCK_STREAM, 5), -EADDRINUSE);
    close(first);
    assert_int_equal(socket_bind(&second, &address, SOCK_STREAM, 5), 0);
    close(second);
    assert_int_equal(address_parse(&address, "192.0.2.1", 0), 0);
    assert_int_equal(socket_bind(&second, &address, SOCK_DGRAM, 0), -EADDRNOTAVAIL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dead_peer_is_found_in_the_time_named),
        cmocka_unit_test(a_port_is_bound_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
