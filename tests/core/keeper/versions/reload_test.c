/* What a reload does with what it is told: scripts stand for the host, which answers no PING. */
#include "keeper/versions/reload.h"

#include <signal.h>

#include "keeper/house.h"
#include "keeper/scripts.h"

static struct house house;
static struct supervisor supervisor;
static struct reload reload;
static struct config *config;
static char libexec[300], folder[300];
static int speaker; /* the end that says RELOAD */
static bool instead;

/* Loads well, and then runs without a word. */
static const char GOOD[] = "[ \"$1\" = trial ] && exit 0; exec sleep 100";

static int hear(void *owner, struct peer *peer, const struct frame *frame)
{
    (void)owner;
    return reload_hear(&reload, peer, frame);
}

static void forget(void *owner, const struct peer *peer)
{
    (void)owner;
    reload_forget(&reload, peer);
}

static void took(void *owner, const struct config *current)
{
    assert_ptr_equal(owner, &house);
    assert_ptr_equal(current, reload.current);
}

/* A configuration with these plugins, `more` before them. */
static void print_config(struct buffer *text, const char *more, const char *plugins)
{
    buffer_printf(text,
                  "{\"office\":{\"id\":\"o\"},\"lua\":\"%s/lua\",%s\"plugins\":[%s]}",
                  folder, more, plugins);
}

static void print_plugin(struct buffer *text, const char *instance, int setting)
{
    buffer_printf(text,
                  "%s{\"plugin\":\"band\",\"instance\":\"%s\",\"folder\":\"%s/band\","
                  "\"config\":{\"a\":%d}}",
                  text->length ? "," : "", instance, folder, setting);
}

static int start(void **state)
{
    struct buffer plugins = {0}, text = {0};
    (void)state;
    house_open(&house);
    strcpy(folder, house.fixture.folder);
    strcpy(libexec, fixture_path(&house.fixture, "libexec"));
    assert_int_equal(file_make_folders(libexec), 0);
    fixture_write(folder, "band/plugin.lua", "return {}");
    fixture_write(folder, "lua/bits.lua", "return {}");
    scripts_put(libexec, "host", true, GOOD);
    print_plugin(&plugins, "gate", 1);
    print_plugin(&plugins, "hall", 1);
    print_config(&text, "", buffer_text(&plugins));
    assert_int_equal(config_open(&config, text.bytes, text.length), 0);
    supervisor_open(&supervisor, house.loop, &house.children, &house.group, libexec);
    reload_open(&reload, &supervisor, config, folder);
    reload.took = took;
    reload.owner = &house;
    house.children.reload = hear;
    house.children.forget = forget;
    reload_start(&reload);
    ends_run(house.loop, -1, 100); /* the scripts have been read */
    speaker = house.ends[HOUSE_READER];
    instead = false;
    ends_tell(speaker, TALK_HELLO, 0);
    buffer_free(&plugins);
    buffer_free(&text);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    reload_close(&reload);
    supervisor_close(&supervisor);
    config_close(config);
    house_close(&house);
    return 0;
}

static void say_part(size_t from, const char *text, size_t length, bool more)
{
    struct buffer frame = {0};
    frame_begin(&frame, TALK_RELOAD, 5);
    frame_put_number(&frame, TAG_OFFSET, (int64_t)from);
    frame_put(&frame, TAG_TEXT, text, length);
    if (more)
        frame_put(&frame, TAG_MORE, "", 0);
    if (instead)
        frame_put(&frame, TAG_INSTEAD, "", 0);
    ends_say(speaker, &frame);
    buffer_free(&frame);
}

/* Says RELOAD with gate set to `gate`, hall to `hall` (0: without them), in two parts. */
static void say_reload(const char *more, int gate, int hall)
{
    struct buffer plugins = {0}, text = {0};
    if (gate != 0)
        print_plugin(&plugins, "gate", gate);
    if (hall != 0)
        print_plugin(&plugins, "hall", hall);
    print_config(&text, more, buffer_text(&plugins));
    say_part(0, text.bytes, 20, true);
    say_part(20, text.bytes + 20, text.length - 20, false);
    buffer_free(&plugins);
    buffer_free(&text);
}

/* The scripts do not stop when they are told: nobody needs to wait for that. */
static void hurry(void)
{
    for (size_t i = 0; i < supervisor.count; i++)
        if (loop_timer_is_running(&supervisor.child[i].halt))
            loop_timer_start(house.loop, &supervisor.child[i].halt, 10);
}

/* Hears PROGRESS until DONE: "gate waiting, gate starting, ...". Its errno. */
static int64_t hear_all_at(int end, struct buffer *said)
{
    for (;;) {
        struct field text;
        struct json *json;
        hurry();
        assert_true(ends_hear(house.loop, end, &house.heard));
        assert_int_equal(house.heard.frame.id, 5);
        const struct fields *fields = &house.heard.frame.fields;
        if (house.heard.frame.type == TALK_DONE)
            return ends_number(fields, TAG_ERROR);
        assert_int_equal(house.heard.frame.type, TALK_PROGRESS);
        assert_int_equal(fields_find(fields, TAG_TEXT, &text), 0);
        assert_int_equal(json_parse(&json, text.bytes, text.length), 0);
        buffer_printf(said, "%s %s, ", json_text(json, "instance"),
                      json_text(json, "state"));
        json_free(json);
    }
}

static int64_t hear_all(struct buffer *said)
{
    return hear_all_at(house.ends[HOUSE_READER], said);
}

static void expect_all(int64_t err, const char *words)
{
    struct buffer said = {0};
    assert_int_equal(hear_all(&said), err);
    assert_string_equal(buffer_text(&said), words);
    assert_int_equal(reload.phase, RELOAD_RESTS);
    buffer_free(&said);
}

static void what_did_not_change_is_not_touched(void **state)
{
    (void)state;
    pid_t pid = supervisor_find(&supervisor, "gate")->pid;
    say_reload("\"update\":{\"trial\":5000},", 1, 1);
    expect_all(0, "gate unchanged, hall unchanged, ");
    assert_int_equal(supervisor_find(&supervisor, "gate")->pid, pid);
    assert_int_equal(reload.current->trial_ms, 5000);
}

/* So a version whose snapshot is gone is never what a start would return to. */
static void what_cannot_be_kept_is_said_and_removes_no_snapshot(void **state)
{
    const char *good = fixture_path(&house.fixture, "config.good");
    char snapshot[400];
    (void)state;
    snprintf(snapshot, sizeof(snapshot), "%s",
             json_text(supervisor_find(&supervisor, "hall")->version->start, "folder"));
    assert_int_equal(unlink(good), 0);
    assert_int_equal(mkdir(good, 0700), 0);
    say_reload("", 1, 0);
    expect_all(ECANCELED, "hall stopping, gate unchanged, hall removed, ");
    assert_true(file_exists(snapshot));
}

static void one_that_is_not_asked_for_any_more_is_stopped(void **state)
{
    (void)state;
    say_reload("", 1, 0);
    expect_all(0, "hall stopping, gate unchanged, hall removed, ");
    assert_null(supervisor_find(&supervisor, "hall"));
    assert_null(accepted_find(&reload.accepted, "hall"));
}

static void a_version_that_does_not_answer_is_returned_from(void **state)
{
    (void)state;
    struct child *gate = supervisor_find(&supervisor, "gate");
    struct version *before = version_hold(gate->version);
    say_reload("\"update\":{\"trial\":2000},", 2, 1);
    expect_all(ECANCELED, "hall unchanged, gate waiting, gate starting, gate starting, "
                          "gate on trial, gate returning, gate returned, ");
    assert_true(version_is(gate->version, before));
    assert_true(gate->pid > 0);
    assert_null(gate->ended);
    assert_false(accepted_mark_of(&reload.accepted, "gate")->on_trial);
    assert_true(version_is(accepted_find(&reload.accepted, "gate"), before));
    version_drop(before);
}

static void a_version_that_cannot_be_loaded_touches_nobody(void **state)
{
    (void)state;
    struct child *gate = supervisor_find(&supervisor, "gate");
    pid_t pid = gate->pid;
    scripts_put(libexec, "host", true, "exit 1");
    fixture_write(folder, "band/plugin.lua", "return 2");
    say_reload("", 1, 1);
    expect_all(ECANCELED, "gate waiting, hall waiting, gate starting, gate returned, "
                          "hall starting, hall returned, ");
    assert_int_equal(gate->pid, pid);
}

static void the_mark_of_a_trial_is_on_disk_while_it_runs(void **state)
{
    struct accepted kept;
    (void)state;
    struct child *gate = supervisor_find(&supervisor, "gate");
    char id[SNAPSHOT_HASH_ROOM];
    strcpy(id, gate->version->id);
    say_reload("", 2, 1);
    for (int i = 0; i < ENDS_TURNS && strcmp(gate->version->id, id) == 0; i++)
        hurry(), ends_run(house.loop, -1, 10);
    accepted_open(&kept, folder, "o");
    assert_true(accepted_mark_of(&kept, "gate")->on_trial);
    assert_string_equal(accepted_mark_of(&kept, "gate")->version, gate->version->id);
    assert_string_equal(accepted_find(&kept, "gate")->id, id);
    accepted_close(&kept);
}

static void what_needs_a_restart_changes_nothing(void **state)
{
    (void)state;
    say_reload("\"storage\":{\"quota\":67108864,\"reserve\":8388608},", 2, 1);
    expect_all(ENOTSUP, "");
    assert_ptr_equal(reload.current, config);
}

static void what_is_not_as_agreed_changes_nothing(void **state)
{
    (void)state;
    say_part(0, "{\"office\":1}", 12, false);
    expect_all(EINVAL, "");
    char *large = calloc(1, 200 * 1024);
    for (size_t i = 0; i < 6; i++) {
        say_part(i * 200 * 1024, large, 200 * 1024, true);
        ends_run(house.loop, -1, 10);
    }
    expect_all(EFBIG, "");
    free(large);
}

static void code_that_cannot_be_read_changes_nothing(void **state)
{
    (void)state;
    fixture_remove(fixture_path(&house.fixture, "band"));
    say_reload("", 2, 1);
    expect_all(ENOENT, "");
    assert_ptr_equal(reload.current, config);
}

/* Somebody else who asks for a reload. */
static struct peer other;
static int other_end;

static void other_comes(void)
{
    int fds[2];
    assert_int_equal(line_pair(fds), 0);
    other = (struct peer){
        .role = PEER_READER, .name = "other", .owner = &house, .gone = house_gone};
    assert_int_equal(children_add(&house.children, &other, fds[0]), 0);
    other_end = fds[1];
    ends_tell(other_end, TALK_HELLO, 0);
    speaker = other_end;
}

/* Gate changes, and is told to stop: which it does when it is hurried. */
static void begin_one(const char *more)
{
    say_reload(more, 2, 1);
    while (reload.phase != RELOAD_WORKS || reload.change[0].state != CHANGE_STOPS)
        ends_run(house.loop, -1, 10);
}

static void let_all_end(void)
{
    for (int i = 0;
         i < ENDS_TURNS && (reload.phase != RELOAD_RESTS || reload.wish.is_there); i++)
        hurry(), ends_run(house.loop, -1, 10);
    assert_int_equal(reload.phase, RELOAD_RESTS);
    assert_false(reload.wish.is_there);
}

static void one_at_a_time_and_the_newest_that_waits_is_next(void **state)
{
    struct buffer said = {0};
    (void)state;
    begin_one("");
    scripts_put(libexec, "host", true, "[ \"$1\" = trial ] && exit 0; exit 1");
    other_comes();
    say_reload("", 3, 1);
    say_reload("", 1, 1);
    assert_int_equal(hear_all_at(other_end, &said), EBUSY); /* the first of the two */
    assert_non_null(strstr(buffer_text(&said), "* queued, "));
    assert_int_equal(reload.phase, RELOAD_WORKS);
    let_all_end();
    buffer_clear(&said);
    assert_int_equal(hear_all_at(other_end, &said), 0);
    assert_string_equal(buffer_text(&said), "* queued, gate unchanged, hall unchanged, ");
    assert_int_equal(reload.outcome.returned, 0); /* of the last one */
    buffer_free(&said);
    close(other_end);
}

static void one_that_comes_instead_undoes_what_is_on_trial(void **state)
{
    struct buffer said = {0};
    (void)state;
    struct child *gate = supervisor_find(&supervisor, "gate");
    struct version *before = version_hold(gate->version);
    begin_one("\"update\":{\"trial\":3600000},");
    for (int i = 0; i < ENDS_TURNS && reload.change[0].state != CHANGE_TRIES; i++)
        hurry(), ends_run(house.loop, -1, 10);
    assert_int_equal(reload.change[0].state, CHANGE_TRIES);
    other_comes();
    instead = true;
    say_reload("", 1, 0);
    assert_int_equal(hear_all_at(other_end, &said), 0);
    assert_non_null(
        strstr(buffer_text(&said), "* queued, hall stopping, gate unchanged"));
    assert_true(version_is(gate->version, before));
    assert_null(accepted_mark_of(&reload.accepted, "gate"));
    version_drop(before);
    buffer_free(&said);
    close(other_end);
}

/* At whichever moment it comes: what was accepted runs, and nothing of the other is left. */
static void one_may_come_instead_at_any_moment(void **state)
{
    struct buffer said = {0};
    (void)state;
    struct version *before = version_hold(supervisor_find(&supervisor, "gate")->version);
    other_comes();
    for (int moment = 0; moment < 12; moment++) {
        speaker = house.ends[HOUSE_READER];
        instead = false;
        say_reload("\"update\":{\"trial\":3600000},", 2 + moment, 2 + moment);
        for (int turn = 0; turn < moment; turn++)
            hurry(), ends_run(house.loop, -1, 8);
        speaker = other_end;
        instead = true;
        say_reload("", 1, 1);
        assert_int_equal(hear_all_at(other_end, &said), 0);
        struct child *gate = supervisor_find(&supervisor, "gate");
        assert_true(version_is(gate->version, before));
        assert_true(gate->pid > 0);
        assert_null(gate->ended);
        assert_int_equal(reload.accepted.mark_count, 0);
    }
    version_drop(before);
    buffer_free(&said);
    close(other_end);
}

static void kill_often(struct child *child)
{
    int64_t now_us = now_mono_us();
    for (int i = 1; i < RESTART_DEATHS; i++)
        restart_after_death(&child->restart, now_us, 1000);
    pid_t pid = child->pid;
    kill(pid, SIGTERM);
    while (child->pid == pid)
        ends_run(house.loop, -1, 10);
}

/* A leak, a crash after hours; or one that nobody tried, because it was installed while no keeper ran. */
static void one_that_dies_again_and_again_in_its_first_day_is_returned_from(void **state)
{
    (void)state;
    struct child *gate = supervisor_find(&supervisor, "gate");
    struct version *before = version_hold(gate->version);
    struct buffer plugin = {0}, text = {0};
    struct config *next;
    struct version *bad;
    print_plugin(&plugin, "gate", 2);
    print_config(&text, "", buffer_text(&plugin));
    assert_int_equal(config_open(&next, text.bytes, text.length), 0);
    assert_int_equal(version_open(&bad, &next->plugins[0], "o", "band", "lua", folder),
                     0);
    kill_often(gate); /* nothing was accepted before this one */
    assert_true(gate->restart.in_quarantine);
    loop_timer_stop(&gate->again);
    accepted_put(&reload.accepted, bad);
    supervisor_renew(gate, bad);
    kill_often(gate);
    assert_true(version_is(gate->version, before));
    assert_true(gate->pid > 0);
    assert_true(version_is(accepted_find(&reload.accepted, "gate"), before));
    assert_string_equal(accepted_mark_of(&reload.accepted, "gate")->version, bad->id);
    version_drop(before);
    version_drop(bad);
    config_close(next);
    buffer_free(&plugin);
    buffer_free(&text);
}

static void how_it_ended_is_told_to_who_did_not_wait(void **state)
{
    struct buffer told = {0};
    (void)state;
    reload_print(&reload, &told);
    assert_string_equal(
        buffer_text(&told),
        "{\"under_way\":false,\"queued\":false,\"changes\":[],\"last\":null}");
    scripts_put(libexec, "host", true, "exit 1");
    say_reload("", 2, 0);
    assert_int_equal(hear_all(&told), ECANCELED);
    buffer_clear(&told);
    reload_print(&reload, &told);
    const char *text = buffer_text(&told);
    assert_non_null(strstr(text, "\"accepted\":0,\"removed\":1,\"returned\":1,"));
    assert_non_null(strstr(text, "{\"instance\":\"gate\",\"state\":\"returned\",\"why\":"
                                 "\"it cannot be loaded: ended with 1\"}"));
    buffer_free(&told);
}

/* The marks are there before anything is loaded: no moment is left in which a start would take what
 * is installed for accepted. */
static void all_that_are_new_are_marked_before_anything_is_touched(void **state)
{
    struct accepted kept;
    (void)state;
    say_reload("", 2, 3);
    while (reload.phase != RELOAD_WORKS)
        ends_run(house.loop, -1, 1);
    accepted_open(&kept, folder, "o");
    assert_true(accepted_mark_of(&kept, "gate")->on_trial);
    assert_true(accepted_mark_of(&kept, "hall")->on_trial);
    accepted_close(&kept);
}

static void what_cannot_be_marked_is_not_tried(void **state)
{
    const char *good = fixture_path(&house.fixture, "config.good");
    (void)state;
    pid_t pid = supervisor_find(&supervisor, "gate")->pid;
    assert_int_equal(unlink(good), 0);
    assert_int_equal(mkdir(good, 0700), 0);
    say_reload("", 2, 1);
    expect_all(EISDIR, "");
    assert_int_equal(supervisor_find(&supervisor, "gate")->pid, pid);
    assert_ptr_equal(reload.current, config);
    assert_int_equal(reload.accepted.mark_count, 0);
}

static void it_goes_on_without_who_asked(void **state)
{
    (void)state;
    say_reload("\"update\":{\"trial\":2000},", 2, 1);
    ends_run(house.loop, -1, 50);
    children_remove(&house.children, &house.peers[HOUSE_READER]);
    assert_null(reload.call.reader);
    for (int i = 0; i < ENDS_TURNS && reload.phase != RELOAD_RESTS; i++)
        hurry(), ends_run(house.loop, -1, 10);
    assert_int_equal(reload.phase, RELOAD_RESTS);
    assert_non_null(accepted_mark_of(&reload.accepted, "gate"));
}

static void half_a_configuration_is_forgotten_with_who_said_it(void **state)
{
    (void)state;
    say_part(0, "{\"office\":", 10, true);
    ends_run(house.loop, -1, 20);
    assert_true(reload.wish.is_there);
    children_remove(&house.children, &house.peers[HOUSE_READER]);
    assert_false(reload.wish.is_there);
}

/* Nobody keeps others from a reload by saying half of one. */
static void who_says_no_more_is_not_waited_for(void **state)
{
    (void)state;
    say_part(0, "{\"office\":", 10, true);
    ends_run(house.loop, -1, 20);
    loop_timer_start(house.loop, &reload.patience, 10);
    expect_all(ETIMEDOUT, "");
    say_part(10, "1}", 2, false); /* the rest of what was refused */
    say_reload("", 1, 0);
    expect_all(0, "hall stopping, gate unchanged, hall removed, ");
}

static void parts_come_in_their_order(void **state)
{
    (void)state;
    say_part(0, "{\"office\":", 10, true);
    say_part(11, "1}", 2, false);
    ends_run(house.loop, -1, 50);
    assert_true(house.peers[HOUSE_READER].is_ended || house.gone > 0);
    assert_false(reload.wish.is_there);
}

static void when_the_keeper_stops_nothing_is_decided_any_more(void **state)
{
    struct buffer said = {0};
    (void)state;
    say_reload("", 2, 1);
    ends_run(house.loop, -1, 50);
    reload_stop(&reload);
    assert_int_equal(hear_all(&said), ECANCELED);
    assert_null(supervisor_find(&supervisor, "gate")->ended);
    say_reload("", 2, 1);
    assert_int_equal(hear_all(&said), EBUSY);
    buffer_free(&said);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_did_not_change_is_not_touched),
        CASE(what_cannot_be_kept_is_said_and_removes_no_snapshot),
        CASE(one_that_is_not_asked_for_any_more_is_stopped),
        CASE(a_version_that_does_not_answer_is_returned_from),
        CASE(a_version_that_cannot_be_loaded_touches_nobody),
        CASE(the_mark_of_a_trial_is_on_disk_while_it_runs),
        CASE(what_needs_a_restart_changes_nothing),
        CASE(what_is_not_as_agreed_changes_nothing),
        CASE(code_that_cannot_be_read_changes_nothing),
        CASE(one_at_a_time_and_the_newest_that_waits_is_next),
        CASE(one_that_comes_instead_undoes_what_is_on_trial),
        CASE(one_may_come_instead_at_any_moment),
        CASE(one_that_dies_again_and_again_in_its_first_day_is_returned_from),
        CASE(how_it_ended_is_told_to_who_did_not_wait),
        CASE(all_that_are_new_are_marked_before_anything_is_touched),
        CASE(what_cannot_be_marked_is_not_tried),
        CASE(who_says_no_more_is_not_waited_for),
        CASE(parts_come_in_their_order),
        CASE(it_goes_on_without_who_asked),
        CASE(half_a_configuration_is_forgotten_with_who_said_it),
        CASE(when_the_keeper_stops_nothing_is_decided_any_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
