/* A plugin from START to STOP, with a keeper that is this test: the other end of the line. */
#include "host/plugin.h"

#include <errno.h>
#include <lauxlib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/base.h"
#include "base/file.h"
#include "base/log.h"
#include "wire/line.h"
#include "wire/talk.h"

enum { EVENTS_MAX = 64, TURNS_MAX = 2000 };

/* What the plugin under test did, and the keeper's answers. */
static struct {
    int fd;
    struct loop *loop;
    struct plugin plugin;
    char types[EVENTS_MAX][40];
    char data[EVENTS_MAX][120];
    int events;
    int commits;
    int64_t consumed;
    char key[40], value[120]; /* the store holds one key */
    int refuse;               /* so many commits are refused */
    bool silent;              /* commits are not answered now */
    uint32_t fetch_id;
    int64_t fetch_at;
    bool told_health;
} desk;

static char folder[] = "/tmp/outpost-plugin-XXXXXX";

/* ---- The keeper's side */

static void say(struct buffer *frame)
{
    assert_int_equal(send(desk.fd, frame->bytes, frame->length, 0),
                     (ssize_t)frame->length);
    buffer_free(frame);
}

static int64_t number_in(const struct fields *fields, enum talk_tag tag,
                         int64_t otherwise)
{
    struct field field;
    int64_t number = otherwise;
    if (fields_find(fields, (uint8_t)tag, &field) == 0)
        assert_int_equal(field_number(&field, &number), 0);
    return number;
}

static void text_in(const struct fields *fields, enum talk_tag tag, char *text,
                    size_t room)
{
    struct field field;
    assert_int_equal(fields_find(fields, (uint8_t)tag, &field), 0);
    assert_int_equal(field_text(&field, text, room), 0);
}

static void take_effect(const struct field *field)
{
    struct fields inside = field_inside(field);
    if (field->tag == TAG_EVENT) {
        assert_in_range(desk.events, 0, EVENTS_MAX - 1);
        text_in(&inside, TAG_TYPE, desk.types[desk.events], sizeof(desk.types[0]));
        text_in(&inside, TAG_DATA, desk.data[desk.events++], sizeof(desk.data[0]));
    } else if (field->tag == TAG_PUT) {
        text_in(&inside, TAG_KEY, desk.key, sizeof(desk.key));
        text_in(&inside, TAG_VALUE, desk.value, sizeof(desk.value));
    } else if (field->tag == TAG_REMOVE) {
        desk.key[0] = '\0';
    } else {
        desk.consumed = number_in(&inside, TAG_SEQ, -2);
    }
}

static void hear_commit(const struct frame *frame)
{
    struct fields fields = frame->fields;
    struct buffer done = {0};
    struct field field;
    bool refused = desk.refuse > 0 && desk.refuse--;
    while (!refused && fields_next(&fields, &field) == 1)
        take_effect(&field);
    desk.commits++;
    if (desk.silent)
        return;
    frame_begin(&done, TALK_DONE, frame->id);
    frame_put_number(&done, TAG_ERROR, refused ? ENOSPC : 0);
    frame_put_text(&done, TAG_TEXT, refused ? "the disk is full" : "");
    frame_put_number(&done, TAG_SEQ, desk.events - 1);
    say(&done);
}

static void hear_get(const struct frame *frame)
{
    char key[40];
    struct buffer values = {0};
    text_in(&frame->fields, TAG_KEY, key, sizeof(key));
    frame_begin(&values, TALK_VALUES, frame->id);
    if (desk.key[0] != '\0' && strcmp(key, desk.key) == 0) {
        size_t mark = frame_open(&values, TAG_PUT);
        frame_put_text(&values, TAG_KEY, desk.key);
        frame_put_text(&values, TAG_VALUE, desk.value);
        frame_close(&values, mark);
    }
    say(&values);
}

/* Answers the fetch that waits with events numbered from `seq`, whose data is {"n":seq}. */
static void give_events(int64_t seq, int count)
{
    struct buffer events = {0};
    char body[80];
    assert_int_not_equal(desk.fetch_id, 0);
    frame_begin(&events, TALK_EVENTS, desk.fetch_id);
    for (int i = 0; i < count; i++) {
        size_t mark = frame_open(&events, TAG_ENTRY);
        snprintf(body, sizeof(body), "{\"type\":\"x.y\",\"data\":{\"n\":%d}}",
                 (int)seq + i);
        frame_put_number(&events, TAG_SEQ, seq + i);
        frame_put_number(&events, TAG_LANE, LANE_RECORD);
        frame_put_text(&events, TAG_BODY, body);
        frame_close(&events, mark);
    }
    frame_put_number(&events, TAG_SEQ, seq + count);
    desk.fetch_id = 0;
    say(&events);
}

static void hear(const struct frame *frame)
{
    switch (frame->type) {
    case TALK_COMMIT:
        hear_commit(frame);
        break;
    case TALK_GET:
        hear_get(frame);
        break;
    case TALK_FETCH:
        desk.fetch_id = frame->id;
        desk.fetch_at = number_in(&frame->fields, TAG_SEQ, -1);
        break;
    case TALK_HEALTH:
        desk.told_health = true;
        break;
    default:
        assert_true(frame->type == TALK_HELLO || frame->type == TALK_PONG);
    }
}

static void hear_all(void)
{
    static char room[FRAME_MAX];
    struct frame frame;
    ssize_t length;
    while ((length = recv(desk.fd, room, sizeof(room), MSG_DONTWAIT)) > 0) {
        assert_int_equal(frame_read(&frame, room, (size_t)length), 0);
        hear(&frame);
    }
}

static void tick(struct loop_timer *timer)
{
    loop_timer_start(desk.loop, timer, 1);
}

/* Lets the plugin and the keeper talk until `done`. */
static void talk_until(bool (*done)(void))
{
    struct loop_timer beat = {.fire = tick};
    loop_timer_start(desk.loop, &beat, 1);
    for (int i = 0; i < TURNS_MAX && !done(); i++) {
        loop_turn(desk.loop);
        hear_all();
    }
    loop_timer_stop(&beat);
    assert_true(done());
}

static bool ended(void)
{
    return desk.plugin.stopping;
}

static bool has_started(void)
{
    return desk.plugin.started;
}

static bool some_events(void)
{
    return desk.events > 0;
}

static bool consumed_five(void)
{
    return desk.consumed == 5;
}

static bool asked_again(void)
{
    return desk.consumed == 5 && desk.fetch_id != 0 && desk.fetch_at == 6;
}

/* ---- The plugin's side */

static void start(const char *events, const char *body)
{
    char path[100], text[2000], config[400];
    int fds[2];
    desk.consumed = -1;
    snprintf(path, sizeof(path), "%s/plugin.lua", folder);
    snprintf(text, sizeof(text),
             "local plugin = { api = 1, name = 'p', events = { %s } }\n"
             "function plugin.start(host, config)\n%s\nend\nreturn plugin\n",
             events, body);
    assert_int_equal(file_put(path, text, strlen(text), 0600), 0);
    assert_int_equal(line_pair(fds), 0);
    desk.fd = fds[0];
    assert_int_equal(loop_open(&desk.loop), 0);
    assert_int_equal(plugin_open(&desk.plugin, desk.loop, fds[1]), 0);
    struct buffer frame = {0};
    snprintf(config, sizeof(config),
             "{\"plugin\":\"p\",\"instance\":\"test\",\"folder\":\"%s\",\"lua\":\"%s\","
             "\"config\":{\"word\":\"hello\"}}",
             folder, folder);
    frame_begin(&frame, TALK_START, 0);
    frame_put_text(&frame, TAG_CONFIG, config);
    say(&frame);
}

static void tell(enum talk_type type)
{
    struct buffer frame = {0};
    frame_begin(&frame, type, 0);
    say(&frame);
}

/* Ends the plugin if it has not; checks its exit code. */
static void finish(int code)
{
    if (!desk.plugin.stopping) {
        tell(TALK_STOP);
        talk_until(ended);
    }
    assert_int_equal(desk.plugin.exit_code, code);
    plugin_close(&desk.plugin);
    loop_close(desk.loop);
    close(desk.fd);
    memset(&desk, 0, sizeof(desk));
}

static const char ONE_EVENT[] = "['x.y'] = { lane = 'record' }";

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
        "{ data = {} }|type: expected a text",
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
    assert_true(keeperline_is_committing(desk.plugin.line));
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

static int make_folder(void **state)
{
    (void)state;
    setenv("OUTPOST_LOG", "error", 1);
    log_open("plugin_test");
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    char command[100];
    (void)state;
    snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_start_gathers_commits_when_it_returns),
        cmocka_unit_test(a_plugin_that_cannot_start_ends_the_process),
        cmocka_unit_test(an_error_drops_what_the_handler_gathered),
        cmocka_unit_test(a_bad_emit_names_the_field),
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
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
