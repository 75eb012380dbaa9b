/* Bytes over socket pairs, TCP and pseudo terminals, with the other end in the test's own hands. */
#include "host/lines/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/base.h"
#include "base/now.h"

enum { FOREVER_MS = 60 * 1000, TURNS_MAX = 2000 };

static struct {
    struct loop *loop;
    struct stream stream;
    int far; /* the other end */
    int reads, writes;
} bench;

static void read_over(struct stream *stream)
{
    (void)stream;
    bench.reads++;
}

static void write_over(struct stream *stream)
{
    (void)stream;
    bench.writes++;
}

static void take_over(int fd, int far, bool is_socket)
{
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    bench.far = far;
    bench.stream.read_over = read_over;
    bench.stream.write_over = write_over;
    stream_open(&bench.stream, bench.loop, fd, is_socket);
}

static int open_pair(void **state)
{
    int ends[2];
    (void)state;
    memset(&bench, 0, sizeof(bench));
    assert_int_equal(loop_open(&bench.loop), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    take_over(ends[0], ends[1], true);
    return 0;
}

static int open_terminal(void **state)
{
    struct termios raw;
    (void)state;
    memset(&bench, 0, sizeof(bench));
    assert_int_equal(loop_open(&bench.loop), 0);
    int far = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(far >= 0 && grantpt(far) == 0 && unlockpt(far) == 0);
    int fd = open(ptsname(far), O_RDWR | O_NOCTTY);
    assert_true(fd >= 0 && tcgetattr(fd, &raw) == 0);
    cfmakeraw(&raw);
    assert_int_equal(tcsetattr(fd, TCSANOW, &raw), 0);
    take_over(fd, far, false);
    return 0;
}

/* Connected over TCP, with small buffers. */
static int open_tcp(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    int little = 8192;
    (void)state;
    memset(&bench, 0, sizeof(bench));
    assert_int_equal(loop_open(&bench.loop), 0);
    int door = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &little, sizeof(little));
    setsockopt(door, SOL_SOCKET, SO_RCVBUF, &little, sizeof(little));
    assert_int_equal(bind(door, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(door, 1), 0);
    assert_int_equal(getsockname(door, (struct sockaddr *)&address, &length), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, length), 0);
    int far = accept(door, NULL, NULL);
    close(door);
    take_over(fd, far, true);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    stream_drop(&bench.stream);
    if (bench.far >= 0)
        close(bench.far);
    loop_close(bench.loop);
    return 0;
}

static void say(const char *text)
{
    assert_int_equal(write(bench.far, text, strlen(text)), (ssize_t)strlen(text));
}

/* Until the read, or the write, that waits is over: what it says. */
static int read_result(void)
{
    for (int i = 0; bench.reads == 0 && i < TURNS_MAX; i++)
        loop_turn(bench.loop);
    assert_int_equal(bench.reads, 1);
    bench.reads = 0;
    return bench.stream.read_err;
}

static int write_result(void)
{
    for (int i = 0; bench.writes == 0 && i < TURNS_MAX; i++)
        loop_turn(bench.loop);
    assert_int_equal(bench.writes, 1);
    bench.writes = 0;
    return bench.stream.write_err;
}

/* Reads and waits when it must. */
static int read_now(size_t least, size_t most, int64_t timeout_ms, int64_t silence_ms)
{
    int err = stream_read(&bench.stream, least, most, timeout_ms, silence_ms);
    assert_int_equal(bench.reads, 0); /* never from inside the call */
    return err == -EINPROGRESS ? read_result() : err;
}

static void took(const char *text)
{
    size_t length = stream_readable(&bench.stream);
    assert_int_equal(length, strlen(text));
    assert_memory_equal(bench.stream.in.bytes, text, length);
    stream_take(&bench.stream, length);
}

static void what_has_come_is_read(void **state)
{
    (void)state;
    say("hello");
    assert_int_equal(read_now(1, 100, FOREVER_MS, 0), 0);
    took("hello");
    say("hello");
    assert_int_equal(read_now(1, 3, FOREVER_MS, 0), 0);
    took("hel");
    assert_int_equal(stream_read(&bench.stream, 1, 100, FOREVER_MS, 0), 0); /* kept */
    took("lo");
}

static void so_many_bytes_are_waited_for(void **state)
{
    (void)state;
    say("ab");
    assert_int_equal(stream_read(&bench.stream, 4, 4, FOREVER_MS, 0), -EINPROGRESS);
    loop_turn(bench.loop);
    assert_int_equal(bench.reads, 0);
    say("cdef");
    assert_int_equal(read_result(), 0);
    took("abcd");
    assert_int_equal(read_now(2, 2, FOREVER_MS, 0), 0);
    took("ef");
}

static void a_read_that_is_late_loses_nothing(void **state)
{
    (void)state;
    say("ab");
    assert_int_equal(read_now(4, 4, 20, 0), -ETIMEDOUT);
    say("cd");
    assert_int_equal(read_now(4, 4, FOREVER_MS, 0), 0);
    took("abcd");
    assert_int_equal(read_now(1, 1, 0, 0), -ETIMEDOUT);
}

static void silence_ends_a_message(void **state)
{
    (void)state;
    say("ab");
    assert_int_equal(stream_read(&bench.stream, 1, 100, FOREVER_MS, 50), -EINPROGRESS);
    int64_t begun_us = now_mono_us();
    loop_turn(bench.loop);
    say("cd");
    assert_int_equal(read_result(), 0);
    assert_true(now_mono_us() - begun_us >= 45 * 1000);
    took("abcd");
    say("abcdef");
    assert_int_equal(read_now(1, 4, FOREVER_MS, 5000), 0); /* as much as was wanted */
    took("abcd");
    assert_int_equal(read_now(1, 4, FOREVER_MS, 5), 0); /* what was kept, and silence */
    took("ef");
    assert_int_equal(read_now(1, 4, 20, 5), -ETIMEDOUT);
}

static void what_never_is_silent_ends_with_its_time(void **state)
{
    (void)state;
    assert_int_equal(stream_read(&bench.stream, 1, 60000, 100, 60), -EINPROGRESS);
    int64_t begun_us = now_mono_us();
    while (bench.reads == 0 && now_mono_us() - begun_us < 60 * 1000 * 1000) {
        say("x");
        usleep(5000);
        loop_turn(bench.loop);
    }
    assert_int_equal(read_result(), 0);
    assert_in_range(bench.stream.in.length, 1, 60);
}

static void an_end_comes_after_what_came_before_it(void **state)
{
    (void)state;
    say("last words");
    close(bench.far);
    bench.far = -1;
    assert_int_equal(read_now(20, 20, FOREVER_MS, 0), -EPIPE);
    assert_int_equal(read_now(1, 100, FOREVER_MS, 0), 0);
    took("last words");
    assert_int_equal(stream_read(&bench.stream, 1, 100, FOREVER_MS, 0), -EPIPE);
    assert_string_equal(stream_code(-EPIPE), "closed");
}

static void an_end_within_a_message_that_silence_would_end_is_one_too(void **state)
{
    (void)state;
    say("bye");
    assert_int_equal(stream_read(&bench.stream, 1, 100, FOREVER_MS, 5000), -EINPROGRESS);
    loop_turn(bench.loop);
    close(bench.far);
    bench.far = -1;
    assert_int_equal(read_result(), 0);
    took("bye");
    assert_int_equal(read_now(1, 1, FOREVER_MS, 5000), -EPIPE);
}

static void a_reset_is_told_from_an_end(void **state)
{
    struct linger now = {.l_onoff = 1};
    (void)state;
    assert_int_equal(setsockopt(bench.far, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
    close(bench.far);
    bench.far = -1;
    assert_int_equal(read_now(1, 1, FOREVER_MS, 0), -ECONNRESET);
    assert_int_equal(read_now(1, 1, FOREVER_MS, 0), -ECONNRESET);
    assert_int_equal(stream_write(&bench.stream, "x", 1, FOREVER_MS), -ECONNRESET);
}

static void a_flood_waits_in_the_kernel(void **state)
{
    char flood[STREAM_CHUNK];
    (void)state;
    memset(flood, 'x', sizeof(flood));
    assert_int_equal(fcntl(bench.far, F_SETFL, O_NONBLOCK), 0);
    while (write(bench.far, flood, sizeof(flood)) > 0)
        ;
    for (int i = 0; i < 20; i++)
        loop_turn(bench.loop), loop_turn(bench.loop);
    assert_int_equal(bench.stream.in.length, 0); /* nobody reads */
    for (size_t most = 1; most <= STREAM_READ_MAX; most = most * 3 + 1) {
        assert_int_equal(read_now(1, most, FOREVER_MS, 0), 0);
        assert_in_range(bench.stream.in.length, 1, STREAM_KEPT_MAX);
        stream_take(&bench.stream, 1);
    }
    stream_take(&bench.stream, bench.stream.in.length);
    assert_in_range(bench.stream.in.room, 0, STREAM_CHUNK);
}

static void what_is_discarded_is_gone(void **state)
{
    (void)state;
    say("old");
    assert_int_equal(read_now(1, 1, FOREVER_MS, 0), 0);
    say("older");
    assert_int_equal(stream_discard(&bench.stream), 8);
    assert_int_equal(stream_discard(&bench.stream), 0);
    say("new");
    assert_int_equal(read_now(3, 3, FOREVER_MS, 0), 0);
    took("new");
}

static void one_reads_and_one_writes_at_a_time(void **state)
{
    static char much[8 << 20];
    (void)state;
    assert_int_equal(stream_read(&bench.stream, 1, 1, FOREVER_MS, 0), -EINPROGRESS);
    assert_int_equal(stream_read(&bench.stream, 1, 1, FOREVER_MS, 0), -EBUSY);
    assert_int_equal(stream_write(&bench.stream, much, sizeof(much), FOREVER_MS),
                     -EINPROGRESS);
    assert_int_equal(stream_write(&bench.stream, "x", 1, FOREVER_MS), -EBUSY);
    assert_string_equal(stream_code(-EBUSY), "busy");
    say("x");
    assert_int_equal(read_result(), 0);
    assert_int_equal(bench.writes, 0);
}

static void a_write_waits_until_the_kernel_has_it(void **state)
{
    static char much[1 << 20], room[1 << 20];
    size_t heard = 0;
    (void)state;
    for (size_t i = 0; i < sizeof(much); i++)
        much[i] = (char)(i * 7);
    assert_int_equal(stream_write(&bench.stream, "", 0, FOREVER_MS), 0);
    assert_int_equal(stream_write(&bench.stream, much, sizeof(much), FOREVER_MS),
                     -EINPROGRESS);
    assert_int_equal(bench.writes, 0);
    while (heard < sizeof(much)) {
        ssize_t length =
            recv(bench.far, room + heard, sizeof(room) - heard, MSG_DONTWAIT);
        heard += length > 0 ? (size_t)length : 0;
        if (bench.writes == 0)
            loop_turn(bench.loop);
    }
    assert_int_equal(write_result(), 0);
    assert_int_equal(bench.stream.written, sizeof(much));
    assert_memory_equal(much, room, sizeof(much));
}

static void a_peer_that_takes_nothing_ends_a_write(void **state)
{
    static char much[8 << 20];
    (void)state;
    assert_int_equal(stream_write(&bench.stream, much, sizeof(much), 20), -EINPROGRESS);
    assert_int_equal(write_result(), -ETIMEDOUT);
    assert_in_range(bench.stream.written, 1, sizeof(much) - 1);
    close(bench.far);
    bench.far = -1;
    assert_int_equal(stream_write(&bench.stream, much, 1, 20), -ECONNRESET);
}

static void closing_tells_who_waits(void **state)
{
    static char much[8 << 20];
    (void)state;
    assert_int_equal(stream_read(&bench.stream, 1, 1, FOREVER_MS, 0), -EINPROGRESS);
    assert_int_equal(stream_write(&bench.stream, much, sizeof(much), FOREVER_MS),
                     -EINPROGRESS);
    stream_close(&bench.stream);
    stream_close(&bench.stream);
    assert_int_equal(bench.reads + bench.writes, 0); /* from the loop only */
    assert_int_equal(read_result(), -ECANCELED);
    assert_int_equal(write_result(), -ECANCELED);
    assert_int_equal(stream_read(&bench.stream, 1, 1, FOREVER_MS, 0), -ECANCELED);
    assert_int_equal(stream_write(&bench.stream, "x", 1, FOREVER_MS), -ECANCELED);
    assert_int_equal(stream_discard(&bench.stream), 0);
}

static void dropping_tells_nobody(void **state)
{
    (void)state;
    assert_int_equal(stream_read(&bench.stream, 1, 1, FOREVER_MS, 0), -EINPROGRESS);
    stream_drop(&bench.stream);
    loop_turn(bench.loop);
    assert_int_equal(bench.reads, 0);
}

static void a_terminal_is_read_and_written_like_a_socket(void **state)
{
    char heard[8] = "";
    (void)state;
    assert_int_equal(read_now(1, 10, 10, 0), -ETIMEDOUT);
    say("\x7e\x11\x13\x03\r\n");
    assert_int_equal(read_now(6, 6, FOREVER_MS, 0), 0);
    took("\x7e\x11\x13\x03\r\n");
    assert_int_equal(stream_write(&bench.stream, "\x04\r\n", 3, FOREVER_MS), 0);
    assert_int_equal(read(bench.far, heard, sizeof(heard)), 3);
    assert_string_equal(heard, "\x04\r\n");
}

static void a_device_that_is_unplugged_is_gone(void **state)
{
    (void)state;
    assert_int_equal(stream_read(&bench.stream, 1, 1, FOREVER_MS, 0), -EINPROGRESS);
    close(bench.far);
    bench.far = -1;
    assert_int_equal(read_result(), -ENODEV);
    assert_string_equal(stream_code(-ENODEV), "closed");
    assert_int_equal(stream_write(&bench.stream, "x", 1, FOREVER_MS), -ENODEV);
}

int main(void)
{
#define ON(open, test) cmocka_unit_test_setup_teardown(test, open, close_all)
    const struct CMUnitTest tests[] = {
        ON(open_pair, what_has_come_is_read),
        ON(open_pair, so_many_bytes_are_waited_for),
        ON(open_pair, a_read_that_is_late_loses_nothing),
        ON(open_pair, silence_ends_a_message),
        ON(open_terminal, silence_ends_a_message),
        ON(open_pair, what_never_is_silent_ends_with_its_time),
        ON(open_pair, an_end_comes_after_what_came_before_it),
        ON(open_tcp, an_end_comes_after_what_came_before_it),
        ON(open_pair, an_end_within_a_message_that_silence_would_end_is_one_too),
        ON(open_tcp, a_reset_is_told_from_an_end),
        ON(open_pair, a_flood_waits_in_the_kernel),
        ON(open_pair, what_is_discarded_is_gone),
        ON(open_pair, one_reads_and_one_writes_at_a_time),
        ON(open_pair, a_write_waits_until_the_kernel_has_it),
        ON(open_tcp, a_write_waits_until_the_kernel_has_it),
        ON(open_pair, a_peer_that_takes_nothing_ends_a_write),
        ON(open_pair, closing_tells_who_waits),
        ON(open_pair, dropping_tells_nobody),
        ON(open_terminal, a_terminal_is_read_and_written_like_a_socket),
        ON(open_terminal, a_device_that_is_unplugged_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
