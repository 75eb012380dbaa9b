/* A descriptor goes along with its datagram; who did not ask for it does not keep it. */
#include "wire/rights.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

enum { PIPES = 3 };

/* Two ends, and pipes: only as long as somebody has the writing end, reading waits. */
static int ends[2], reads[PIPES], writes[PIPES];

static int open_ends(void **state)
{
    (void)state;
    for (int i = 0; i < PIPES; i++) {
        int fds[2];
        if (pipe(fds) != 0 || fcntl(fds[0], F_SETFL, O_NONBLOCK) != 0)
            return -1;
        reads[i] = fds[0];
        writes[i] = fds[1];
    }
    return socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends);
}

static int close_ends(void **state)
{
    (void)state;
    for (int i = 0; i < PIPES; i++) {
        close(reads[i]);
        if (writes[i] >= 0)
            close(writes[i]);
    }
    close(ends[0]);
    if (ends[1] >= 0)
        close(ends[1]);
    return 0;
}

static void let_go(int which)
{
    close(writes[which]);
    writes[which] = -1;
}

static bool has_writer(int which)
{
    char byte;
    return read(reads[which], &byte, 1) < 0 && errno == EAGAIN;
}

static void a_descriptor_comes_with_its_datagram(void **state)
{
    (void)state;
    char room[8];
    int fd;
    assert_int_equal(rights_send(ends[0], "one", 3, -1), 0);
    assert_int_equal(rights_send(ends[0], "two", 3, writes[0]), 0);
    assert_true(fcntl(writes[0], F_GETFD) >= 0); /* it stays the sender's */
    let_go(0);
    assert_int_equal(rights_receive(ends[1], room, sizeof(room), &fd), 3);
    assert_int_equal(fd, -1);
    assert_int_equal(rights_receive(ends[1], room, sizeof(room), &fd), 3);
    assert_memory_equal(room, "two", 3);
    assert_true(fd >= 0);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_true(has_writer(0));
    close(fd);
    assert_false(has_writer(0));
}

static void a_long_datagram_tells_its_length_and_brings_its_descriptor(void **state)
{
    (void)state;
    char room[2];
    int fd;
    assert_int_equal(rights_send(ends[0], "four", 4, writes[0]), 0);
    assert_int_equal(rights_receive(ends[1], room, sizeof(room), &fd), 4);
    let_go(0);
    assert_true(has_writer(0));
    close(fd);
}

/* More than anybody has agreed to. */
static void send_many(size_t count)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(PIPES * sizeof(int))];
    } beside = {0};
    struct iovec part = {(char[]){"x"}, 1};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = beside.room,
                             .msg_controllen = CMSG_SPACE(count * sizeof(int))};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(head), writes, count * sizeof(int));
    assert_int_equal(sendmsg(ends[0], &message, 0), 1);
    for (int i = 0; i < (int)count; i++)
        let_go(i);
}

static void of_several_descriptors_one_comes_and_no_other_stays(void **state)
{
    char room[8];
    int fd;
    (void)state;
    for (size_t count = 2; count <= PIPES; count++) {
        send_many(count);
        assert_int_equal(rights_receive(ends[1], room, sizeof(room), &fd), 1);
        assert_true(has_writer(0));
        for (int i = 1; i < (int)count; i++)
            assert_false(has_writer(i));
        close(fd);
        assert_int_equal(close_ends(NULL), 0);
        assert_int_equal(open_ends(NULL), 0);
    }
}

static void nothing_ever_waits(void **state)
{
    (void)state;
    char room[8];
    int fd, err;
    assert_int_equal(rights_receive(ends[1], room, sizeof(room), &fd), -EAGAIN);
    assert_int_equal(fd, -1);
    while ((err = rights_send(ends[0], room, sizeof(room), writes[0])) == 0)
        ;
    assert_true(err == -EAGAIN || err == -ETOOMANYREFS);
}

static void an_end_that_is_gone_is_said(void **state)
{
    (void)state;
    char room[8];
    int fd;
    close(ends[1]);
    ends[1] = -1;
    assert_int_equal(rights_send(ends[0], "x", 1, writes[0]), -EPIPE);
    assert_int_equal(rights_receive(ends[0], room, sizeof(room), &fd), 0);
    assert_int_equal(fd, -1);
}

#define between_ends(test) cmocka_unit_test_setup_teardown(test, open_ends, close_ends)

static void an_end_that_refuses_them_gets_datagrams_without(void **state)
{
    char byte;
    int brought;
    (void)state;
    if (rights_refuse(ends[1]) != 0)
        skip(); /* an older system */
    assert_int_equal(rights_send(ends[0], "a", 1, writes[0]), -EPERM);
    assert_int_equal(rights_send(ends[0], "b", 1, -1), 0);
    assert_int_equal(rights_receive(ends[1], &byte, 1, &brought), 1);
    assert_int_equal(byte, 'b');
    assert_int_equal(brought, -1);
    assert_int_equal(rights_send(ends[1], "c", 1, writes[0]), 0); /* the other way */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        between_ends(a_descriptor_comes_with_its_datagram),
        between_ends(an_end_that_refuses_them_gets_datagrams_without),
        between_ends(a_long_datagram_tells_its_length_and_brings_its_descriptor),
        between_ends(of_several_descriptors_one_comes_and_no_other_stays),
        between_ends(nothing_ever_waits),
        between_ends(an_end_that_is_gone_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
