/* The city's receipts: which are believed, and what they move. */
#include "keeper/children/link.h"

#include "keeper/house.h"

static struct house house;

static int start(void **state)
{
    (void)state;
    house_open(&house);
    house_greet(&house);
    fixture_fill(house.fixture.journal, 30);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    house_close(&house);
    return 0;
}

/* A receipt of this log for the last events of each lane up to `size`. */
static struct receipt receipt_of(int64_t size)
{
    struct receipt receipt = {.time_us = 1795230245000000};
    strcpy(receipt.office, FIXTURE_OFFICE);
    strcpy(receipt.log, house.fixture.journal->log.log);
    for (int lane = 0; lane < LANES; lane++)
        receipt.lane[lane] = size > lane ? lane + (size - 1 - lane) / LANES * LANES : -1;
    return receipt;
}

static void say_receipt(const struct receipt *receipt, const struct key *key, uint32_t id)
{
    struct buffer note = {0}, frame = {0};
    receipt_sign(&note, receipt, key);
    frame_begin(&frame, TALK_RECEIPT, id);
    frame_put(&frame, TAG_TEXT, note.bytes, note.length);
    ends_say(house.ends[HOUSE_UPLINK], &frame);
    buffer_free(&note);
    buffer_free(&frame);
}

static void expect_done(uint32_t id, int err)
{
    ends_done(house.loop, house.ends[HOUSE_UPLINK], &house.heard, id, err);
}

static void expect_mark(int lane, int64_t seq)
{
    ends_expect(house.loop, house.ends[HOUSE_UPLINK], &house.heard, TALK_MARK, 0);
    assert_int_equal(ends_number(&house.heard.frame.fields, TAG_LANE), lane);
    assert_int_equal(ends_number(&house.heard.frame.fields, TAG_SEQ), seq);
}

static void expect_refused(const struct receipt *receipt, const struct key *key, int err)
{
    say_receipt(receipt, key, 9);
    expect_done(9, err);
    for (int lane = 0; lane < LANES; lane++)
        assert_int_equal(house.fixture.journal->marks[lane], -1);
    assert_int_equal(house.fixture.journal->receipt.length, 0);
    ends_expect_silence(house.loop, house.ends[HOUSE_UPLINK]);
}

static void a_good_receipt_moves_the_marks_and_is_kept(void **state)
{
    struct receipt receipt = receipt_of(20);
    (void)state;
    say_receipt(&receipt, house.city, 5);
    expect_done(5, 0);
    for (int lane = 0; lane < LANES; lane++)
        expect_mark(lane, receipt.lane[lane]);
    assert_int_equal(fixture_reopen(&house.fixture), 0);
    for (int lane = 0; lane < LANES; lane++)
        assert_int_equal(house.fixture.journal->marks[lane], receipt.lane[lane]);
    assert_true(house.fixture.journal->receipt.length > 0);
}

static void marks_go_back_when_the_city_says_so(void **state)
{
    struct receipt receipt = receipt_of(20), older = receipt_of(5);
    (void)state;
    older.lane[LANE_TELEMETRY] = receipt.lane[LANE_TELEMETRY];
    say_receipt(&receipt, house.city, 5);
    expect_done(5, 0);
    for (int lane = 0; lane < LANES; lane++)
        expect_mark(lane, receipt.lane[lane]);
    say_receipt(&older, house.city, 6);
    expect_done(6, 0);
    expect_mark(LANE_ALARM, 3);
    expect_mark(LANE_RECORD, 4);
    ends_expect_silence(house.loop, house.ends[HOUSE_UPLINK]);
    assert_int_equal(house.fixture.journal->marks[LANE_RECORD], 4);
}

static void the_last_of_two_receipts_in_one_group_counts(void **state)
{
    struct receipt receipt = receipt_of(20), none = receipt_of(0);
    (void)state;
    say_receipt(&receipt, house.city, 5);
    say_receipt(&none, house.city, 6);
    expect_done(5, 0);
    expect_done(6, 0);
    assert_int_equal(fixture_ask(&house.fixture, "SELECT max(acked) FROM link"), -1);
    assert_int_equal(house.fixture.journal->marks[LANE_ALARM], -1);
}

static void a_receipt_of_another_key_is_refused(void **state)
{
    struct receipt receipt = receipt_of(20);
    struct key *other, *same_name;
    (void)state;
    assert_int_equal(key_make(&other, suite_named(FIXTURE_SUITE), "outpost-city/x"), 0);
    assert_int_equal(key_make(&same_name, suite_named(FIXTURE_SUITE), "outpost-city/c"),
                     0);
    expect_refused(&receipt, other, -ENOKEY);
    expect_refused(&receipt, same_name, -ENOKEY);
    expect_refused(&receipt, house.fixture.key, -ENOKEY);
    key_free(other);
    key_free(same_name);
}

static void a_receipt_that_was_changed_is_refused(void **state)
{
    struct receipt receipt = receipt_of(20);
    struct buffer note = {0}, frame = {0};
    (void)state;
    receipt_sign(&note, &receipt, house.city);
    char *digit = strstr((char *)(uintptr_t)buffer_text(&note), "lane alarm ");
    assert_non_null(digit);
    digit[11] ^= 1;
    frame_begin(&frame, TALK_RECEIPT, 9);
    frame_put(&frame, TAG_TEXT, note.bytes, note.length);
    ends_say(house.ends[HOUSE_UPLINK], &frame);
    expect_done(9, -EBADMSG);
    assert_int_equal(house.fixture.journal->marks[LANE_ALARM], -1);
    char *end = strstr((char *)(uintptr_t)buffer_text(&note), "\n\n");
    note.length = (size_t)(end + 2 - note.bytes); /* unsigned */
    frame_begin(&frame, TALK_RECEIPT, 10);
    frame_put(&frame, TAG_TEXT, note.bytes, note.length);
    ends_say(house.ends[HOUSE_UPLINK], &frame);
    ends_expect(house.loop, house.ends[HOUSE_UPLINK], &house.heard, TALK_DONE, 10);
    assert_true(ends_number(&house.heard.frame.fields, TAG_ERROR) > 0);
    buffer_free(&note);
    buffer_free(&frame);
}

static void a_receipt_of_another_log_or_office_is_refused(void **state)
{
    struct receipt receipt = receipt_of(20);
    (void)state;
    strcpy(receipt.log, "another");
    expect_refused(&receipt, house.city, -ESTALE);
    receipt = receipt_of(20);
    strcpy(receipt.office, "another");
    expect_refused(&receipt, house.city, -EXDEV);
}

static void a_receipt_that_claims_too_much_is_refused(void **state)
{
    struct receipt receipt = receipt_of(20);
    (void)state;
    receipt.lane[LANE_ALARM] = 30;
    expect_refused(&receipt, house.city, -EBADMSG);
    receipt = receipt_of(20);
    receipt.lane[LANE_ALARM] = 1; /* which is a record */
    expect_refused(&receipt, house.city, -EBADMSG);
}

static void a_receipt_with_another_root_is_refused(void **state)
{
    struct receipt receipt = receipt_of(20);
    (void)state;
    house.link.is_contradicted = true; /* has been told */
    receipt.has_checkpoint = true;
    receipt.size = 20;
    expect_refused(&receipt, house.city, -EBADMSG);
    receipt.size = 31;
    tree_root(&house.fixture.journal->tree, &receipt.root);
    expect_refused(&receipt, house.city, -ERANGE);
    receipt.size = 30;
    say_receipt(&receipt, house.city, 5);
    expect_done(5, 0);
    assert_int_equal(fixture_reopen(&house.fixture), 0);
}

static void a_city_that_signed_for_other_events_is_an_alarm_once(void **state)
{
    struct receipt receipt = receipt_of(20);
    int64_t size = house.fixture.journal->size;
    (void)state;
    receipt.has_checkpoint = true;
    receipt.size = 20;
    expect_refused(&receipt, house.city, -EBADMSG);
    expect_refused(&receipt, house.city, -EBADMSG);
    group_commit(&house.group);
    assert_int_equal(house.fixture.journal->size, size + 1);
    assert_int_equal(house.fixture.journal->lane_last[LANE_ALARM], size);
}

static void roots_among_sealed_events_are_known_too(void **state)
{
    struct receipt receipt = receipt_of(20);
    (void)state;
    fixture_fill(house.fixture.journal, 270);
    receipt.has_checkpoint = true;
    receipt.size = 300;
    tree_root(&house.fixture.journal->tree, &receipt.root);
    fixture_fill(house.fixture.journal, 500);
    fixture_seal(&house.fixture);
    say_receipt(&receipt, house.city, 5);
    expect_done(5, 0);
    receipt = receipt_of(700);
    assert_int_equal(receipt.lane[LANE_ALARM], 699);
    say_receipt(&receipt, house.city, 6);
    for (int lane = 0; lane < LANES; lane++)
        ends_expect(house.loop, house.ends[HOUSE_UPLINK], &house.heard, TALK_MARK, 0);
    expect_done(6, 0);
}

static void a_group_that_fails_moves_nothing(void **state)
{
    struct receipt receipt = receipt_of(20);
    (void)state;
    say_receipt(&receipt, house.city, 5);
    while (!house.fixture.journal->is_open)
        loop_turn(house.loop);
    group_fail(&house.group, -ENOSPC);
    expect_done(5, -ENOSPC);
    assert_int_equal(house.fixture.journal->marks[LANE_ALARM], -1);
    assert_int_equal(house.fixture.journal->receipt.length, 0);
    house_commit(&house, "band.seen");
    assert_int_equal(house.fixture.journal->marks[LANE_ALARM], -1);
}

/* Or the uplink would never hand on another one. */
static void a_receipt_that_cannot_be_stored_is_answered(void **state)
{
    struct receipt receipt = receipt_of(20);
    (void)state;
    fixture_sql(&house.fixture, "DROP TABLE link");
    say_receipt(&receipt, house.city, 5);
    ends_expect(house.loop, house.ends[HOUSE_UPLINK], &house.heard, TALK_DONE, 5);
    assert_true(ends_number(&house.heard.frame.fields, TAG_ERROR) > 0);
    assert_int_equal(house.fixture.journal->marks[LANE_ALARM], -1);
}

static void a_receipt_may_name_an_event_that_is_erased(void **state)
{
    struct receipt receipt = receipt_of(200);
    struct store_tile tile;
    (void)state;
    fixture_fill(house.fixture.journal, 270);
    fixture_seal(&house.fixture);
    assert_int_equal(store_get_tile(house.fixture.journal->store, 0, &tile), 0);
    tile.lanes[receipt.lane[LANE_TELEMETRY]] |= STORE_ERASED;
    assert_int_equal(store_begin(house.fixture.journal->store), 0);
    assert_int_equal(store_add_tile(house.fixture.journal->store, 0, &tile), 0);
    assert_int_equal(store_commit(house.fixture.journal->store), 0);
    say_receipt(&receipt, house.city, 5);
    expect_done(5, 0);
    assert_false(house.link.is_contradicted);
}

static void without_the_citys_key_nothing_counts(void **state)
{
    struct receipt receipt = receipt_of(20);
    (void)state;
    link_close(&house.link);
    link_open(&house.link, house.fixture.journal, &house.group, "/no/such/file");
    expect_refused(&receipt, house.city, -ENOKEY);
    assert_int_equal(house.link.refused, 1);
}

static void say_stalled(int64_t lane, const char *why)
{
    struct buffer frame = {0};
    frame_begin(&frame, TALK_STALLED, 0);
    frame_put_number(&frame, TAG_LANE, lane);
    frame_put_text(&frame, TAG_TEXT, why);
    ends_say(house.ends[HOUSE_UPLINK], &frame);
    buffer_free(&frame);
}

static int64_t count_of(const char *type)
{
    char sql[120];
    snprintf(sql, sizeof(sql),
             "SELECT count(*) FROM event WHERE instr(CAST(body AS TEXT), '\"%s\"')",
             type);
    group_commit(&house.group);
    return fixture_ask(&house.fixture, sql);
}

static void a_stall_is_an_alarm_once_and_its_end_a_record(void **state)
{
    (void)state;
    say_stalled(LANE_RECORD, "no receipt");
    say_stalled(LANE_ALARM, "no receipt either");
    ends_expect_silence(house.loop, house.ends[HOUSE_UPLINK]);
    assert_int_equal(count_of("sync.stalled"), 1);
    assert_string_equal(house.link.stall, "no receipt");
    say_stalled(LANE_RECORD, "");
    say_stalled(LANE_RECORD, "");
    ends_expect_silence(house.loop, house.ends[HOUSE_UPLINK]);
    assert_int_equal(count_of("sync.resumed"), 1);
    assert_string_equal(house.link.stall, "");
}

static void a_second_stall_within_a_minute_is_not_recorded(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        say_stalled(LANE_RECORD, "refused");
        say_stalled(LANE_RECORD, "");
    }
    ends_expect_silence(house.loop, house.ends[HOUSE_UPLINK]);
    assert_int_equal(count_of("sync.stalled"), 1);
    assert_int_equal(count_of("sync.resumed"), 1);
}

/* The next uplink does not know of it. */
static void a_stall_whose_uplink_is_gone_ends_with_the_next_mark(void **state)
{
    struct receipt receipt = receipt_of(20);
    struct peer *uplink = house.link.uplink;
    (void)state;
    say_stalled(LANE_RECORD, "no receipt");
    ends_expect_silence(house.loop, house.ends[HOUSE_UPLINK]);
    link_forget(&house.link, uplink);
    house.link.uplink = uplink;
    say_receipt(&receipt, house.city, 5);
    expect_done(5, 0);
    assert_int_equal(count_of("sync.resumed"), 1);
    assert_string_equal(house.link.stall, "");
    for (int lane = 0; lane < LANES; lane++)
        expect_mark(lane, receipt.lane[lane]);
    house.link.stalled_us = 0;
    say_stalled(LANE_RECORD, "no receipt again");
    ends_expect_silence(house.loop, house.ends[HOUSE_UPLINK]);
    assert_int_equal(count_of("sync.stalled"), 2);
}

static void a_stall_of_no_lane_ends_the_uplink(void **state)
{
    (void)state;
    say_stalled(LANES, "x");
    ends_expect_end(house.loop, house.ends[HOUSE_UPLINK], &house.heard);
    assert_int_equal(count_of("sync.stalled"), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_good_receipt_moves_the_marks_and_is_kept),
        CASE(marks_go_back_when_the_city_says_so),
        CASE(the_last_of_two_receipts_in_one_group_counts),
        CASE(a_receipt_of_another_key_is_refused),
        CASE(a_receipt_that_was_changed_is_refused),
        CASE(a_receipt_of_another_log_or_office_is_refused),
        CASE(a_receipt_that_claims_too_much_is_refused),
        CASE(a_receipt_with_another_root_is_refused),
        CASE(a_city_that_signed_for_other_events_is_an_alarm_once),
        CASE(roots_among_sealed_events_are_known_too),
        CASE(a_group_that_fails_moves_nothing),
        CASE(a_receipt_that_cannot_be_stored_is_answered),
        CASE(a_receipt_may_name_an_event_that_is_erased),
        CASE(without_the_citys_key_nothing_counts),
        CASE(a_stall_is_an_alarm_once_and_its_end_a_record),
        CASE(a_second_stall_within_a_minute_is_not_recorded),
        CASE(a_stall_whose_uplink_is_gone_ends_with_the_next_mark),
        CASE(a_stall_of_no_lane_ends_the_uplink),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
