/* What is recorded when the clock is set, and when it is right at last. */
#include "keeper/wallclock.h"

#include "base/json.h"
#include "keeper/fixture.h"
#include "proof/receipt.h"

static struct fixture fixture;
static struct loop *loop;
static struct group group;
static struct wallclock wallclock;
static struct buffer said; /* "TYPE DATA;" of each event */

static const int64_t SECOND_US = 1000000, DAY_US = 86400LL * 1000000;
static const int64_t NOON_US = 1795348800LL * 1000000; /* 2026-11-22T12:00:00Z */

static void committed(void *owner, int err, bool had_alarm)
{
    (void)owner;
    (void)had_alarm;
    wallclock_committed(&wallclock, err);
}

static int start(void **state)
{
    (void)state;
    fixture_open(&fixture);
    assert_int_equal(loop_open(&loop), 0);
    group_open(&group, loop, fixture.journal, committed, NULL);
    wallclock_open(&wallclock, loop, &group);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    wallclock_close(&wallclock);
    group_close(&group);
    fixture_close(&fixture);
    loop_close(loop);
    buffer_free(&said);
    return 0;
}

static void look(int64_t mono_s, int64_t utc_us, enum now_quality quality)
{
    struct wallclock_sight sight = {utc_us, mono_s * SECOND_US, quality};
    wallclock_look(&wallclock, &sight);
}

static int take_body(void *owner, const struct store_event *event)
{
    struct json *json;
    assert_int_equal(json_parse(&json, event->body, event->length), 0);
    buffer_printf(owner, "%s ", json_text(json, "type"));
    json_print(owner, json_get(json, "data"));
    buffer_append_text(owner, ";");
    json_free(json);
    return 0;
}

/* Everything that has been recorded. */
static const char *recorded(void)
{
    buffer_clear(&said);
    group_commit(&group);
    assert_int_equal(store_each_event(fixture.journal->store, 0, 100, take_body, &said),
                     0);
    return buffer_text(&said);
}

static void a_clock_that_goes_is_not_worth_a_word(void **state)
{
    (void)state;
    for (int s = 0; s < 100; s++)
        look(s, NOON_US + s * SECOND_US, s % 2 ? NOW_SYNCED : NOW_HOLDOVER);
    assert_string_equal(recorded(), "");
}

static void a_jump_is_recorded_once_with_where_it_came_from(void **state)
{
    (void)state;
    look(10, NOON_US, NOW_HOLDOVER);
    look(11, NOON_US + DAY_US + SECOND_US, NOW_HOLDOVER);
    look(12, NOON_US + DAY_US + 2 * SECOND_US, NOW_HOLDOVER);
    assert_string_equal(recorded(),
                        "clock.jumped {\"from\":\"2026-11-22T12:00:01.000000Z\","
                        "\"to\":\"2026-11-23T12:00:01.000000Z\",\"seconds\":86400};");
}

static void a_jump_back_to_the_beginning_of_time_is_negative(void **state)
{
    (void)state;
    look(10, NOON_US, NOW_HOLDOVER);
    look(11, 500000, NOW_UNSET);
    assert_string_equal(recorded(),
                        "clock.jumped {\"from\":\"2026-11-22T12:00:01.000000Z\","
                        "\"to\":\"1970-01-01T00:00:00.500000Z\","
                        "\"seconds\":-1795348800.5};");
}

static void less_than_the_bound_is_no_jump_and_the_bound_is_one(void **state)
{
    (void)state;
    look(10, NOON_US, NOW_HOLDOVER);
    look(11, NOON_US + SECOND_US + WALLCLOCK_JUMP_US - 1, NOW_HOLDOVER);
    look(12, NOON_US + 2 * SECOND_US - WALLCLOCK_JUMP_US + 1, NOW_HOLDOVER);
    assert_string_equal(recorded(), "");
    look(13, NOON_US + 3 * SECOND_US - WALLCLOCK_JUMP_US, NOW_HOLDOVER);
    assert_non_null(strstr(recorded(), "\"seconds\":-1}"));
}

static void small_steps_add_up_to_a_jump(void **state)
{
    (void)state;
    for (int s = 0; s <= 10; s++)
        look(s, NOON_US + s * (SECOND_US + 100000), NOW_HOLDOVER);
    assert_non_null(strstr(recorded(), "\"seconds\":1}"));
    assert_null(strstr(recorded() + 20, "clock.jumped"));
}

static void a_clock_that_becomes_right_is_told_with_its_boot(void **state)
{
    char expected[256];
    (void)state;
    look(10, 0, NOW_UNSET);
    look(11, NOON_US, NOW_HOLDOVER);
    assert_null(strstr(recorded(), "clock.corrected"));
    look(12, NOON_US + SECOND_US, NOW_SYNCED);
    look(13, NOON_US + 2 * SECOND_US, NOW_SYNCED);
    snprintf(expected, sizeof(expected),
             "\"seconds\":1795348799};clock.corrected {\"boot\":\"%s\","
             "\"mono\":\"12000000\",\"utc\":\"2026-11-22T12:00:01.000000Z\"};",
             now_boot());
    assert_string_equal(strstr(recorded(), "\"seconds\""), expected);
}

static void a_clock_that_was_never_wrong_needs_no_correction(void **state)
{
    (void)state;
    look(10, NOON_US, NOW_HOLDOVER);
    look(11, NOON_US + SECOND_US, NOW_SYNCED);
    look(12, NOON_US + 2 * SECOND_US, NOW_HOLDOVER);
    look(13, NOON_US + 3 * SECOND_US, NOW_SYNCED);
    assert_string_equal(recorded(), "");
}

static void what_was_undone_with_its_group_is_said_again(void **state)
{
    (void)state;
    look(10, 0, NOW_UNSET);
    look(11, NOON_US, NOW_SYNCED);
    group_fail(&group, -ENOSPC);
    assert_string_equal(recorded(), "");
    look(12, NOON_US + SECOND_US, NOW_SYNCED);
    assert_non_null(strstr(recorded(), "clock.jumped"));
    assert_non_null(strstr(recorded(), "\"mono\":\"12000000\""));
    look(13, NOON_US + 2 * SECOND_US, NOW_SYNCED);
    assert_non_null(recorded());
    assert_int_equal(fixture.journal->size, 2);
}

/* A keeper that was away: the newest event of this boot tells what the clock was. */
static void the_next_keeper_of_this_boot_knows_what_the_last_one_saw(void **state)
{
    (void)state;
    int64_t mono_us = now_mono_us(), utc_us = now_utc_us();
    fixture_fill(fixture.journal, 1);
    wallclock_open(&wallclock, loop, &group);
    assert_true(wallclock.word.knows);
    assert_true(llabs(wallclock.word.offset_us - (utc_us - mono_us)) < SECOND_US / 10);
    assert_false(wallclock.word.was_wrong);
    assert_int_equal(journal_begin(fixture.journal), 0);
    fixture_append(fixture.journal, LANE_RECORD, "clock.jumped", "{}");
    assert_int_equal(journal_commit(fixture.journal), 0);
    wallclock_open(&wallclock, loop, &group);
    assert_true(wallclock.word.was_wrong);
    assert_int_equal(journal_begin(fixture.journal), 0);
    fixture_append(fixture.journal, LANE_RECORD, "clock.corrected", "{}");
    assert_int_equal(journal_commit(fixture.journal), 0);
    wallclock_open(&wallclock, loop, &group);
    assert_false(wallclock.word.was_wrong);
}

static void the_floor_is_lifted_to_the_citys_last_word(void **state)
{
    struct receipt receipt = {.lane = {-1, -1, -1}};
    (void)state;
    receipt.time_us = now_floor_us() + DAY_US;
    strcpy(receipt.office, FIXTURE_OFFICE);
    strcpy(receipt.log, fixture.journal->log.log);
    receipt_sign(&fixture.journal->receipt, &receipt, fixture.key);
    wallclock_open(&wallclock, loop, &group);
    assert_true(now_floor_us() >= receipt.time_us);
    assert_true(now_floor_us() < receipt.time_us + 60 * SECOND_US);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_clock_that_goes_is_not_worth_a_word, start,
                                        stop),
        cmocka_unit_test_setup_teardown(a_jump_is_recorded_once_with_where_it_came_from,
                                        start, stop),
        cmocka_unit_test_setup_teardown(a_jump_back_to_the_beginning_of_time_is_negative,
                                        start, stop),
        cmocka_unit_test_setup_teardown(
            less_than_the_bound_is_no_jump_and_the_bound_is_one, start, stop),
        cmocka_unit_test_setup_teardown(small_steps_add_up_to_a_jump, start, stop),
        cmocka_unit_test_setup_teardown(a_clock_that_becomes_right_is_told_with_its_boot,
                                        start, stop),
        cmocka_unit_test_setup_teardown(a_clock_that_was_never_wrong_needs_no_correction,
                                        start, stop),
        cmocka_unit_test_setup_teardown(
            the_next_keeper_of_this_boot_knows_what_the_last_one_saw, start, stop),
        cmocka_unit_test_setup_teardown(what_was_undone_with_its_group_is_said_again,
                                        start, stop),
        cmocka_unit_test_setup_teardown(the_floor_is_lifted_to_the_citys_last_word, start,
                                        stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
