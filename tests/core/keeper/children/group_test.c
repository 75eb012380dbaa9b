/* Group commit: all who came together are answered together, once it is on disk. */
#include "keeper/children/group.h"

#include <signal.h>
#include <sys/resource.h>

#include "keeper/ends.h"

enum { PEERS = 2 };

static struct fixture fixture;
static struct loop *loop;
static struct group group;
static struct peer peers[PEERS];
static int ends[PEERS];
static struct heard heard;
static int calls, last_err;
static bool had_alarm;

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
}

static const struct line_calls CALLS = {came, closed};

static void committed(void *owner, int err, bool alarm)
{
    assert_ptr_equal(owner, &calls);
    calls++;
    last_err = err;
    had_alarm = alarm;
}

static int start(void **state)
{
    (void)state;
    fixture_open(&fixture);
    calls = 0;
    assert_int_equal(loop_open(&loop), 0);
    group_open(&group, loop, fixture.journal, committed, &calls);
    for (int i = 0; i < PEERS; i++) {
        int fds[2];
        assert_int_equal(line_pair(fds), 0);
        peers[i] = (struct peer){.name = "peer"};
        assert_int_equal(line_open(&peers[i].line, loop, fds[0], &CALLS, NULL), 0);
        ends[i] = fds[1];
    }
    return 0;
}

static int stop(void **state)
{
    (void)state;
    group_close(&group);
    for (int i = 0; i < PEERS; i++) {
        line_close(peers[i].line);
        close(ends[i]);
    }
    fixture_close(&fixture);
    loop_close(loop);
    return 0;
}

static int64_t ask(int peer, uint32_t id, bool urgent)
{
    assert_int_equal(group_enter(&group), 0);
    int64_t seq = fixture_append(fixture.journal, LANE_RECORD, "band.seen", "{}");
    group.has_alarm |= urgent;
    group_answer(&group, &peers[peer], id, seq);
    group_ask(&group, 1, urgent);
    return seq;
}

static void all_are_answered_after_one_commit(void **state)
{
    (void)state;
    ask(0, 1, false);
    ask(1, 2, false);
    ask(0, 3, false);
    assert_int_equal(poll(&(struct pollfd){.fd = ends[0], .events = POLLIN}, 1, 0), 0);
    assert_int_equal(ends_done(loop, ends[0], &heard, 1, 0), 0);
    assert_int_equal(ends_done(loop, ends[1], &heard, 2, 0), 1);
    assert_int_equal(ends_done(loop, ends[0], &heard, 3, 0), 2);
    assert_int_equal(calls, 1);
    assert_int_equal(fixture_ask(&fixture, "SELECT count(*) FROM event"), 3);
}

static void an_urgent_one_takes_the_others_along_at_once(void **state)
{
    (void)state;
    ask(0, 1, false);
    assert_true(loop_timer_is_running(&group.window));
    ask(1, 2, true);
    loop_turn(loop);
    assert_int_equal(calls, 1);
    assert_true(had_alarm);
    ends_done(loop, ends[0], &heard, 1, 0);
    ends_done(loop, ends[1], &heard, 2, 0);
    ask(0, 3, false);
    ends_done(loop, ends[0], &heard, 3, 0);
    assert_false(had_alarm);
}

static void a_full_group_does_not_wait(void **state)
{
    (void)state;
    assert_int_equal(group_enter(&group), 0);
    fixture_append(fixture.journal, LANE_RECORD, "band.seen", "{}");
    group_ask(&group, GROUP_FULL, false);
    loop_turn(loop);
    assert_int_equal(calls, 1);
}

static void keep_talking(struct loop_watch *watch, bool readable, bool writable)
{
    (void)watch;
    (void)readable;
    (void)writable;
}

/* Whoever is always ready would keep the loop from ever resting. */
static void somebody_who_never_stops_does_not_hold_up_a_commit(void **state)
{
    struct loop_watch noise = {.ready = keep_talking};
    (void)state;
    ends_tell(ends[1], TALK_PONG, 0);
    int fds[2];
    assert_int_equal(line_pair(fds), 0);
    assert_int_equal(send(fds[0], "x", 1, 0), 1);
    loop_watch_start(loop, &noise, fds[1], true, false);
    ask(0, 1, true);
    ends_done(loop, ends[0], &heard, 1, 0);
    loop_watch_stop(&noise);
    close(fds[0]);
    close(fds[1]);
}

static void one_that_fails_takes_the_whole_group_with_it(void **state)
{
    (void)state;
    ask(0, 1, true);
    ask(1, 2, false);
    group_fail(&group, -ENOSPC);
    assert_int_equal(last_err, -ENOSPC);
    assert_int_equal(ends_done(loop, ends[0], &heard, 1, -ENOSPC), -1);
    assert_int_equal(ends_done(loop, ends[1], &heard, 2, -ENOSPC), -1);
    assert_int_equal(fixture.journal->size, 0);
    assert_int_equal(fixture_ask(&fixture, "SELECT count(*) FROM event"), 0);
    assert_int_equal(ask(0, 3, false), 0);
    assert_int_equal(ends_done(loop, ends[0], &heard, 3, 0), 0);
    assert_false(had_alarm);
    assert_int_equal(calls, 2);
}

static void no_rows(void *owner, int err, bool alarm)
{
    (void)alarm;
    *(int *)owner = err;
}

/* A limit on the size of files stands for the full disk. */
static void a_commit_that_fails_is_told_to_all(void **state)
{
    struct rlimit before, small;
    int err = 0;
    (void)state;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 1;
    group.committed = no_rows;
    group.owner = &err;
    signal(SIGXFSZ, SIG_IGN);
    ask(0, 1, false);
    ask(1, 2, false);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    group_commit(&group);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(err, -ENOSPC);
    ends_done(loop, ends[0], &heard, 1, -ENOSPC);
    ends_done(loop, ends[1], &heard, 2, -ENOSPC);
    assert_int_equal(fixture.journal->size, 0);
    ask(0, 3, true);
    assert_int_equal(ends_done(loop, ends[0], &heard, 3, 0), 0);
}

static void a_peer_that_is_gone_is_not_answered(void **state)
{
    (void)state;
    ask(0, 1, false);
    ask(1, 2, false);
    group_forget(&group, &peers[0]);
    line_close(peers[0].line);
    peers[0].line = NULL;
    ends_done(loop, ends[1], &heard, 2, 0);
    assert_int_equal(fixture.journal->size, 2);
}

static void without_writes_nothing_is_committed(void **state)
{
    (void)state;
    group_commit(&group);
    assert_int_equal(calls, 0);
    assert_int_equal(group_enter(&group), 0);
    assert_int_equal(group_enter(&group), 0);
    group_commit(&group);
    assert_int_equal(calls, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_are_answered_after_one_commit, start, stop),
        cmocka_unit_test_setup_teardown(an_urgent_one_takes_the_others_along_at_once,
                                        start, stop),
        cmocka_unit_test_setup_teardown(a_full_group_does_not_wait, start, stop),
        cmocka_unit_test_setup_teardown(
            somebody_who_never_stops_does_not_hold_up_a_commit, start, stop),
        cmocka_unit_test_setup_teardown(one_that_fails_takes_the_whole_group_with_it,
                                        start, stop),
        cmocka_unit_test_setup_teardown(a_commit_that_fails_is_told_to_all, start, stop),
        cmocka_unit_test_setup_teardown(a_peer_that_is_gone_is_not_answered, start, stop),
        cmocka_unit_test_setup_teardown(without_writes_nothing_is_committed, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
