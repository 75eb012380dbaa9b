/* A freezing process, with a keeper that is the test: what the ring held is in the pipe, and one commit
 * names it. */
#include "host/tap/freeze.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/log.h"
#include "base/mem.h"
#include "host/instance/effects.h"
#include "host/instance/plugin.h"
#include "wire/line.h"
#include "wire/pcapng.h"
#include "wire/ring.h"
#include "wire/talk.h"

static const char DIGEST[] =
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

static struct {
    int line, fd;
    struct ring *ring;
    pid_t pid;
    char room[FRAME_MAX];
    struct frame frame;
    struct buffer file;
} desk;

static int make(void **state)
{
    (void)state;
    setenv("OUTPOST_LOG", "none", 1);
    memset(&desk, 0, sizeof(desk));
    return ring_make(&desk.fd) || ring_open(&desk.ring, desk.fd);
}

static int drop(void **state)
{
    (void)state;
    ring_close(desk.ring);
    close(desk.fd);
    close(desk.line);
    buffer_free(&desk.file);
    return 0;
}

static void say(struct buffer *frame)
{
    assert_int_equal(send(desk.line, frame->bytes, frame->length, 0),
                     (ssize_t)frame->length);
    buffer_free(frame);
}

static void hear(enum talk_type type)
{
    ssize_t length = recv(desk.line, desk.room, sizeof(desk.room), 0);
    assert_true(length > 0);
    assert_int_equal(frame_read(&desk.frame, desk.room, (size_t)length), 0);
    assert_int_equal(desk.frame.type, type);
}

/* It has copied the ring before it says HELLO. */
static void start(const char *config)
{
    int fds[2];
    struct buffer frame = {0};
    assert_int_equal(line_pair(fds), 0);
    desk.pid = fork();
    if (desk.pid == 0) {
        close(fds[0]);
        alarm(120);
        _exit(freeze_run(fds[1], dup(desk.fd)));
    }
    close(fds[1]);
    desk.line = fds[0];
    hear(TALK_HELLO);
    frame_begin(&frame, TALK_START, 0);
    frame_put_text(&frame, TAG_CONFIG, config);
    say(&frame);
}

static int ended(void)
{
    int status;
    assert_int_equal(waitpid(desk.pid, &status, 0), desk.pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* Answers with an errno, or a pipe and the number 7. */
static void answer_spool(int err)
{
    struct buffer frame = {0};
    int fds[2] = {-1, -1};
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } beside = {0};
    frame_begin(&frame, TALK_SPOOLED, desk.frame.id);
    frame_put_number(&frame, TAG_ERROR, err);
    frame_put_number(&frame, TAG_SPOOL, 7);
    if (err) {
        say(&frame);
        return;
    }
    assert_int_equal(pipe(fds), 0);
    struct iovec part = {.iov_base = frame.bytes, .iov_len = frame.length};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = beside.room,
                             .msg_controllen = sizeof(beside.room)};
    beside.head = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
                                   .cmsg_type = SCM_RIGHTS,
                                   .cmsg_len = CMSG_LEN(sizeof(int))};
    memcpy(CMSG_DATA(&beside.head), &fds[1], sizeof(int));
    assert_int_equal(sendmsg(desk.line, &message, 0), (ssize_t)frame.length);
    buffer_free(&frame);
    close(fds[1]);
    ssize_t length;
    while ((length = read(fds[0], buffer_grow(&desk.file, 4096), 4096)) > 0)
        desk.file.length -= 4096 - (size_t)length;
    desk.file.length -= 4096;
    close(fds[0]);
}

static void answer_seal(int err)
{
    struct buffer frame = {0};
    struct field field;
    int64_t number;
    hear(TALK_SEAL);
    assert_int_equal(fields_find(&desk.frame.fields, TAG_SPOOL, &field), 0);
    assert_int_equal(field_number(&field, &number), 0);
    assert_int_equal(number, 7);
    frame_begin(&frame, TALK_SEALED, desk.frame.id);
    frame_put_number(&frame, TAG_ERROR, err);
    frame_put_text(&frame, TAG_DIGEST, DIGEST);
    say(&frame);
}

static void answer_commit(int err)
{
    struct buffer frame = {0};
    frame_begin(&frame, TALK_DONE, desk.frame.id);
    frame_put_number(&frame, TAG_ERROR, err);
    say(&frame);
}

static const char CONFIG[] = "{\"instance\":\"gate\",\"plugin\":\"wristband\","
                             "\"reason\":\"crash\",\"suppressed\":3}";

static void put_some(void)
{
    int name = ring_name(desk.ring, "modbus-tcp://10.0.0.1:502");
    ring_put(desk.ring, name, RING_OUT, 1764000000000000, "ask", 3);
    ring_put(desk.ring, name, RING_IN, 1764000001500000, "answer", 6);
}

static void the_ring_becomes_a_blob_and_one_event(void **state)
{
    struct pcapng pcapng;
    struct pcapng_piece piece;
    struct field event, blob, field;
    char data[600], wanted[600];
    (void)state;
    put_some();
    start(CONFIG);
    hear(TALK_SPOOL);
    answer_spool(0);
    answer_seal(0);
    hear(TALK_COMMIT);
    assert_int_equal(fields_find(&desk.frame.fields, TAG_EVENT, &event), 0);
    struct fields inside = field_inside(&event);
    assert_int_equal(fields_find(&inside, TAG_DATA, &field), 0);
    assert_int_equal(field_text(&field, data, sizeof(data)), 0);
    snprintf(wanted, sizeof(wanted),
             "{\"instance\":\"gate\",\"plugin\":\"wristband\",\"reason\":\"crash\","
             "\"sha256\":\"%s\",\"size\":%zu,\"from\":\"2025-11-24T16:00:00.000000Z\","
             "\"until\":\"2025-11-24T16:00:01.500000Z\",\"pieces\":2,\"suppressed\":3}",
             DIGEST, desk.file.length);
    assert_string_equal(data, wanted);
    assert_int_equal(fields_find(&desk.frame.fields, TAG_BLOB, &blob), 0);
    inside = field_inside(&blob);
    assert_int_equal(fields_find(&inside, TAG_MORE, &field), 0); /* erased in time */
    answer_commit(0);
    assert_int_equal(ended(), PLUGIN_ENDED);
    assert_int_equal(pcapng_open(&pcapng, desk.file.bytes, desk.file.length), 0);
    assert_int_equal(pcapng_next(&pcapng, &piece), 1);
    assert_string_equal(pcapng.names[piece.device], "modbus-tcp://10.0.0.1:502");
    assert_true(piece.is_out);
    assert_memory_equal(piece.bytes, "ask", 3);
    assert_int_equal(pcapng_next(&pcapng, &piece), 1);
    assert_true(piece.utc_us == 1764000001500000);
    assert_memory_equal(piece.bytes, "answer", 6);
    assert_int_equal(pcapng_next(&pcapng, &piece), 0);
}

static void a_full_ring_goes_through_the_pipe(void **state)
{
    static char much[RING_BYTES];
    (void)state;
    ring_put(desk.ring, ring_name(desk.ring, "x"), RING_IN, 1, much, sizeof(much));
    start(CONFIG);
    hear(TALK_SPOOL);
    answer_spool(0);
    assert_true(desk.file.length > (RING_BYTES - RING_HEAD) / 2);
    answer_seal(0);
    hear(TALK_COMMIT);
    answer_commit(0);
    assert_int_equal(ended(), PLUGIN_ENDED);
}

static void an_empty_ring_is_nothing_to_keep(void **state)
{
    (void)state;
    start(CONFIG);
    assert_int_equal(ended(), PLUGIN_ENDED);
}

static void each_refusal_ends_it(void **state)
{
    (void)state;
    for (int at = 0; at < 4; at++) {
        make(state);
        put_some();
        start(at == 0 ? "{\"instance\":\"gate\"}" : CONFIG);
        if (at > 0) {
            hear(TALK_SPOOL);
            answer_spool(at == 1 ? ENOSPC : 0);
        }
        if (at > 1)
            answer_seal(at == 2 ? EIO : 0);
        if (at > 2) {
            hear(TALK_COMMIT);
            answer_commit(ENOSPC);
        }
        assert_int_equal(ended(), PLUGIN_BROKEN);
        if (at < 3)
            drop(state);
    }
}

static void a_keeper_that_is_gone_ends_it(void **state)
{
    (void)state;
    put_some();
    start(CONFIG);
    hear(TALK_SPOOL);
    close(desk.line);
    assert_int_equal(ended(), PLUGIN_BROKEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_ring_becomes_a_blob_and_one_event, make,
                                        drop),
        cmocka_unit_test_setup_teardown(a_full_ring_goes_through_the_pipe, make, drop),
        cmocka_unit_test_setup_teardown(an_empty_ring_is_nothing_to_keep, make, drop),
        cmocka_unit_test_teardown(each_refusal_ends_it, drop),
        cmocka_unit_test_setup_teardown(a_keeper_that_is_gone_ends_it, make, drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
