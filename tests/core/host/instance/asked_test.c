/* What a plugin is asked for: params, answers, effects, bounds. */
#include "host/instance/asked.h"

#include "host/desk.h"

/* The end of `events` in the manifest, and what follows it there. */
#define ONE_RECORD "['x.y'] = { lane = 'record' } }, "

static const char PLUGIN[] = ONE_RECORD
    "actions = {\n"
    "  add = { params = require('schema').record {\n"
    "      n = require('schema').integer { min = 1, default = 7 } },\n"
    "    run = function(self, who, params)\n"
    "      self.host.emit { type = 'x.y', data = { n = params.n, by = who.name } }\n"
    "      return { n = params.n }\n"
    "    end },\n"
    "  wait = { run = function(self) self.host.sleep(20) return 'waited' end },\n"
    "  ever = { run = function(self) self.host.sleep('1h') end },\n"
    "  raise = { run = function(self)\n"
    "    self.host.emit { type = 'x.y' }\n"
    "    error('no (from here) Zhangsan', 0)\n"
    "  end },\n"
    "  refuse = { run = function(self)\n"
    "    self.host.emit { type = 'x.y' }\n"
    "    return nil, 'there is none'\n"
    "  end },\n"
    "  table = { run = function() error({}) end },\n"
    "  spin = { run = function() while true do end end },\n"
    "  early = { run = function(self)\n"
    "    self.host.emit { type = 'x.y' } self.host.commit() error('later', 0)\n"
    "  end },\n"
    "  wrong = { answer = require('schema').integer {}, run = function() return 'x' end "
    "},\n"
    "  none = { run = function() end },\n"
    "},\n"
    "views = {\n"
    "  word = { run = function(self, params) return self.word end },\n"
    "  pcall = { run = function() return pcall end },\n"
    "  huge = { run = function() return ('x'):rep(128 * 1024) end },\n"
    "  most = { run = function() return ('x'):rep(128 * 1024 - 2) end },\n"
    "  store = { run = function(self) self.host.store.put('k', 1) return 1 end },\n"
    "  commit = { run = function(self)\n"
    "    self.host.store.put('k', 1) self.host.commit()\n"
    "  end },\n";

static const char START[] = "return { host = host, word = config.word }";

static bool answered(void)
{
    return desk.answers > 0;
}

static bool answered_all(void)
{
    return desk.answers == ASKED_MAX;
}

static void ask(uint32_t id, const char *type, const char *name, const char *params)
{
    struct buffer frame = {0};
    frame_begin(&frame, TALK_ASK, id);
    frame_put_text(&frame, TAG_NAME, "test");
    frame_put_text(&frame, TAG_TYPE, type);
    frame_put_text(&frame, TAG_KEY, name);
    frame_put_text(&frame, TAG_DATA, params);
    frame_put_text(&frame, TAG_TEXT,
                   "{\"name\":\"wang\",\"role\":\"technician\",\"via\":\"local\"}");
    say(&frame);
}

/* Asks, and what the answer is: its errno and what is in it. */
static void expect(const char *type, const char *name, const char *params, int err,
                   const char *answer)
{
    desk.answers = 0;
    ask(77, type, name, params);
    talk_until(answered);
    assert_int_equal(desk.answer_id, 77);
    if (strstr(desk.answer, answer) == NULL || desk.answer_err != err)
        fail_msg("%s: expected %d %s, got %d %s", name, err, answer, (int)desk.answer_err,
                 desk.answer);
}

static void begin(void)
{
    desk_library = "lua";
    start(PLUGIN, START);
    talk_until(has_started);
}

static void what_an_action_did_is_durable_before_its_answer(void **state)
{
    (void)state;
    begin();
    expect("action", "add", "{\"n\":3}", 0, "{\"n\":3}");
    assert_int_equal(desk.commits, 1);
    assert_int_equal(desk.events, 1);
    desk.silent = true; /* the disk takes its time */
    desk.answers = 0;
    ask(78, "action", "add", "{}");
    for (int i = 0; i < 50 || desk.commits < 2; i++) {
        struct loop_timer soon = {.fire = tick};
        loop_timer_start(desk.loop, &soon, 1);
        loop_turn(desk.loop);
        loop_timer_stop(&soon);
        hear_all();
    }
    assert_int_equal(desk.answers, 0);
    desk.silent = false;
    finish(PLUGIN_ENDED);
}

static void params_are_checked_and_completed(void **state)
{
    (void)state;
    begin();
    expect("action", "add", "{}", 0, "{\"n\":7}");
    expect("action", "add", "{\"n\":0}", EINVAL,
           "params: n: expected an integer, at least 1, got 0");
    expect("action", "add", "{\"m\":1}", EINVAL, "params: m: expected");
    expect("action", "add", "[1]", EINVAL, "params: ");
    expect("action", "add", "{", EINVAL, "params: expected a JSON object");
    expect("action", "none", "{\"a\":1}", EINVAL, "params: expected none, got \"a\"");
    expect("view", "word", "{}", 0, "\"hello\"");
    expect("action", "none", "{}", 0, "null");
    assert_int_equal(desk.events, 1);
    finish(PLUGIN_ENDED);
}

static void what_fails_has_done_nothing_and_says_why_without_a_trace(void **state)
{
    (void)state;
    begin();
    expect("action", "raise", "{}", ECANCELED, "no (from here) Zhangsan");
    assert_string_equal(desk.answer, "no (from here) Zhangsan");
    expect("action", "refuse", "{}", ECANCELED, "there is none");
    expect("action", "table", "{}", ECANCELED, "raised a table");
    expect("action", "spin", "{}", ECANCELED, "ran for more than 200 ms");
    expect("action", "wrong", "{}", EPROTO, "answer: expected an integer, got \"x\"");
    expect("action", "word", "{}", ENOENT, "there is no action word");
    assert_int_equal(desk.commits, 0);
    expect("action", "early", "{}", ECANCELED, "later");
    assert_int_equal(desk.commits, 1); /* as it asked for */
    expect("view", "word", "{}", 0, "\"hello\"");
    finish(PLUGIN_ENDED);
}

static void a_view_changes_nothing(void **state)
{
    (void)state;
    begin();
    expect("view", "store", "{}", EPROTO,
           "it emitted or stored something: a view changes nothing");
    expect("view", "commit", "{}", ECANCELED, "commit: a view changes nothing");
    assert_int_equal(desk.commits, 0);
    finish(PLUGIN_ENDED);
}

static void an_answer_is_json_and_has_a_bound(void **state)
{
    (void)state;
    begin();
    expect("view", "pcall", "{}", EMSGSIZE, "the answer cannot be given: a function");
    expect("view", "huge", "{}", EMSGSIZE,
           "the answer cannot be given: too long (at most 128 KiB of JSON)");
    expect("view", "most", "{}", 0, "\"xxx");
    finish(PLUGIN_ENDED);
}

static void more_at_once_than_there_are_places_are_told(void **state)
{
    (void)state;
    begin();
    for (uint32_t i = 0; i < ASKED_MAX; i++)
        ask(100 + i, "action", "wait", "{}");
    ask(200, "action", "wait", "{}");
    talk_until(answered);
    assert_int_equal(desk.answer_id, 200);
    assert_int_equal(desk.answer_err, EBUSY);
    desk.answers = 0;
    talk_until(answered_all);
    assert_int_equal(desk.answer_err, 0);
    expect("action", "wait", "{}", 0, "\"waited\"");
    finish(PLUGIN_ENDED);
}

static void nothing_is_asked_of_a_plugin_that_has_not_started(void **state)
{
    (void)state;
    desk_library = "lua";
    start(PLUGIN, "host.sleep('1h')");
    ask(9, "view", "word", "{}");
    talk_until(answered);
    assert_int_equal(desk.answer_err, EAGAIN);
    finish(PLUGIN_ENDED);
}

static void a_refused_commit_is_told_and_the_plugin_starts_anew(void **state)
{
    (void)state;
    begin();
    desk.refuse = 1;
    expect("action", "add", "{}", ENOSPC, "the disk is full");
    talk_until(ended);
    finish(PLUGIN_AGAIN);
}

static void what_is_in_work_when_the_plugin_ends_is_forgotten(void **state)
{
    (void)state;
    begin();
    ask(5, "action", "ever", "{}");
    expect("view", "word", "{}", 0, "\"hello\"");
    finish(PLUGIN_ENDED);
}

static void a_question_that_makes_no_sense_is_told(void **state)
{
    struct buffer frame = {0};
    (void)state;
    begin();
    frame_begin(&frame, TALK_ASK, 6);
    frame_put_text(&frame, TAG_TYPE, "view");
    say(&frame);
    talk_until(answered);
    assert_int_equal(desk.answer_err, EPROTO);
    expect("deed", "word", "{}", ENOENT, "there is no deed word");
    finish(PLUGIN_ENDED);
}

static void a_manifest_that_declares_nonsense_does_not_load(void **state)
{
    static const char *const TAILS[] = {
        "actions = { 7",
        "actions = { a = 7",
        "actions = { a = {}",
        "actions = { a = { run = 7 }",
        "views = { a = { run = print, params = {} }",
        "views = { a = { run = function() end, params = { check = 7 } }",
        "views = { a = { run = function() end, answer = 'x' }",
        "actions = 7, views = {",
    };
    (void)state;
    for (size_t i = 0; i < countof(TAILS); i++) {
        char events[300];
        snprintf(events, sizeof(events), ONE_RECORD "%s", TAILS[i]);
        start(events, "");
        talk_until(ended);
        finish(PLUGIN_BROKEN);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_an_action_did_is_durable_before_its_answer),
        cmocka_unit_test(params_are_checked_and_completed),
        cmocka_unit_test(what_fails_has_done_nothing_and_says_why_without_a_trace),
        cmocka_unit_test(a_view_changes_nothing),
        cmocka_unit_test(an_answer_is_json_and_has_a_bound),
        cmocka_unit_test(more_at_once_than_there_are_places_are_told),
        cmocka_unit_test(nothing_is_asked_of_a_plugin_that_has_not_started),
        cmocka_unit_test(a_refused_commit_is_told_and_the_plugin_starts_anew),
        cmocka_unit_test(what_is_in_work_when_the_plugin_ends_is_forgotten),
        cmocka_unit_test(a_question_that_makes_no_sense_is_told),
        cmocka_unit_test(a_manifest_that_declares_nonsense_does_not_load),
    };
    return cmocka_run_group_tests(tests, desk_make_folder, desk_remove_folder);
}
