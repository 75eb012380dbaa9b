/* What verifies of a journal set aside comes into the new log once, whatever happens meanwhile. */
#include "keeper/repair/salvage.h"

#include "base/json.h"
#include "keeper/fixture.h"
#include "keeper/repair/damage.h"
#include "keeper/repair/opening.h"

enum { MOST = 2000 };

struct office {
    char state[200];
    struct fixture now; /* the journal that goes on */
    struct loop *loop;
    struct group group;
    struct salvage salvage;
    int last_err;
};

static struct office office;

static void committed(void *owner, int err, bool had_alarm)
{
    (void)owner;
    (void)had_alarm;
    office.last_err = err;
}

static void open_salvage(void)
{
    assert_int_equal(loop_open(&office.loop), 0);
    group_open(&office.group, office.loop, office.now.journal, committed, NULL);
    salvage_open(&office.salvage, office.loop, &office.group, office.state, NULL);
    assert_int_equal(salvage_admit(&office.salvage, "", ""), 0);
    group_commit(&office.group);
    salvage_start(&office.salvage);
}

static void close_salvage(void)
{
    salvage_close(&office.salvage);
    group_close(&office.group);
    loop_close(office.loop);
}

/* As a crash and a new start do: what is not on disk is forgotten. */
static void start_again(void)
{
    close_salvage();
    assert_int_equal(fixture_reopen(&office.now), 0);
    open_salvage();
}

static int start(void **state)
{
    (void)state;
    memset(&office, 0, sizeof(office));
    fixture_folder(office.state, sizeof(office.state));
    assert_int_equal(
        key_make(&office.now.key, suite_named(FIXTURE_SUITE), "outpost/" FIXTURE_OFFICE),
        0);
    snprintf(office.now.folder, sizeof(office.now.folder), "%s/journal", office.state);
    assert_int_equal(file_make_folders(office.now.folder), 0);
    assert_int_equal(fixture_reopen(&office.now), 0);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    close_salvage();
    journal_close(office.now.journal);
    key_free(office.now.key);
    buffer_free(&office.now.why);
    fixture_remove(office.state);
    return 0;
}

/* The journal that goes on becomes one that was set aside, and another begins. */
static void set_aside(const char *name)
{
    char aside[600];
    journal_close(office.now.journal);
    office.now.journal = NULL;
    office.now.signed_size = 0;
    snprintf(aside, sizeof(aside), "%s/%s%s", office.state, damage_prefix, name);
    assert_int_equal(rename(office.now.folder, aside), 0);
    assert_int_equal(file_make_folders(office.now.folder), 0);
    assert_int_equal(fixture_reopen(&office.now), 0);
}

static void run_until_done(void)
{
    while (office.salvage.job.folder[0] != '\0')
        assert_true(loop_turn(office.loop));
}

/* What the new log holds of the old one. */
struct wraps {
    char log[WORD_ID_MAX + 1];
    int count, own, damaged;
    bool is_there[MOST];
    char last[2000]; /* data of the newest journal.damaged */
};

static int look_at_wrap(struct wraps *wraps, const struct store_event *event,
                        const struct json *wrapped)
{
    int64_t seq = json_number(wrapped, "seq", -1);
    if (strcmp(json_text(wrapped, "log"), wraps->log) != 0)
        return 0;
    assert_true(seq >= 0 && seq < MOST);
    assert_false(wraps->is_there[seq]); /* once */
    assert_int_equal(strlen(json_text(wrapped, "leaf")), 64);
    assert_string_equal(json_text(wrapped, "lane"), talk_lane_name(event->lane));
    const struct json *original = json_get(wrapped, "event");
    if (original != NULL) {
        char id[200];
        snprintf(id, sizeof(id), "%s/%s/%d", FIXTURE_OFFICE, wraps->log, (int)seq);
        assert_string_equal(json_text(original, "id"), id);
        assert_string_equal(json_text(original, "lane"), talk_lane_name(event->lane));
    }
    wraps->is_there[seq] = true;
    wraps->count++;
    return 0;
}

static int look_at(void *owner, const struct store_event *event)
{
    struct wraps *wraps = owner;
    struct json *json;
    assert_int_equal(json_parse(&json, event->body, event->length), 0);
    const char *type = json_text(json, "type");
    if (strcmp(type, "journal.salvaged") == 0)
        look_at_wrap(wraps, event, json_get(json, "data"));
    else if (strcmp(type, "journal.damaged") == 0) {
        struct buffer data = {0};
        json_print(&data, json_get(json, "data"));
        snprintf(wraps->last, sizeof(wraps->last), "%s", buffer_text(&data));
        buffer_free(&data);
        wraps->damaged++;
    } else
        wraps->own++;
    json_free(json);
    return 0;
}

static struct wraps look(const char *log)
{
    struct wraps wraps = {.count = 0};
    snprintf(wraps.log, sizeof(wraps.log), "%s", log);
    assert_int_equal(
        store_each_event(office.now.journal->store, 0, 1 << 20, look_at, &wraps), 0);
    return wraps;
}

static void every_event_that_verifies_comes_once_and_in_its_lane(void **state)
{
    char log[WORD_ID_MAX + 1];
    (void)state;
    fixture_fill(office.now.journal, 300);
    fixture_sign(&office.now);
    fixture_fill(office.now.journal, 700);
    fixture_seal(&office.now);
    fixture_sql(&office.now, "DELETE FROM event WHERE seq IN (900, 903)");
    strcpy(log, office.now.journal->log.log);
    set_aside("1");
    open_salvage();
    run_until_done();
    struct wraps wraps = look(log);
    assert_int_equal(wraps.count, 998);
    assert_false(wraps.is_there[900] || wraps.is_there[903]);
    assert_int_equal(wraps.damaged, 2);
    assert_non_null(strstr(wraps.last, "\"folder\":\"journal-damaged-1\""));
    assert_non_null(strstr(wraps.last, "\"salvaged\":{\"alarm\":332,"));
    assert_non_null(strstr(wraps.last, "\"unknown\":2"));
    start_again(); /* done is done */
    assert_int_equal(office.salvage.job.folder[0], '\0');
    assert_int_equal(look(log).damaged, 2);
}

static void a_start_in_the_middle_brings_nothing_twice(void **state)
{
    char log[WORD_ID_MAX + 1];
    int starts = 0;
    (void)state;
    fixture_fill(office.now.journal, 1200);
    strcpy(log, office.now.journal->log.log);
    set_aside("1");
    open_salvage();
    while (office.salvage.job.folder[0] != '\0') {
        for (int turn = 0; turn < 15 + starts % 9 && office.salvage.job.folder[0]; turn++)
            assert_true(loop_turn(office.loop));
        start_again();
        starts++;
    }
    assert_true(starts > 3);
    assert_int_equal(look(log).count, 1200);
    assert_int_equal(look(log).damaged, 2);
}

/* Of a journal damaged while it was salvaging another, the wrapped events come out of their first
 * wrapping. */
static void a_second_damage_in_the_middle_brings_nothing_twice(void **state)
{
    char log[WORD_ID_MAX + 1], second[WORD_ID_MAX + 1];
    (void)state;
    fixture_fill(office.now.journal, 1200);
    strcpy(log, office.now.journal->log.log);
    set_aside("1");
    open_salvage();
    while (look(log).count == 0)
        assert_true(loop_turn(office.loop));
    int before = look(log).count;
    assert_true(before < 1200);
    close_salvage();
    fixture_fill(office.now.journal, 30);
    strcpy(second, office.now.journal->log.log);
    set_aside("2");
    char old[600];
    snprintf(old, sizeof(old), "%s/journal-damaged-2/tail.db", office.state);
    assert_int_equal(journal_begin(office.now.journal), 0);
    assert_int_equal(store_copy_keys(office.now.journal->store, old), 0);
    assert_int_equal(journal_commit(office.now.journal), 0);
    open_salvage();
    run_until_done();
    assert_int_equal(look(log).count, 1200);
    assert_int_equal(look(second).count, 31); /* and the alarm that was in it */
}

static void an_event_too_large_to_be_wrapped_is_named_with_its_place(void **state)
{
    char log[WORD_ID_MAX + 1];
    char *text = malloc(TALK_DATA_MAX);
    (void)state;
    for (int over = 0; over <= 1; over++) {
        int length = TALK_DATA_MAX - 10 - (over ? 0 : 1600);
        memset(text, 'x', (size_t)length);
        memcpy(text, "{\"x\":\"", 6);
        memcpy(text + length - 3, "\"}", 3);
        assert_int_equal(journal_begin(office.now.journal), 0);
        fixture_append(office.now.journal, LANE_RECORD, "band.seen", text);
        assert_int_equal(journal_commit(office.now.journal), 0);
    }
    strcpy(log, office.now.journal->log.log);
    set_aside("1");
    open_salvage();
    run_until_done();
    assert_int_equal(look(log).count, 2);
    assert_int_equal(
        fixture_ask(&office.now,
                    "SELECT count(*) FROM event WHERE body -> '$.data.event' "
                    "IS NOT NULL"),
        1);
    assert_int_equal(fixture_ask(&office.now,
                                 "SELECT body ->> '$.data.seq' FROM event WHERE body ->> "
                                 "'$.data.folder' = 'journal-damaged-1' AND body ->> "
                                 "'$.type' = 'journal.salvaged'"),
                     1);
    free(text);
}

static void when_it_happened_and_whom_it_is_about_stay(void **state)
{
    struct event_draft draft = {.source = "band/gate",
                                .type = "band.opened",
                                .subject = "person/4711",
                                .lane = LANE_ALARM,
                                .time_us = 1700000000123456,
                                .data = "{}",
                                .data_length = 2};
    int64_t seq;
    (void)state;
    assert_int_equal(journal_begin(office.now.journal), 0);
    assert_int_equal(journal_append(office.now.journal, &draft, &seq), 0);
    assert_int_equal(journal_commit(office.now.journal), 0);
    set_aside("1");
    open_salvage();
    run_until_done();
    assert_int_equal(
        fixture_ask(&office.now,
                    "SELECT count(*) FROM event WHERE body ->> '$.subject' = "
                    "'person/4711' AND body ->> '$.time' = "
                    "'2023-11-14T22:13:20.123456Z' AND lane = 0 AND "
                    "body ->> '$.type' = 'journal.salvaged'"),
        1);
}

static void what_cannot_be_read_at_all_is_left_and_said(void **state)
{
    char path[600];
    (void)state;
    fixture_fill(office.now.journal, 10);
    set_aside("1");
    snprintf(path, sizeof(path), "%s/journal-damaged-1/tail.db", office.state);
    unlink(path);
    open_salvage();
    run_until_done();
    struct wraps wraps = look("");
    assert_int_equal(wraps.damaged, 2);
    assert_non_null(strstr(wraps.last, "\"salvaged\":{\"alarm\":0,"));
    assert_true(file_exists(path) == false);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(every_event_that_verifies_comes_once_and_in_its_lane),
        CASE(a_start_in_the_middle_brings_nothing_twice),
        CASE(a_second_damage_in_the_middle_brings_nothing_twice),
        CASE(an_event_too_large_to_be_wrapped_is_named_with_its_place),
        CASE(when_it_happened_and_whom_it_is_about_stay),
        CASE(what_cannot_be_read_at_all_is_left_and_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
