/* Lines: order, bounds, and every way they end. */
#include "wire/line.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/base.h"
#include "base/mem.h"
#include "wire/rights.h"

enum { PATIENCE_MS = 60 * 1000 };

/* Our end of a line, and the other end's bare socket. */
struct world {
    struct loop *loop;
    struct loop_timer patience;
    struct line *line;
    int other;
    int came, closed, why;
    uint32_t ids[4096];
    uint8_t last_type;
    size_t last_length;
    int close_at; /* the line is closed inside the call for this frame; 0 never */
    int stop_at;
    int take_at; /* the descriptor of this frame is taken; 0 of none */
    int taken;
};

static struct world *world;

static void frame_came(void *owner, struct line *line, const struct frame *frame)
{
    struct world *w = owner;
    if ((size_t)w->came < countof(w->ids))
        w->ids[w->came] = frame->id;
    w->last_type = frame->type;
    w->last_length = (size_t)(frame->fields.end - frame->fields.next);
    if (w->came + 1 == w->take_at)
        w->taken = line_take_descriptor(line);
    if (++w->came == w->close_at) {
        line_close(line);
        w->line = NULL;
    }
    if (w->came == w->stop_at || w->came == w->close_at)
        loop_stop(w->loop);
}

/* Frees the line, as most owners do. */
static void line_closed(void *owner, struct line *line, int why)
{
    struct world *w = owner;
    assert_ptr_equal(line, w->line);
    w->closed++;
    w->why = why;
    line_close(line);
    w->line = NULL;
    loop_stop(w->loop);
}

static const struct line_calls CALLS = {frame_came, line_closed};

static void out_of_patience(struct loop_timer *timer)
{
    loop_stop(container_of(timer, struct world, patience)->loop);
}

static int open_world(void **state)
{
    int fds[2];
    (void)state;
    world = mem_new(struct world);
    world->patience.fire = out_of_patience;
    if (loop_open(&world->loop) || line_pair(fds))
        return -1;
    world->other = fds[1];
    loop_timer_start(world->loop, &world->patience, PATIENCE_MS);
    return line_open(&world->line, world->loop, fds[0], &CALLS, world);
}

static int close_world(void **state)
{
    (void)state;
    line_close(world->line);
    loop_timer_stop(&world->patience);
    loop_close(world->loop);
    if (world->other >= 0)
        close(world->other);
    mem_free(world);
    return 0;
}

static struct buffer make_frame(uint32_t id, size_t length)
{
    struct buffer frame = {0};
    char *bytes = mem_zeroed(length);
    frame_begin(&frame, 5, id);
    frame_put(&frame, 1, bytes, length);
    mem_free(bytes);
    return frame;
}

static int send_one(uint32_t id, size_t length)
{
    struct buffer frame = make_frame(id, length);
    int err = line_send(world->line, &frame);
    buffer_free(&frame);
    return err;
}

static void other_sends(uint32_t id, size_t length)
{
    struct buffer frame = make_frame(id, length);
    assert_int_equal(send(world->other, frame.bytes, frame.length, 0),
                     (ssize_t)frame.length);
    buffer_free(&frame);
}

/* The id of the next frame at the other end, or -1 when none waits. */
static int64_t other_hears(void)
{
    static uint8_t room[FRAME_MAX];
    struct frame frame;
    ssize_t length = recv(world->other, room, sizeof(room), MSG_DONTWAIT);
    if (length <= 0)
        return -1;
    assert_int_equal(frame_read(&frame, room, (size_t)length), 0);
    return frame.id;
}

static void frames_come_in_the_order_sent(void **state)
{
    (void)state;
    for (uint32_t id = 0; id < 100; id++)
        other_sends(id, 10);
    world->stop_at = 100;
    loop_run(world->loop);
    assert_int_equal(world->came, 100);
    for (uint32_t id = 0; id < 100; id++)
        assert_int_equal(world->ids[id], id);
    assert_int_equal(world->last_type, 5);
}

static void the_largest_frame_goes_through(void **state)
{
    (void)state;
    size_t most = FRAME_MAX - FRAME_HEAD - FRAME_FIELD_HEAD;
    struct buffer frame = make_frame(1, most + 1);
    assert_int_equal(line_send(world->line, &frame), -EMSGSIZE);
    buffer_free(&frame);
    assert_int_equal(send_one(2, most), 0);
    assert_int_equal(other_hears(), 2);
}

static void a_full_socket_queues_and_keeps_the_order(void **state)
{
    (void)state;
    uint32_t sent = 0, heard = 0;
    while (line_queued(world->line) < LINE_QUEUE_MAX / 2)
        assert_int_equal(send_one(sent++, 30000), 0);
    assert_int_equal(send_one(sent++, 10), 0); /* a small one may not overtake */
    while (heard < sent) {
        int64_t id = other_hears();
        if (id >= 0)
            assert_int_equal(id, heard++);
        else
            assert_true(loop_turn(world->loop));
    }
    assert_int_equal(line_queued(world->line), 0);
    assert_int_equal(send_one(sent, 10), 0);
    assert_int_equal(other_hears(), sent);
}

static void beyond_the_bound_sending_is_refused(void **state)
{
    (void)state;
    uint32_t sent = 0, heard = 0;
    int err;
    while ((err = send_one(sent, 60000)) == 0)
        sent++;
    assert_int_equal(err, -ENOBUFS);
    assert_true(line_queued(world->line) <= LINE_QUEUE_MAX);
    while (heard < sent) { /* what was accepted is not lost */
        int64_t id = other_hears();
        if (id >= 0)
            assert_int_equal(id, heard++);
        else
            assert_true(loop_turn(world->loop));
    }
    assert_int_equal(send_one(sent, 60000), 0);
    assert_int_equal(world->closed, 0);
}

static void wake(struct loop_timer *timer)
{
    loop_stop(container_of(timer, struct world, patience)->loop);
}

static void run_for(int ms)
{
    world->patience.fire = wake;
    loop_timer_start(world->loop, &world->patience, ms);
    loop_run(world->loop);
}

static void a_paused_line_takes_nothing_and_then_all_in_order(void **state)
{
    (void)state;
    for (uint32_t id = 0; id < 20; id++)
        other_sends(id, 10);
    line_pause(world->line, 60);
    run_for(20);
    assert_int_equal(world->came, 0);
    assert_int_equal(send_one(7, 10), 0); /* the other direction goes on */
    assert_int_equal(other_hears(), 7);
    world->stop_at = 20;
    run_for(1000);
    assert_int_equal(world->came, 20);
    for (uint32_t id = 0; id < 20; id++)
        assert_int_equal(world->ids[id], id);
}

static void a_paused_line_still_sends_what_is_queued(void **state)
{
    (void)state;
    uint32_t sent = 0, heard = 0;
    while (line_queued(world->line) == 0)
        assert_int_equal(send_one(sent++, 30000), 0);
    line_pause(world->line, 100000);
    while (heard < sent) {
        int64_t id = other_hears();
        if (id >= 0)
            assert_int_equal(id, heard++);
        else
            assert_true(loop_turn(world->loop));
    }
}

static void shutting_a_paused_line_ends_it_soon(void **state)
{
    (void)state;
    line_pause(world->line, 100000);
    line_shut(world->line);
    run_for(1000);
    assert_int_equal(world->closed, 1);
}

static void closing_a_paused_line_leaves_nothing(void **state)
{
    (void)state;
    line_pause(world->line, 10);
    line_close(world->line);
    world->line = NULL;
    run_for(30);
    assert_int_equal(world->closed, 0);
}

static void flushing_waits_no_longer_than_asked(void **state)
{
    (void)state;
    assert_int_equal(line_flush(world->line, 0), 0);
    while (line_queued(world->line) == 0)
        assert_int_equal(send_one(1, 60000), 0);
    assert_int_equal(line_flush(world->line, 10), -ETIMEDOUT);
    while (other_hears() >= 0)
        ;
    assert_int_equal(line_flush(world->line, 1000), 0);
    assert_int_equal(line_queued(world->line), 0);
}

static void the_other_ends_going_away_ends_the_line(void **state)
{
    (void)state;
    other_sends(1, 10);
    close(world->other);
    world->other = -1;
    loop_run(world->loop);
    assert_int_equal(world->came, 1);
    assert_int_equal(world->closed, 1);
    assert_int_equal(world->why, 0);
}

static void the_other_end_may_go_while_we_have_much_to_say(void **state)
{
    (void)state;
    while (line_queued(world->line) == 0)
        assert_int_equal(send_one(1, 60000), 0);
    close(world->other);
    world->other = -1;
    loop_run(world->loop);
    assert_int_equal(world->closed, 1);
    assert_int_equal(world->why, 0);
}

static void sending_into_a_broken_line_says_so(void **state)
{
    (void)state;
    close(world->other);
    world->other = -1;
    assert_int_equal(send_one(1, 10), -EPIPE);
    loop_run(world->loop);
    assert_int_equal(world->closed, 1);
}

static void what_is_no_frame_ends_the_line(void **state)
{
    (void)state;
    assert_int_equal(send(world->other, "nonsense", 8, 0), 8);
    other_sends(1, 10);
    loop_run(world->loop);
    assert_int_equal(world->came, 0);
    assert_int_equal(world->closed, 1);
    assert_int_equal(world->why, -EPROTO);
}

static void another_version_ends_the_line(void **state)
{
    (void)state;
    assert_int_equal(send(world->other, "O\x02\x01\0\0\0\0\0", 8, 0), 8);
    loop_run(world->loop);
    assert_int_equal(world->why, -EPROTONOSUPPORT);
}

static void a_datagram_that_is_too_large_ends_the_line(void **state)
{
    (void)state;
    int size = 4 * FRAME_MAX;
    setsockopt(world->other, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
    setsockopt(world->other, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    struct buffer frame = make_frame(1, FRAME_MAX);
    ssize_t sent = send(world->other, frame.bytes, frame.length, 0);
    buffer_free(&frame);
    if (sent < 0)
        skip(); /* the system itself allows no datagram of that size */
    loop_run(world->loop);
    assert_int_equal(world->came, 0);
    assert_int_equal(world->why, -EMSGSIZE);
}

static void an_empty_datagram_is_taken_for_the_end(void **state)
{
    (void)state;
    assert_int_equal(send(world->other, "", 0, 0), 0);
    loop_run(world->loop);
    assert_int_equal(world->closed, 1);
}

static void a_line_may_be_closed_inside_its_own_call(void **state)
{
    (void)state;
    for (uint32_t id = 0; id < 10; id++)
        other_sends(id, 10);
    world->close_at = 3;
    loop_run(world->loop);
    assert_int_equal(world->came, 3);
    assert_int_equal(world->closed, 0);
    assert_null(world->line);
}

static void one_line_does_not_keep_the_others_waiting(void **state)
{
    (void)state;
    for (uint32_t id = 0; id < 60; id++)
        other_sends(id, 10);
    loop_turn(world->loop);
    assert_true(world->came > 0 && world->came < 60);
}

static void a_socket_is_listened_to_and_connected_to(void **state)
{
    (void)state;
    char path[64];
    int listening, here, there;
    struct stat status;
    snprintf(path, sizeof(path), "/tmp/line_test-%d.sock", (int)getpid());
    assert_int_equal(line_connect(&there, path), -ENOENT);
    assert_int_equal(line_listen(&listening, path), 0);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0660);
    assert_int_equal(line_connect(&there, path), 0);
    assert_int_equal(line_accept(&here, listening), 0);
    assert_int_equal(send(there, "x", 1, 0), 1);
    close(here);
    close(there);
    close(listening);
    assert_int_equal(line_connect(&there, path), -ECONNREFUSED);
    assert_int_equal(line_listen(&listening, path), 0); /* over what a dead keeper left */
    close(listening);
    unlink(path);
}

static void a_path_that_is_too_long_is_refused(void **state)
{
    (void)state;
    char path[300];
    int fd;
    memset(path, 'a', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    assert_int_equal(line_listen(&fd, path), -ENAMETOOLONG);
    assert_int_equal(line_connect(&fd, path), -ENAMETOOLONG);
}

/* A pipe whose writing end goes away: only as long as somebody has it, reading waits. */
static int open_pipe(int *writes)
{
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
    *writes = fds[1];
    return fds[0];
}

static bool has_writer(int reads)
{
    char byte;
    return read(reads, &byte, 1) < 0 && errno == EAGAIN;
}

static int send_one_with(uint32_t id, size_t length, int fd)
{
    struct buffer frame = make_frame(id, length);
    int err = line_send_descriptor(world->line, &frame, fd);
    buffer_free(&frame);
    return err;
}

/* The other end sends a frame and a descriptor, which it has no more. */
static void other_sends_with(uint32_t id, int fd)
{
    struct buffer frame = make_frame(id, 10);
    assert_int_equal(rights_send(world->other, frame.bytes, frame.length, fd), 0);
    buffer_free(&frame);
    close(fd);
}

/* What other_hears() does, and *fd is what came with it, or -1. */
static int64_t other_hears_with(int *fd)
{
    static uint8_t room[FRAME_MAX];
    struct frame frame;
    ssize_t length = rights_receive(world->other, room, sizeof(room), fd);
    if (length <= 0)
        return -1;
    assert_int_equal(frame_read(&frame, room, (size_t)length), 0);
    return frame.id;
}

static void a_descriptor_waits_in_the_queue_with_its_frame(void **state)
{
    (void)state;
    int writes, fd;
    int reads = open_pipe(&writes);
    uint32_t sent = 0, heard = 0;
    while (line_queued(world->line) == 0)
        assert_int_equal(send_one(sent++, 30000), 0);
    uint32_t with = sent++;
    assert_int_equal(send_one_with(with, 10, writes), 0);
    assert_int_equal(send_one(sent++, 10), 0);
    assert_true(has_writer(reads));
    while (heard < sent) {
        int64_t id = other_hears_with(&fd);
        if (id < 0) {
            assert_true(loop_turn(world->loop));
            continue;
        }
        assert_int_equal(id, heard++);
        assert_int_equal(fd >= 0, id == with);
        if (fd >= 0)
            close(fd);
    }
    assert_false(has_writer(reads));
    close(reads);
}

static void only_so_many_descriptors_wait(void **state)
{
    (void)state;
    int writes, reads[LINE_DESCRIPTORS_MAX + 1];
    while (line_queued(world->line) == 0)
        assert_int_equal(send_one(0, 30000), 0);
    for (int i = 0; i < LINE_DESCRIPTORS_MAX; i++) {
        reads[i] = open_pipe(&writes);
        assert_int_equal(send_one_with(1, 10, writes), 0);
        assert_true(has_writer(reads[i]));
    }
    reads[LINE_DESCRIPTORS_MAX] = open_pipe(&writes);
    assert_int_equal(send_one_with(1, 10, writes), -ENOBUFS);
    assert_false(has_writer(reads[LINE_DESCRIPTORS_MAX])); /* and it is closed */
    line_close(world->line);
    world->line = NULL;
    for (int i = 0; i <= LINE_DESCRIPTORS_MAX; i++) {
        assert_false(has_writer(reads[i])); /* as are those that waited */
        close(reads[i]);
    }
}

static void a_descriptor_is_closed_when_it_cannot_be_sent(void **state)
{
    (void)state;
    int writes;
    int reads = open_pipe(&writes);
    close(world->other);
    world->other = -1;
    assert_int_equal(send_one_with(1, 10, writes), -EPIPE);
    assert_false(has_writer(reads));
    close(reads);
    reads = open_pipe(&writes);
    struct buffer frame = make_frame(1, FRAME_MAX);
    assert_int_equal(line_send_descriptor(world->line, &frame, writes), -EMSGSIZE);
    assert_false(has_writer(reads));
    buffer_free(&frame);
    close(reads);
}

static void a_descriptor_that_comes_is_taken_inside_the_call(void **state)
{
    (void)state;
    int writes;
    int reads = open_pipe(&writes);
    other_sends(1, 10);
    other_sends_with(2, writes);
    world->take_at = world->stop_at = 2;
    loop_run(world->loop);
    assert_true(world->taken >= 0);
    assert_true(fcntl(world->taken, F_GETFD) & FD_CLOEXEC);
    assert_true(has_writer(reads));
    assert_int_equal(line_take_descriptor(world->line), -1); /* there is one, once */
    close(world->taken);
    assert_false(has_writer(reads));
    close(reads);
}

static void a_descriptor_that_nobody_takes_is_closed(void **state)
{
    (void)state;
    int writes;
    int reads = open_pipe(&writes);
    other_sends_with(1, writes);
    other_sends(2, 10);
    world->stop_at = 2;
    loop_run(world->loop);
    assert_false(has_writer(reads));
    close(reads);
}

static void a_line_closed_inside_its_call_leaves_no_descriptor(void **state)
{
    (void)state;
    int writes;
    int reads = open_pipe(&writes);
    other_sends_with(1, writes);
    world->close_at = 1;
    loop_run(world->loop);
    assert_false(has_writer(reads));
    close(reads);
}

#define in_a_world(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_world(frames_come_in_the_order_sent),
        in_a_world(the_largest_frame_goes_through),
        in_a_world(a_full_socket_queues_and_keeps_the_order),
        in_a_world(beyond_the_bound_sending_is_refused),
        in_a_world(a_paused_line_takes_nothing_and_then_all_in_order),
        in_a_world(a_paused_line_still_sends_what_is_queued),
        in_a_world(shutting_a_paused_line_ends_it_soon),
        in_a_world(closing_a_paused_line_leaves_nothing),
        in_a_world(flushing_waits_no_longer_than_asked),
        in_a_world(the_other_ends_going_away_ends_the_line),
        in_a_world(the_other_end_may_go_while_we_have_much_to_say),
        in_a_world(sending_into_a_broken_line_says_so),
        in_a_world(what_is_no_frame_ends_the_line),
        in_a_world(another_version_ends_the_line),
        in_a_world(a_datagram_that_is_too_large_ends_the_line),
        in_a_world(an_empty_datagram_is_taken_for_the_end),
        in_a_world(a_line_may_be_closed_inside_its_own_call),
        in_a_world(one_line_does_not_keep_the_others_waiting),
        in_a_world(a_descriptor_waits_in_the_queue_with_its_frame),
        in_a_world(only_so_many_descriptors_wait),
        in_a_world(a_descriptor_is_closed_when_it_cannot_be_sent),
        in_a_world(a_descriptor_that_comes_is_taken_inside_the_call),
        in_a_world(a_descriptor_that_nobody_takes_is_closed),
        in_a_world(a_line_closed_inside_its_call_leaves_no_descriptor),
        cmocka_unit_test(a_socket_is_listened_to_and_connected_to),
        cmocka_unit_test(a_path_that_is_too_long_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
