/* What the keeper records of itself. */
#include "keeper/self.h"

#include "base/json.h"
#include "keeper/fixture.h"

static struct fixture fixture;
static struct loop *loop;
static struct group group;
static int last_err;

static void committed(void *owner, int err, bool had_alarm)
{
    (void)owner;
    (void)had_alarm;
    last_err = err;
}

static int start(void **state)
{
    (void)state;
    fixture_open(&fixture);
    last_err = 0;
    assert_int_equal(loop_open(&loop), 0);
    group_open(&group, loop, fixture.journal, committed, NULL);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    group_close(&group);
    fixture_close(&fixture);
    loop_close(loop);
    return 0;
}

static int take_body(void *owner, const struct store_event *event)
{
    struct json *json;
    assert_int_equal(json_parse(&json, event->body, event->length), 0);
    assert_string_equal(json_text(json, "source"), "/" FIXTURE_OFFICE "/keeper/keeper");
    buffer_printf(owner, "%s %s;", json_text(json, "type"), json_text(json, "lane"));
    json_free(json);
    return 0;
}

static void each_type_has_its_lane(void **state)
{
    struct buffer said = {0};
    (void)state;
    self_record(&group, "box.started", "{}");
    self_record(&group, "box.stopped", "{}");
    self_record(&group, "plugin.restarted", "{\"instance\":\"gate\"}");
    assert_false(group.has_alarm);
    self_record(&group, "plugin.quarantined", "{}");
    assert_true(group.has_alarm);
    self_record(&group, "journal.damaged", "{}");
    group_commit(&group);
    assert_int_equal(store_each_event(fixture.journal->store, 0, 10, take_body, &said),
                     0);
    assert_string_equal(buffer_text(&said),
                        "box.started record;box.stopped record;plugin.restarted record;"
                        "plugin.quarantined alarm;journal.damaged alarm;");
    buffer_free(&said);
}

static void what_cannot_be_recorded_fails_with_its_group(void **state)
{
    (void)state;
    self_record(&group, "box.started", "{}");
    assert_int_equal(
        store_add_event(fixture.journal->store,
                        &(struct store_event){.seq = 1, .body = "x", .length = 1}),
        0);
    self_record(&group, "box.stopped", "{}"); /* the sequence is taken */
    assert_int_equal(last_err, -EIO);
    assert_int_equal(fixture.journal->size, 0);
    assert_false(fixture.journal->is_open);
    self_record(&group, "box.started", "{}");
    group_commit(&group);
    assert_int_equal(fixture.journal->size, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_type_has_its_lane, start, stop),
        cmocka_unit_test_setup_teardown(what_cannot_be_recorded_fails_with_its_group,
                                        start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
