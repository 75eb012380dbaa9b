/* Sockets that a library has open: who is hung up on, and who is not. */
#include "host/files/fetch_sockets.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/base.h"

static struct fetch_sockets sockets;
static int listener;

/* One that can be shut down: it has a far end, which nobody has accepted. */
static int open_one(const void *opener)
{
    struct sockaddr_in there = {.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(there);
    int fd = fetch_sockets_open(&sockets, AF_INET, SOCK_STREAM, 0, opener);
    if (fd < 0)
        return fd;
    assert_int_equal(getsockname(listener, (struct sockaddr *)&there, &length), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&there, sizeof(there)), 0);
    return fd;
}

/* A socket that was shut down reads an end, others have nothing to read yet. */
static bool is_shut(int fd)
{
    char byte;
    return recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
}

static void one_that_ends_hangs_up_on_its_own_only(void **state)
{
    int one, other;
    (void)state;
    fetch_sockets_init(&sockets);
    int mine = open_one(&one), yours = open_one(&other);
    fetch_sockets_shut(&sockets, &one);
    assert_true(is_shut(mine) && !is_shut(yours));
    fetch_sockets_shut_all(&sockets);
    assert_true(is_shut(yours));
    assert_int_equal(fetch_sockets_close(&sockets, mine), 0);
    assert_int_equal(fetch_sockets_close(&sockets, yours), 0);
}

static void one_that_opened_none_hangs_up_on_those_whose_opener_is_gone(void **state)
{
    int one, other, third;
    (void)state;
    fetch_sockets_init(&sockets);
    int old = open_one(&one), yours = open_one(&other);
    fetch_sockets_leave(&sockets, &one);
    fetch_sockets_shut(&sockets, &third);
    assert_true(is_shut(old) && !is_shut(yours));
    fetch_sockets_close(&sockets, old);
    fetch_sockets_close(&sockets, yours);
}

static void one_more_than_there_is_room_for_is_refused_until_one_is_closed(void **state)
{
    int fds[FETCH_SOCKETS_MAX];
    (void)state;
    fetch_sockets_init(&sockets);
    for (size_t i = 0; i < countof(fds); i++)
        assert_true((fds[i] = open_one(fds)) >= 0);
    assert_int_equal(open_one(fds), -1);
    assert_int_equal(fetch_sockets_close(&sockets, fds[7]), 0);
    assert_true((fds[7] = open_one(fds)) >= 0);
    for (size_t i = 0; i < countof(fds); i++)
        fetch_sockets_close(&sockets, fds[i]);
}

static int listen_here(void **state)
{
    (void)state;
    listener = socket(AF_INET, SOCK_STREAM, 0);
    return listen(listener, 2 * FETCH_SOCKETS_MAX);
}

static int hear_no_more(void **state)
{
    (void)state;
    return close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_ends_hangs_up_on_its_own_only),
        cmocka_unit_test(one_that_opened_none_hangs_up_on_those_whose_opener_is_gone),
        cmocka_unit_test(one_more_than_there_is_room_for_is_refused_until_one_is_closed),
    };
    return cmocka_run_group_tests(tests, listen_here, hear_no_more);
}
