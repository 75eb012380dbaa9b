/* A device that is a child of this test and says what it is told to. More faults, over many polls,
 * are in tests/stories/doubles_story.py. */
#include "host/modbus/fieldbus.h"

#include <arpa/inet.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/base.h"
#include "base/now.h"
#include "host/modbus/adu.h"
#include "host/tap.h"

enum { TIMEOUT_MS = 250, REPLIES_MAX = 8 };

/* How the device treats one request. The value it gives is the request's number. */
struct reply {
    int wait_ms;
    int spoil; /* index of a byte to flip, counted from 1; 0: none */
    int times; /* how often it answers; 0: never */
    bool hangs_up;
};

static struct {
    struct fieldbus *bus;
    pid_t child;
    int fd; /* listening, or the master side */
} desk;

/* ---- The device */

static size_t read_request(int fd, struct adu *request, bool tcp)
{
    size_t length = tcp ? 12 : 8, have = 0;
    while (have < length) {
        ssize_t more = read(fd, request->bytes + have, length - have);
        if (more <= 0)
            return 0;
        have += (size_t)more;
    }
    return have;
}

/* Answers with registers that all hold `number`, as many as were asked for. */
static struct adu answer(const struct adu *request, bool tcp, int number)
{
    const uint8_t *asked = request->bytes + (tcp ? 7 : 1);
    struct pdu pdu = {.bytes = {asked[0], (uint8_t)(2 * asked[4])},
                      .length = 2 + 2u * asked[4]};
    struct adu adu;
    for (int i = 0; i < asked[4]; i++)
        pdu.bytes[3 + 2 * i] = (uint8_t)number;
    if (tcp)
        adu_put_tcp(&adu, (uint16_t)(request->bytes[0] << 8 | request->bytes[1]),
                    request->bytes[6], &pdu);
    else
        adu_put_rtu(&adu, request->bytes[0], &pdu);
    return adu;
}

static int accept_one(int listening)
{
    int fd = accept(listening, NULL, NULL);
    ASSERT(fd >= 0);
    return fd;
}

static _Noreturn void be_device(bool tcp, const struct reply *replies)
{
    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test leaves no device behind */
    alarm(120);
    int fd = tcp ? accept_one(desk.fd) : desk.fd;
    for (int i = 0; i < REPLIES_MAX; i++) {
        struct adu request;
        while (read_request(fd, &request, tcp) == 0)
            fd = accept_one(desk.fd);
        struct adu adu = answer(&request, tcp, i + 1);
        if (replies[i].spoil > 0)
            adu.bytes[replies[i].spoil - 1] ^= 1;
        usleep((useconds_t)replies[i].wait_ms * 1000);
        uint8_t said[2 * ADU_MAX];
        for (int t = 0; t < replies[i].times; t++)
            memcpy(said + (size_t)t * adu.length, adu.bytes, adu.length);
        if (write(fd, said, (size_t)replies[i].times * adu.length) < 0)
            continue; /* it is late: the other end has gone */
        if (replies[i].hangs_up) {
            close(fd);
            fd = accept_one(desk.fd);
        }
    }
    _exit(0);
}

static int listen_on(char *url, size_t room)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &length), 0);
    snprintf(url, room, "modbus-tcp://127.0.0.1:%d?unit=1", ntohs(at.sin_port));
    return fd;
}

static int open_terminal(char *url, size_t room)
{
    int master, slave;
    char name[64];
    assert_int_equal(openpty(&master, &slave, name, NULL, NULL), 0);
    struct termios raw;
    tcgetattr(slave, &raw);
    cfmakeraw(&raw);
    tcsetattr(slave, TCSANOW,
              &raw); /* `slave` stays open: the master must not see a hang-up */
    snprintf(url, room, "modbus-rtu://%s?baud=115200", name);
    return master;
}

static void open_device(bool tcp, const struct reply *replies)
{
    char text[120], why[200];
    struct busurl url;
    desk.fd = tcp ? listen_on(text, sizeof(text)) : open_terminal(text, sizeof(text));
    assert_int_equal(busurl_parse(&url, text, why, sizeof(why)), 0);
    desk.child = fork();
    if (desk.child == 0)
        be_device(tcp, replies);
    assert_int_equal(fieldbus_open(&desk.bus, &url), 0);
}

static void close_device(void)
{
    int status;
    fieldbus_close(desk.bus);
    kill(desk.child, SIGKILL);
    waitpid(desk.child, &status, 0);
    close(desk.fd);
}

/* Reads `count` registers: the number of the request that was answered, or minus the fault. */
static int poll_device(int count)
{
    struct pdu request, reply;
    assert_int_equal(pdu_read(&request, PDU_READ_HOLDING, 0, count), 0);
    int64_t began_us = now_mono_us();
    enum fieldbus_fault fault = fieldbus_ask(desk.bus, 1, &request, &reply, TIMEOUT_MS);
    assert_true(now_mono_us() - began_us < 60 * TIMEOUT_MS * 1000);
    return fault ? -(int)fault : pdu_register(&reply, count - 1);
}

static void test_replies(bool tcp, const struct reply *replies, const int *wanted,
                         int polls)
{
    open_device(tcp, replies);
    for (int i = 0; i < polls; i++)
        assert_int_equal(poll_device(2), wanted[i]);
    close_device();
}

/* ---- Promises */

static void a_good_device_is_read(void **state)
{
    static const struct reply REPLIES[REPLIES_MAX] = {
        {.times = 1}, {.times = 1}, {.times = 1}};
    static const int WANTED[] = {1, 2, 3};
    (void)state;
    test_replies(true, REPLIES, WANTED, 3);
    test_replies(false, REPLIES, WANTED, 3);
}

static void silence_is_a_timeout_and_the_next_request_is_its_own(void **state)
{
    static const struct reply REPLIES[REPLIES_MAX] = {
        {.times = 1}, {.times = 0}, {.times = 1}, {.times = 1}};
    static const int TCP[] = {1, -FIELDBUS_TIMEOUT, 3, 4};
    static const int RTU[] = {1, -FIELDBUS_TIMEOUT,
                              4}; /* the third request is the probe */
    (void)state;
    test_replies(true, REPLIES, TCP, 4);
    test_replies(false, REPLIES, RTU, 3);
}

static void a_late_answer_is_not_taken_for_the_next(void **state)
{
    static const struct reply REPLIES[REPLIES_MAX] = {
        {.wait_ms = TIMEOUT_MS + 100, .times = 1}, {.times = 1}, {.times = 1}};
    static const int TCP[] = {-FIELDBUS_TIMEOUT, 2, 3};
    static const int RTU[] = {-FIELDBUS_TIMEOUT, 3};
    (void)state;
    test_replies(true, REPLIES, TCP, 3);
    test_replies(false, REPLIES, RTU, 2);
}

static void an_answer_too_many_is_thrown_away(void **state)
{
    static const struct reply REPLIES[REPLIES_MAX] = {
        {.times = 2}, {.times = 1}, {.times = 1}};
    static const int RTU[] = {1, 2, 3};
    (void)state;
    test_replies(false, REPLIES, RTU, 3);
}

static void a_foreign_answer_is_refused(void **state)
{
    static const int BYTES[] = {2, 6, 7, 8,
                                9}; /* transaction, length, unit, function, count */
    (void)state;
    for (size_t i = 0; i < countof(BYTES); i++) {
        const struct reply replies[REPLIES_MAX] = {{.times = 1, .spoil = BYTES[i]},
                                                   {.times = 1}};
        open_device(true, replies);
        int fault = poll_device(2);
        assert_true(fault == -FIELDBUS_IDENTITY || fault == -FIELDBUS_TIMEOUT);
        assert_int_equal(poll_device(2), 2); /* on a new connection */
        close_device();
    }
}

static void a_closed_connection_is_opened_again(void **state)
{
    static const struct reply REPLIES[REPLIES_MAX] = {{.times = 1, .hangs_up = true},
                                                      {.times = 1},
                                                      {.times = 0, .hangs_up = true},
                                                      {.times = 1}};
    static const int WANTED[] = {1, 2, -FIELDBUS_CLOSED, 4};
    (void)state;
    open_device(true, REPLIES);
    assert_int_equal(poll_device(2), WANTED[0]);
    usleep(200000); /* the hang-up arrives between two polls */
    for (int i = 1; i < 4; i++)
        assert_int_equal(poll_device(2), WANTED[i]);
    close_device();
}

/* Late answers too, which nobody has taken. */
static void all_that_goes_over_the_line_is_recorded(void **state)
{
    static const struct reply REPLIES[REPLIES_MAX] = {{.times = 1}, {.times = 2}};
    static const size_t OUT[] = {2 * 8, 2 * 12}, IN[] = {3 * 9, 3 * 13};
    (void)state;
    for (int tcp = 0; tcp < 2; tcp++) {
        open_device(tcp, REPLIES);
        tap_begin(-1);
        poll_device(2);
        poll_device(2);
        close_device();
        const char *text = tap_end();
        assert_int_equal(strncmp(text,
                                 tcp ? "modbus-tcp://127.0.0.1:" : "modbus-rtu:///dev/",
                                 tcp ? 23 : 18),
                         0);
        assert_int_equal(tap_bytes[RING_OUT], OUT[tcp]);
        assert_true(tap_bytes[RING_IN] >= IN[tcp] * 2 / 3 &&
                    tap_bytes[RING_IN] <= IN[tcp]);
    }
}

static void nobody_there_is_refused(void **state)
{
    char text[120], why[200];
    struct busurl url;
    (void)state;
    close(listen_on(text, sizeof(text)));
    assert_int_equal(busurl_parse(&url, text, why, sizeof(why)), 0);
    assert_int_equal(fieldbus_open(&desk.bus, &url), 0);
    assert_int_equal(poll_device(1), -FIELDBUS_REFUSED);
    assert_non_null(strstr(fieldbus_why(desk.bus), "refused"));
    fieldbus_close(desk.bus);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_device_is_read),
        cmocka_unit_test(silence_is_a_timeout_and_the_next_request_is_its_own),
        cmocka_unit_test(a_late_answer_is_not_taken_for_the_next),
        cmocka_unit_test(an_answer_too_many_is_thrown_away),
        cmocka_unit_test(a_foreign_answer_is_refused),
        cmocka_unit_test(a_closed_connection_is_opened_again),
        cmocka_unit_test(all_that_goes_over_the_line_is_recorded),
        cmocka_unit_test(nobody_there_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
