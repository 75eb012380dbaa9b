/* What is said to a peer, and what happens to one that does not listen. */
#include "keeper/children/peer.h"

#include "keeper/ends.h"

static struct loop *loop;
static struct peer peer;
static int end;
static struct heard heard;
static int over;

static void came(void *owner, struct line *line, const struct frame *frame)
{
    (void)owner;
    (void)line;
    (void)frame;
}

static void closed(void *owner, struct line *line, int why)
{
    (void)owner;
    (void)line;
    (void)why;
    over++;
}

static const struct line_calls CALLS = {came, closed};

static int start(void **state)
{
    int fds[2];
    (void)state;
    over = 0;
    peer = (struct peer){.name = "peer"};
    assert_int_equal(loop_open(&loop), 0);
    assert_int_equal(line_pair(fds), 0);
    assert_int_equal(line_open(&peer.line, loop, fds[0], &CALLS, NULL), 0);
    end = fds[1];
    return 0;
}

static int stop(void **state)
{
    (void)state;
    line_close(peer.line);
    close(end);
    loop_close(loop);
    return 0;
}

static void done_says_errno_words_and_sequence(void **state)
{
    struct field text;
    (void)state;
    peer_done(&peer, 7, 0, "", 42);
    peer_done(&peer, 8, -ENOSPC, "no room", -1);
    assert_int_equal(ends_done(loop, end, &heard, 7, 0), 42);
    assert_int_equal(fields_find(&heard.frame.fields, TAG_TEXT, &text), -ENOENT);
    assert_int_equal(ends_done(loop, end, &heard, 8, -ENOSPC), -1);
    assert_int_equal(fields_find(&heard.frame.fields, TAG_TEXT, &text), 0);
    assert_memory_equal(text.bytes, "no room", 7);
}

static void one_that_does_not_listen_is_ended_within_a_bound(void **state)
{
    struct buffer frame = {0};
    (void)state;
    frame_begin(&frame, TALK_EVENTS, 1);
    memset(buffer_grow(&frame, 200 * 1024), 0, 200 * 1024);
    for (int i = 0; i < 20; i++) {
        peer_send(&peer, &frame);
        assert_true(line_queued(peer.line) <= LINE_QUEUE_MAX);
    }
    assert_true(peer.is_ended);
    ends_run(loop, -1, 20);
    assert_int_equal(over, 1);
    buffer_free(&frame);
}

static void one_that_has_gone_is_not_an_error(void **state)
{
    (void)state;
    close(end);
    peer_done(&peer, 7, 0, "", 42);
    assert_false(peer.is_ended);
    ends_run(loop, -1, 20);
    assert_int_equal(over, 1);
    end = -1;
}

static void nothing_is_said_to_one_that_was_ended(void **state)
{
    (void)state;
    peer_end(&peer);
    peer_done(&peer, 7, 0, "", 42);
    assert_false(ends_hear(loop, end, &heard));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(done_says_errno_words_and_sequence),
        CASE(one_that_does_not_listen_is_ended_within_a_bound),
        CASE(one_that_has_gone_is_not_an_error),
        CASE(nothing_is_said_to_one_that_was_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
