/* Commits while the keeper does not listen: they wait, in order, and none is lost. */
#include "host/instance/commit.h"

#include "host/desk.h"

enum { HANDLERS = 24, PUTS = 4 };

static void run_for_turns(int turns)
{
    struct loop_timer beat = {.fire = tick};
    loop_timer_start(desk.loop, &beat, 1);
    for (int i = 0; i < turns && !desk.plugin.stopping; i++)
        loop_turn(desk.loop);
    loop_timer_stop(&beat);
}

/* Answers the commits that came, which are large; how many. */
static int answer_all(void)
{
    static char room[FRAME_MAX];
    struct frame frame;
    ssize_t length;
    int commits = 0;
    while ((length = recv(desk.fd, room, sizeof(room), MSG_DONTWAIT)) > 0) {
        struct buffer done = {0};
        assert_int_equal(frame_read(&frame, room, (size_t)length), 0);
        if (frame.type != TALK_COMMIT)
            continue;
        commits++;
        frame_begin(&done, TALK_DONE, frame.id);
        frame_put_number(&done, TAG_ERROR, 0);
        frame_put_number(&done, TAG_SEQ, -1);
        say(&done);
    }
    return commits;
}

/* Each handler commits once, a quarter of a MiB; more than a line takes. */
static void start_flood(void)
{
    char body[300];
    snprintf(body, sizeof(body),
             "for h = 1, %d do host.after(1, function()\n"
             "  for i = 1, %d do host.store.put('k' .. h .. i, ('x'):rep(60000)) end\n"
             "end) end",
             HANDLERS, PUTS);
    start(ONE_EVENT, body);
    talk_until(has_started);
}

static void drain(void)
{
    int commits = 0;
    for (int i = 0; i < 400 && commits < HANDLERS; i++) {
        commits += answer_all();
        run_for_turns(3);
    }
    assert_int_equal(commits, HANDLERS);
    run_for_turns(3);
}

static void what_the_line_does_not_take_waits_and_is_sent_later(void **state)
{
    (void)state;
    start_flood();
    run_for_turns(100);
    assert_false(desk.plugin.stopping);
    assert_true(commits_are_under_way(&desk.plugin.commits));
    assert_true(loop_timer_is_running(&desk.plugin.commits.again));
    drain();
    assert_false(commits_are_under_way(&desk.plugin.commits));
    finish(PLUGIN_ENDED);
}

static void hear_nothing(struct question *question, const struct frame *frame)
{
    (void)question;
    (void)frame;
}

static void other_questions_go_on_meanwhile(void **state)
{
    (void)state;
    start_flood();
    run_for_turns(60);
    assert_true(loop_timer_is_running(&desk.plugin.commits.again));
    struct question question = {.answered = hear_nothing};
    struct buffer frame = {0};
    frame_begin(&frame, TALK_GET, 0);
    frame_put_text(&frame, TAG_KEY, "k");
    assert_int_equal(keeperline_ask(desk.plugin.line, &question, &frame), 0);
    keeperline_forget(&question);
    buffer_free(&frame);
    drain();
    finish(PLUGIN_ENDED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_line_does_not_take_waits_and_is_sent_later),
        cmocka_unit_test(other_questions_go_on_meanwhile),
    };
    return cmocka_run_group_tests(tests, desk_make_folder, desk_remove_folder);
}
