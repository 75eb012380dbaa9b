/* A plugin from START to STOP, with a keeper that is this test. */
#include "host/instance/plugin.h"

#include "host/desk.h"

/* ---- Promises */

static void what_start_gathers_commits_when_it_returns(void **state)
{
    (void)state;
    start(ONE_EVENT, "host.emit { type = 'x.y', data = { word = config.word } }\n"
                     "host.sleep(5)\n"
                     "host.emit { type = 'x.y', data = { n = 1 } }");
    talk_until(has_started);
    assert_int_equal(desk.events, 2);
    assert_int_equal(desk.commits, 1);
    assert_string_equal(desk.data[0], "{\"word\":\"hello\"}");
    finish(PLUGIN_ENDED);
}

static void a_plugin_that_cannot_start_ends_the_process(void **state)
{
    static const char *const BODIES[] = {
        "error('no station')",
        "host.sleep('soon')",
        "host.emit { type = 'x.z' }",
        "syntax error here",
        "host.modbus.open('x')",
        "while true do pcall(function() while true do end end) end",
        "local t = {} while true do t[#t + 1] = ('x'):rep(100000) .. #t end",
    };
    (void)state;
    for (size_t i = 0; i < countof(BODIES); i++) {
        start(ONE_EVENT, BODIES[i]);
        talk_until(ended);
        assert_int_equal(desk.events, 0);
        finish(PLUGIN_BROKEN);
    }
}

static void why_a_plugin_cannot_start_is_told(void **state)
{
    (void)state;
    start(ONE_EVENT, "error('no \"station\"')");
    talk_until(ended);
    talk_until(told_why);
    assert_non_null(strstr(desk.health, "\"cannot_start\""));
    assert_non_null(strstr(desk.health, "no \\\"station\\\""));
    finish(PLUGIN_BROKEN);
}

static void a_trial_loads_and_runs_nothing(void **state)
{
    (void)state;
    desk.is_trial = true;
    start(ONE_EVENT, "host.emit { type = 'x.y' }");
    talk_until(ended);
    assert_int_equal(desk.events, 0);
    finish(PLUGIN_ENDED);
    desk.is_trial = true;
    start("['x.y'] = 7", "");
    talk_until(ended);
    talk_until(told_why);
    finish(PLUGIN_BROKEN);
}

static bool raised_twice(void)
{
    return desk.plugin.raised == 2;
}

static void a_pong_says_what_devices_answered_and_handlers_raised(void **state)
{
    (void)state;
    start(ONE_EVENT,
          "local n = 0\n"
          "host.every(1, function() n = n + 1 if n <= 2 then error('x') end end)");
    talk_until(raised_twice);
    for (int i = 0; i < 3; i++)
        plugin_heard(&desk.plugin);
    tell(TALK_PING);
    talk_until(ponged);
    assert_int_equal(desk.reads, 3);
    assert_int_equal(desk.errors, 2);
    finish(PLUGIN_ENDED);
}

static void an_error_drops_what_the_handler_gathered(void **state)
{
    (void)state;
    start(ONE_EVENT, "local n = 0\n"
                     "host.every(5, function()\n"
                     "  n = n + 1\n"
                     "  host.emit { type = 'x.y', data = { n = n } }\n"
                     "  host.store.put('n', n)\n"
                     "  if n == 1 then error('boom') end\n"
                     "end)");
    talk_until(some_events);
    assert_string_equal(desk.data[0], "{\"n\":2}");
    finish(PLUGIN_ENDED);
}

static void a_bad_emit_names_the_field(void **state)
{
    static const char *const EMITS[] = {
        "{ type = 'x.z' }|event \"x.z\" is not declared",
        "{ type = 'x.y', dta = {} }|got \"dta\"",
        "{ type = 'x.y', subject = 'me and you' }|subject: expected",
        "{ type = 'x.y', time = 'now' }|time: expected seconds",
        "{ type = 'x.y', data = 7 }|data: expected a table",
        "{ type = 'x.y', data = { f = pcall } }|cannot be JSON",
        "{ type = 'x.y', data = { 1, 2 } }|expected a table with names, got a list",
        "{ data = {} }|type: expected a text",
        "{ type = 'x.y\\0z' }|type: expected a text without NUL",
        "{ type = 'x.y', subject = 'office\\0z' }|subject: expected",
        "{ type = 'x.y', data = { t = ('\\1'):rep(1 << 20) } }|cannot be JSON: too long",
    };
    (void)state;
    for (size_t i = 0; i < countof(EMITS); i++) {
        char body[400];
        const char *bar = strchr(EMITS[i], '|');
        snprintf(body, sizeof(body),
                 "local ok, why = pcall(host.emit, %.*s)\n"
                 "assert(not ok and why:find('%s', 1, true), why)\n"
                 "host.emit { type = 'x.y', data = { fine = true } }",
                 (int)(bar - EMITS[i]), EMITS[i], bar + 1);
        start(ONE_EVENT, body);
        talk_until(has_started);
        assert_int_equal(desk.events, 1);
        finish(PLUGIN_ENDED);
    }
}

static void patterns_are_bounded_as_the_keeper_bounds_them(void **state)
{
    (void)state;
    start(ONE_EVENT, "for i = 1, 8 do host.on('x.n' .. i, print or assert) end\n"
                     "local ok, why = pcall(host.on, 'x.more', assert)\n"
                     "assert(not ok and why:find('at most 8 patterns', 1, true), why)\n"
                     "host.emit { type = 'x.y', data = { fine = true } }");
    talk_until(has_started);
    assert_int_equal(desk.events, 1);
    finish(PLUGIN_ENDED);
}

static void chance_comes_by_the_byte_and_never_twice(void **state)
{
    (void)state;
    start(ONE_EVENT, "local a, b = host.random(32), host.random(32)\n"
                     "assert(#a == 32 and a ~= b and #host.random(1) == 1)\n"
                     "assert(#host.random(256) == 256)\n"
                     "for _, bad in ipairs { 0, 257, -1 } do\n"
                     "  local ok, why = pcall(host.random, bad)\n"
                     "  assert(not ok and why:find('expected 1 to 256 bytes'), why)\n"
                     "end\n"
                     "host.emit { type = 'x.y', data = { fine = true } }");
    talk_until(has_started);
    assert_int_equal(desk.events, 1);
    finish(PLUGIN_ENDED);
}

static void a_schema_is_asked_at_emit(void **state)
{
    (void)state;
    start("['x.y'] = { lane = 'record', data = { check = function(_, data)\n"
          "  if data.n then return { n = data.n, filled = 1 } end\n"
          "  return nil, 'n: expected a number' end } }",
          "local ok, why = pcall(host.emit, { type = 'x.y', data = {} })\n"
          "assert(not ok and why:find('n: expected a number', 1, true), why)\n"
          "host.emit { type = 'x.y', data = { n = 3 } }");
    talk_until(has_started);
    assert_int_equal(desk.events, 1);
    assert_non_null(strstr(desk.data[0], "\"filled\":1"));
    finish(PLUGIN_ENDED);
}

static void commit_waits_until_it_is_durable(void **state)
{
    (void)state;
    start(ONE_EVENT, "host.emit { type = 'x.y', now = true }\n"
                     "host.emit { type = 'x.y' }\n"
                     "assert(host.commit() == 1)\n"
                     "assert(host.commit() == nil)");
    talk_until(has_started);
    assert_int_equal(desk.commits, 2);
    assert_int_equal(desk.events, 2);
    finish(PLUGIN_ENDED);
}

static void a_refused_commit_is_raised_where_it_was_asked(void **state)
{
    (void)state;
    desk.refuse = 1;
    start(ONE_EVENT, "host.emit { type = 'x.y' }\n"
                     "local ok, why = pcall(host.commit)\n"
                     "assert(not ok and why:find('the disk is full', 1, true), why)");
    talk_until(has_started);
    assert_int_equal(desk.events, 0);
    finish(PLUGIN_ENDED);
}

static void a_commit_refused_behind_a_handler_starts_the_plugin_anew(void **state)
{
    (void)state;
    start(ONE_EVENT, "host.after(1, function() host.emit { type = 'x.y' } end)");
    talk_until(has_started);
    desk.refuse = 1;
    talk_until(ended);
    finish(PLUGIN_AGAIN);
}

static void the_store_shows_what_is_not_durable_yet(void **state)
{
    (void)state;
    start(ONE_EVENT, "assert(host.store.get('k') == nil)\n"
                     "host.store.put('k', { 1, 2.5, 'x', { y = true } })\n"
                     "local v = host.store.get('k')\n"
                     "assert(v[1] == 1 and v[2] == 2.5 and v[4].y)\n"
                     "host.commit()\n"
                     "assert(host.store.get('k')[3] == 'x')\n"
                     "host.store.remove('k')\n"
                     "assert(host.store.get('k') == nil)\n"
                     "host.commit()\n"
                     "assert(host.store.get('k') == nil)");
    talk_until(has_started);
    assert_int_equal(desk.commits, 2);
    assert_string_equal(desk.key, "");
    finish(PLUGIN_ENDED);
}

static void handlers_of_a_batch_share_one_commit(void **state)
{
    (void)state;
    start(ONE_EVENT, "host.on('x.y', function(e)\n"
                     "  assert(e.seq == e.data.n and e.type == 'x.y')\n"
                     "  host.emit { type = 'x.y', data = { n = e.data.n } } end)");
    talk_until(has_started);
    hear_all();
    give_events(0, 6);
    talk_until(asked_again);
    assert_int_equal(desk.events, 6);
    assert_int_equal(desk.commits, 1);
    assert_string_equal(desk.data[5], "{\"n\":5}");
    finish(PLUGIN_ENDED);
}

static void more_effects_than_one_commit_holds_become_several(void **state)
{
    (void)state;
    start(ONE_EVENT,
          "host.on('x.y', function(e)\n"
          "  for i = 1, 9 do host.emit { type = 'x.y', data = { n = e.seq } } end end)");
    talk_until(has_started);
    hear_all();
    give_events(0, 6);
    talk_until(consumed_five);
    assert_int_equal(desk.events, 54);
    assert_true(desk.commits >= 2);
    assert_string_equal(desk.data[53], "{\"n\":5}");
    finish(PLUGIN_ENDED);
}

static void an_event_whose_handler_failed_is_tried_again(void **state)
{
    (void)state;
    start(ONE_EVENT, "local tries = 0\n"
                     "host.on('x.y', function(e)\n"
                     "  host.emit { type = 'x.y', data = { n = e.seq } }\n"
                     "  if e.seq == 2 then tries = tries + 1 if tries == 1 then "
                     "error('boom') end end\n"
                     "end)");
    talk_until(has_started);
    hear_all();
    give_events(0, 6);
    talk_until(some_events);
    assert_int_equal(desk.events, 2); /* those before it are not held up */
    assert_int_equal(desk.consumed, 1);
    talk_until(consumed_five);
    assert_int_equal(desk.events, 6);
    assert_string_equal(desk.data[2], "{\"n\":2}");
    finish(PLUGIN_ENDED);
}

static void a_handler_that_waits_lets_those_before_it_go(void **state)
{
    (void)state;
    start(ONE_EVENT, "host.on('x.y', function(e)\n"
                     "  host.emit { type = 'x.y', data = { n = e.seq } }\n"
                     "  if e.seq == 3 then host.sleep(20) end end)");
    talk_until(has_started);
    hear_all();
    give_events(0, 6);
    talk_until(some_events);
    assert_int_equal(desk.events, 3);
    assert_int_equal(desk.consumed, 2);
    talk_until(consumed_five);
    assert_int_equal(desk.events, 6);
    finish(PLUGIN_ENDED);
}

static void two_handlers_for_one_pattern_are_refused(void **state)
{
    (void)state;
    start(ONE_EVENT, "host.on('x.*', function() end) host.on('x.*', function() end)");
    talk_until(ended);
    finish(PLUGIN_BROKEN);
}

static bool ended_or_started(void)
{
    return desk.plugin.stopping || desk.plugin.started;
}

/* Every budget from nothing to enough: each allocation on the way is the first to fail once. */
static void any_allocation_may_fail(void **state)
{
    size_t more = 0;
    (void)state;
    for (bool started = false; !started; more += 700) {
        start(ONE_EVENT, "host.on('x.y', function() end)\n"
                         "host.every('1h', function() end)\n"
                         "host.emit { type = 'x.y', data = { a = { 1, 2 }, b = 'x' } }\n"
                         "host.store.put('k', { 'v' })\n"
                         "host.commit()\n"
                         "assert(host.store.get('k')[1] == 'v')");
        desk.plugin.budget.most_bytes = desk.plugin.budget.used_bytes + more;
        talk_until(ended_or_started);
        started = desk.plugin.started;
        finish(started ? PLUGIN_ENDED : PLUGIN_BROKEN);
        assert_true(more < 1024 * 1024);
    }
}

static void nobody_waits_inside_a_sort(void **state)
{
    (void)state;
    start(ONE_EVENT,
          "local ok, why = pcall(table.sort, {2, 1}, function() host.sleep(1) end)\n"
          "assert(not ok and why:find('cannot wait here', 1, true), why)\n"
          "host.emit { type = 'x.y' }\n"
          "ok, why = pcall(string.gsub, 'a', 'a', function() host.commit() end)\n"
          "assert(not ok and why:find('cannot wait here', 1, true), why)");
    talk_until(has_started);
    assert_int_equal(desk.events, 1);
    finish(PLUGIN_ENDED);
}

static void stopping_waits_for_what_is_under_way(void **state)
{
    (void)state;
    start(ONE_EVENT, "host.after(1, function() host.emit { type = 'x.y' } end)\n"
                     "host.every(10, function() host.sleep('1h') end)");
    talk_until(has_started);
    desk.silent = true;
    talk_until(some_events);
    tell(TALK_STOP);
    for (int i = 0; i < 5; i++)
        loop_turn(desk.loop);
    assert_true(commits_are_under_way(&desk.plugin.commits));
    finish(PLUGIN_ENDED);
}

static void the_end_of_the_line_is_the_end(void **state)
{
    (void)state;
    start(ONE_EVENT, "host.every(5, function() end)");
    talk_until(has_started);
    shutdown(desk.fd, SHUT_RDWR);
    talk_until(ended);
    finish(PLUGIN_AGAIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(why_a_plugin_cannot_start_is_told),
        cmocka_unit_test(a_trial_loads_and_runs_nothing),
        cmocka_unit_test(a_pong_says_what_devices_answered_and_handlers_raised),
        cmocka_unit_test(what_start_gathers_commits_when_it_returns),
        cmocka_unit_test(a_plugin_that_cannot_start_ends_the_process),
        cmocka_unit_test(an_error_drops_what_the_handler_gathered),
        cmocka_unit_test(a_bad_emit_names_the_field),
        cmocka_unit_test(patterns_are_bounded_as_the_keeper_bounds_them),
        cmocka_unit_test(chance_comes_by_the_byte_and_never_twice),
        cmocka_unit_test(a_schema_is_asked_at_emit),
        cmocka_unit_test(commit_waits_until_it_is_durable),
        cmocka_unit_test(a_refused_commit_is_raised_where_it_was_asked),
        cmocka_unit_test(a_commit_refused_behind_a_handler_starts_the_plugin_anew),
        cmocka_unit_test(the_store_shows_what_is_not_durable_yet),
        cmocka_unit_test(handlers_of_a_batch_share_one_commit),
        cmocka_unit_test(more_effects_than_one_commit_holds_become_several),
        cmocka_unit_test(an_event_whose_handler_failed_is_tried_again),
        cmocka_unit_test(a_handler_that_waits_lets_those_before_it_go),
        cmocka_unit_test(two_handlers_for_one_pattern_are_refused),
        cmocka_unit_test(any_allocation_may_fail),
        cmocka_unit_test(nobody_waits_inside_a_sort),
        cmocka_unit_test(stopping_waits_for_what_is_under_way),
        cmocka_unit_test(the_end_of_the_line_is_the_end),
    };
    return cmocka_run_group_tests(tests, desk_make_folder, desk_remove_folder);
}
