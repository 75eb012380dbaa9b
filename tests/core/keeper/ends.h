/* ends - the far end of a peer's line, as a child or reader would hold it. */
#ifndef TESTS_KEEPER_ENDS_H
#define TESTS_KEEPER_ENDS_H

#include <poll.h>
#include <sys/socket.h>

#include "keeper/children/group.h"
#include "keeper/children/peer.h"
#include "keeper/fixture.h"
#include "wire/line.h"
#include "wire/talk.h"

/* The disk may stall for seconds, and a child may take some to begin. */
enum { ENDS_PATIENCE_MS = 60 * 1000, ENDS_TURNS = ENDS_PATIENCE_MS / 10 };

/* What came last: the frame points into `bytes`. */
struct heard {
    uint8_t bytes[FRAME_MAX];
    struct frame frame;
};

static inline void ends_say(int fd, const struct buffer *frame)
{
    assert_int_equal(send(fd, frame->bytes, frame->length, MSG_NOSIGNAL), frame->length);
}

/* Says a frame without fields. */
static inline void ends_tell(int fd, uint8_t type, uint32_t id)
{
    struct buffer frame = {0};
    frame_begin(&frame, type, id);
    ends_say(fd, &frame);
    buffer_free(&frame);
}

static inline void ends_wake(struct loop_timer *timer)
{
    (void)timer;
}

static inline bool ends_is_readable(int fd)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    return fd >= 0 && poll(&ready, 1, 0) == 1;
}

/* Runs the loop for so long, or until `fd` (-1: none) can be read. */
static inline bool ends_run(struct loop *loop, int fd, int ms)
{
    struct loop_timer over = {.fire = ends_wake};
    loop_timer_start(loop, &over, ms);
    while (loop_timer_is_running(&over) && !ends_is_readable(fd))
        loop_turn(loop);
    loop_timer_stop(&over);
    return ends_is_readable(fd);
}

/* The next frame, which must come; false when the line is over instead. */
static inline bool ends_hear(struct loop *loop, int fd, struct heard *heard)
{
    assert_true(ends_run(loop, fd, ENDS_PATIENCE_MS));
    ssize_t length = recv(fd, heard->bytes, sizeof(heard->bytes), MSG_DONTWAIT);
    if (length <= 0)
        return false;
    assert_int_equal(frame_read(&heard->frame, heard->bytes, (size_t)length), 0);
    return true;
}

static inline void ends_expect(struct loop *loop, int fd, struct heard *heard,
                               enum talk_type type, uint32_t id)
{
    assert_true(ends_hear(loop, fd, heard));
    assert_int_equal(heard->frame.type, type);
    assert_int_equal(heard->frame.id, id);
}

/* The line ends, whatever is still on it. */
static inline void ends_expect_end(struct loop *loop, int fd, struct heard *heard)
{
    while (ends_hear(loop, fd, heard))
        ;
}

static inline void ends_expect_silence(struct loop *loop, int fd)
{
    assert_false(ends_run(loop, fd, 60));
}

static inline int64_t ends_number(const struct fields *fields, enum talk_tag tag)
{
    struct field field;
    int64_t number = INT64_MIN;
    if (fields_find(fields, (uint8_t)tag, &field) == 0)
        assert_int_equal(field_number(&field, &number), 0);
    return number;
}

/* A DONE with that errno; its first sequence. */
static inline int64_t ends_done(struct loop *loop, int fd, struct heard *heard,
                                uint32_t id, int err)
{
    ends_expect(loop, fd, heard, TALK_DONE, id);
    assert_int_equal(ends_number(&heard->frame.fields, TAG_ERROR), -err);
    return ends_number(&heard->frame.fields, TAG_SEQ);
}

/* An EVENTS: how many entries, and the sequence of the first and of what follows. */
struct ends_events {
    int count;
    int64_t first;
    int64_t last;
    int64_t next;
};

static inline struct ends_events ends_events(const struct frame *frame)
{
    struct ends_events events = {0, -1, -1, ends_number(&frame->fields, TAG_SEQ)};
    struct fields rest = frame->fields;
    struct field field;
    assert_int_equal(frame->type, TALK_EVENTS);
    while (fields_next(&rest, &field) > 0) {
        struct fields inside = field_inside(&field);
        if (field.tag != TAG_ENTRY)
            continue;
        events.last = ends_number(&inside, TAG_SEQ);
        if (events.count++ == 0)
            events.first = events.last;
    }
    return events;
}

#endif
