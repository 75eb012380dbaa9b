/* The collector, on a real database, without a broker. */
#include "city/collect.h"

#include "fixture.h"

static void a_batch_is_stored_and_receipted(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 4; i++)
        fixture_emit(f, i % 2);
    fixture_send(f, LANE_RECORD, 0, 3);
    fixture_commit(f);
    struct receipt receipt = fixture_receipt(f);
    assert_int_equal(receipt.lane[LANE_ALARM], -1);
    assert_int_equal(receipt.lane[LANE_RECORD], 3);
    assert_int_equal(receipt.lane[LANE_TELEMETRY], -1);
    assert_false(receipt.has_checkpoint);
    struct buffer body = {0};
    assert_int_equal(store_get_body(f->store, "office-1", "log1", 1, &body), 0);
    assert_string_equal(buffer_text(&body), f->bodies[1]);
    buffer_free(&body);
}

static void no_receipt_comes_before_the_commit(void **state)
{
    struct fixture *f = *state;
    fixture_emit(f, LANE_ALARM);
    fixture_send(f, LANE_ALARM, 0, 0);
    assert_int_equal(f->receipts, 0);
    fixture_commit(f);
    assert_int_equal(f->receipts, 1);
}

static void what_comes_again_is_ignored_but_receipted(void **state)
{
    struct fixture *f = *state;
    fixture_emit(f, LANE_ALARM);
    for (int i = 1; i <= 3; i++) {
        fixture_send(f, LANE_ALARM, 0, 0);
        fixture_commit(f);
        assert_int_equal(f->receipts, i);
        assert_int_equal(fixture_receipt(f).lane[LANE_ALARM], 0);
    }
    int64_t rows;
    assert_int_equal(store_newest_row(f->store, &rows), 0);
    assert_int_equal(rows, 1);
    assert_int_equal(fixture_findings(f), 0);
}

static void a_hole_holds_the_mark_until_it_is_filled(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 50; i++)
        fixture_emit(f, LANE_RECORD);
    fixture_send(f, LANE_RECORD, 0, 9);
    fixture_send(f, LANE_RECORD, 20, 29);
    fixture_send(f, LANE_RECORD, 40, 49);
    fixture_send(f, LANE_RECORD, 30, 39);
    fixture_commit(f);
    assert_int_equal(fixture_receipt(f).lane[LANE_RECORD], 9);
    fixture_send(f, LANE_RECORD, 10, 19);
    fixture_commit(f);
    assert_int_equal(fixture_receipt(f).lane[LANE_RECORD], 49);
}

static void runs_that_overlap_join(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 40; i++)
        fixture_emit(f, LANE_RECORD);
    fixture_send(f, LANE_RECORD, 12, 39);
    fixture_send(f, LANE_RECORD, 5, 20);
    fixture_send(f, LANE_RECORD, 0, 6);
    fixture_commit(f);
    assert_int_equal(fixture_receipt(f).lane[LANE_RECORD], 39);
}

static void any_order_of_batches_ends_at_the_end(void **state)
{
    struct fixture *f = *state;
    unsigned seed = 7;
    int order[20];
    for (int i = 0; i < 60; i++)
        fixture_emit(f, LANE_TELEMETRY);
    for (int i = 0; i < 20; i++)
        order[i] = i;
    for (int i = 19; i > 0; i--) {
        seed = seed * 1103515245u + 12345u;
        int k = (int)((seed >> 8) % (unsigned)(i + 1));
        int kept = order[i];
        order[i] = order[k];
        order[k] = kept;
    }
    for (int i = 0; i < 20; i++)
        fixture_send(f, LANE_TELEMETRY, order[i] * 3, order[i] * 3 + 2);
    fixture_commit(f);
    assert_int_equal(fixture_receipt(f).lane[LANE_TELEMETRY], 59);
}

static void other_bytes_under_a_known_number_are_a_finding(void **state)
{
    struct fixture *f = *state;
    struct buffer body = {0}, payload = {0};
    fixture_emit(f, LANE_RECORD);
    fixture_send(f, LANE_RECORD, 0, 0);
    fixture_commit(f);
    char *other = fixture_compose("office-1", "log1", 0, LANE_RECORD, "another story");
    buffer_printf(&payload, "[%s]", other);
    for (int i = 0; i < 2; i++)
        fixture_say(f, "outpost/v1/office-1/up/record", buffer_text(&payload), "log1",
                    "record", -1, 0);
    fixture_commit(f);
    assert_int_equal(fixture_findings(f), 1); /* the same twice is one */
    assert_int_equal(store_get_body(f->store, "office-1", "log1", 0, &body), 0);
    assert_string_equal(buffer_text(&body), f->bodies[0]);
    buffer_free(&body);
    buffer_free(&payload);
    free(other);
}

static void a_batch_of_another_office_is_rejected(void **state)
{
    struct fixture *f = *state;
    char *foreign = fixture_compose("office-2", "log1", 0, LANE_RECORD, "");
    struct buffer payload = {0};
    buffer_printf(&payload, "[%s]", foreign);
    fixture_say(f, "outpost/v1/office-1/up/record", buffer_text(&payload), "log1",
                "record", -1, 0);
    fixture_commit(f);
    assert_int_equal(fixture_rejected(f), 1);
    assert_int_equal(f->receipts, 0);
    buffer_free(&payload);
    free(foreign);
}

static void rubbish_stops_nothing(void **state)
{
    struct fixture *f = *state;
    fixture_emit(f, LANE_ALARM);
    fixture_say(f, "outpost/v1/office-1/up/record", "[", "log1", "record", -1, 0);
    fixture_say(f, "outpost/v1/office-1/status", "{}", "", "", 0, 0);
    fixture_say(f, "outpost/v1/office-1/up/checkpoint", "hello", "", "", 0, 0);
    fixture_say(f, "some/other/topic", "hello", "", "", 0, 0);
    fixture_send(f, LANE_ALARM, 0, 0);
    fixture_commit(f);
    assert_int_equal(fixture_rejected(f), 4);
    assert_int_equal(fixture_receipt(f).lane[LANE_ALARM], 0);
}

static void only_the_newest_rejected_are_kept(void **state)
{
    struct fixture *f = *state;
    int64_t found = 0;
    for (int i = 0; i < STORE_REJECTED + 20; i++)
        fixture_say(f, "outpost/v1/office-1/up/record", "", "log1", "record", -1, 0);
    fixture_commit(f);
    assert_int_equal(store_count_rejected(f->store, &found), 0);
    assert_int_equal(found, STORE_REJECTED + 20); /* counted for ever */
}

static void logs_of_one_office_are_told_apart_and_bounded(void **state)
{
    struct fixture *f = *state;
    fixture_emit(f, LANE_RECORD);
    fixture_send(f, LANE_RECORD, 0, 0);
    for (int i = 0; i < STORE_LOGS + 5; i++) {
        char log[24];
        struct buffer payload = {0};
        snprintf(log, sizeof(log), "other%d", i);
        char *body = fixture_compose("office-1", log, 0, LANE_RECORD, log);
        buffer_printf(&payload, "[%s]", body);
        fixture_say(f, "outpost/v1/office-1/up/record", buffer_text(&payload), log,
                    "record", -1, 0);
        buffer_free(&payload);
        free(body);
    }
    fixture_commit(f);
    assert_int_equal(fixture_findings(f), 0);
    assert_int_equal(fixture_rejected(f), 6);
}

static void a_checkpoint_is_verified_and_receipted(void **state)
{
    struct fixture *f = *state;
    fixture_show_key(f, f->office_key);
    for (int i = 0; i < 700; i++)
        fixture_emit(f, i % 3);
    for (int lane = 0; lane < LANES; lane++)
        fixture_send(f, lane, 0, 699);
    fixture_send_checkpoint(f, NULL);
    fixture_commit(f);
    struct receipt receipt = fixture_receipt(f);
    assert_true(receipt.has_checkpoint);
    assert_int_equal(receipt.size, 700);
    struct digest root;
    tree_root(&f->tree, &root);
    assert_true(digest_equal(&root, &receipt.root));
}

static void verification_waits_for_what_is_missing(void **state)
{
    struct fixture *f = *state;
    fixture_show_key(f, f->office_key);
    for (int i = 0; i < 20; i++)
        fixture_emit(f, i % 2);
    fixture_send_checkpoint(f, NULL);
    fixture_send(f, LANE_RECORD, 0, 19);
    fixture_commit(f);
    assert_false(fixture_receipt(f).has_checkpoint);
    fixture_send(f, LANE_ALARM, 0, 19);
    fixture_commit(f);
    assert_int_equal(fixture_receipt(f).size, 20);
    assert_int_equal(fixture_findings(f), 0);
}

static void verification_goes_on_after_a_restart(void **state)
{
    struct fixture *f = *state;
    fixture_show_key(f, f->office_key);
    for (int round = 1; round <= 4; round++) {
        int64_t from = f->size;
        for (int i = 0; i < 150; i++)
            fixture_emit(f, LANE_RECORD);
        fixture_send(f, LANE_RECORD, from, f->size - 1);
        fixture_send_checkpoint(f, NULL);
        fixture_commit(f);
        assert_int_equal(fixture_receipt(f).size, 150 * round);
        fixture_close_city(f);
        fixture_open_city(f);
    }
}

static void a_checkpoint_of_other_events_is_a_finding(void **state)
{
    struct fixture *f = *state;
    struct digest wrong = {{1, 2, 3}};
    fixture_show_key(f, f->office_key);
    fixture_emit(f, LANE_RECORD);
    fixture_send(f, LANE_RECORD, 0, 0);
    fixture_send_checkpoint(f, &wrong);
    fixture_commit(f);
    assert_int_equal(fixture_findings(f), 1);
    assert_false(fixture_receipt(f).has_checkpoint);
    fixture_emit(f, LANE_RECORD);
    fixture_send(f, LANE_RECORD, 1, 1); /* still stored and receipted */
    fixture_commit(f);
    assert_int_equal(fixture_receipt(f).lane[LANE_RECORD], 1);
}

static void a_checkpoint_with_another_signature_is_rejected(void **state)
{
    struct fixture *f = *state;
    struct key *mine = f->office_key, *other;
    fixture_show_key(f, mine);
    fixture_emit(f, LANE_RECORD);
    fixture_send(f, LANE_RECORD, 0, 0);
    key_make(&other, suite_named("sha256+ed25519"), "outpost/office-1");
    f->office_key = other;
    fixture_send_checkpoint(f, NULL);
    fixture_commit(f);
    f->office_key = mine;
    key_free(other);
    assert_int_equal(fixture_rejected(f), 1);
    assert_false(fixture_receipt(f).has_checkpoint);
}

static void a_checkpoint_before_the_key_is_kept_for_it(void **state)
{
    struct fixture *f = *state;
    fixture_emit(f, LANE_RECORD);
    fixture_send(f, LANE_RECORD, 0, 0);
    fixture_send_checkpoint(f, NULL);
    fixture_commit(f);
    assert_false(fixture_receipt(f).has_checkpoint);
    fixture_show_key(f, f->office_key);
    fixture_commit(f);
    assert_int_equal(fixture_receipt(f).size, 1);
}

static void an_office_that_says_it_is_there_is_told_what_is_held(void **state)
{
    static const char STATUS[] =
        "{\"state\":\"online\",\"office\":\"office-1\",\"boot\":\"b\","
        "\"log\":\"log1\"}";
    struct fixture *f = *state;
    fixture_say(f, "outpost/v1/office-1/status", STATUS, "", "", 0, 0);
    fixture_commit(f);
    for (int lane = 0; lane < LANES; lane++)
        assert_int_equal(fixture_receipt(f).lane[lane], -1);
}

static void a_withheld_event_is_a_finding(void **state)
{
    struct fixture *f = *state;
    fixture_show_key(f, f->office_key);
    for (int i = 0; i < 7; i++)
        fixture_emit(f, i % 3);
    fixture_send_checkpoint(f, NULL);
    f->lane[0] = 9; /* the office acts as if event 0 were not there */
    for (int lane = 0; lane < LANES; lane++)
        fixture_send(f, lane, 0, 6);
    fixture_commit(f);
    assert_int_equal(fixture_findings(f), 1);
    assert_false(fixture_receipt(f).has_checkpoint);
}

static void another_key_of_a_known_office_is_a_finding(void **state)
{
    struct fixture *f = *state;
    struct key *other;
    fixture_show_key(f, f->office_key);
    fixture_show_key(f, f->office_key);
    fixture_commit(f);
    assert_int_equal(fixture_findings(f), 0);
    key_make(&other, suite_named("sha256+ed25519"), "outpost/office-1");
    fixture_show_key(f, other);
    key_free(other);
    fixture_commit(f);
    assert_int_equal(fixture_findings(f), 1);
}

static void an_old_will_does_not_darken_a_new_boot(void **state)
{
    struct fixture *f = *state;
    struct store_office office;
    fixture_show_key(f, f->office_key);
    fixture_say(f, "outpost/v1/office-1/status",
                "{\"state\":\"offline\",\"office\":\"office-1\",\"boot\":\"a\"}", "", "",
                0, 0);
    fixture_commit(f);
    assert_int_equal(store_get_office(f->store, "office-1", &office), 0);
    assert_non_null(strstr(buffer_text(&office.status), "online"));
    store_office_free(&office);
    fixture_say(f, "outpost/v1/office-1/status",
                "{\"state\":\"offline\",\"office\":\"office-1\",\"boot\":\"b\"}", "", "",
                0, 0);
    fixture_commit(f);
    assert_int_equal(store_get_office(f->store, "office-1", &office), 0);
    assert_non_null(strstr(buffer_text(&office.status), "offline"));
    store_office_free(&office);
}

static void a_city_that_begins_says_so(void **state)
{
    struct fixture *f = *state;
    fixture_emit(f, LANE_ALARM);
    fixture_send(f, LANE_ALARM, 0, 0);
    fixture_commit(f);
    assert_false(f->began);
    fixture_close_city(f);
    fixture_open_city(f);
    assert_int_equal(collect_begin(f->collect), 0);
    assert_true(f->began);
    assert_int_equal(fixture_receipt(f).lane[LANE_ALARM], 0);
}

static void what_is_told_at_the_beginning_is_committed(void **state)
{
    struct fixture *f = *state;
    fixture_emit(f, LANE_ALARM);
    fixture_send(f, LANE_ALARM, 0, 0);
    fixture_commit(f);
    fixture_emit(f, LANE_ALARM);
    fixture_send(f, LANE_ALARM, 1, 1);
    assert_int_equal(collect_begin(f->collect), 0);
    struct receipt receipt = fixture_receipt(f);
    fixture_close_city(f); /* it dies: what is not committed is gone */
    fixture_open_city(f);
    struct buffer body = {0};
    assert_int_equal(receipt.lane[LANE_ALARM], 1);
    assert_int_equal(store_get_body(f->store, "office-1", "log1", 1, &body), 0);
    buffer_free(&body);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)
    const struct CMUnitTest tests[] = {
        TEST(a_batch_is_stored_and_receipted),
        TEST(no_receipt_comes_before_the_commit),
        TEST(what_comes_again_is_ignored_but_receipted),
        TEST(a_hole_holds_the_mark_until_it_is_filled),
        TEST(runs_that_overlap_join),
        TEST(any_order_of_batches_ends_at_the_end),
        TEST(other_bytes_under_a_known_number_are_a_finding),
        TEST(a_batch_of_another_office_is_rejected),
        TEST(rubbish_stops_nothing),
        TEST(only_the_newest_rejected_are_kept),
        TEST(logs_of_one_office_are_told_apart_and_bounded),
        TEST(a_checkpoint_is_verified_and_receipted),
        TEST(verification_waits_for_what_is_missing),
        TEST(verification_goes_on_after_a_restart),
        TEST(a_checkpoint_of_other_events_is_a_finding),
        TEST(a_checkpoint_with_another_signature_is_rejected),
        TEST(a_checkpoint_before_the_key_is_kept_for_it),
        TEST(an_office_that_says_it_is_there_is_told_what_is_held),
        TEST(a_withheld_event_is_a_finding),
        TEST(another_key_of_a_known_office_is_a_finding),
        TEST(an_old_will_does_not_darken_a_new_boot),
        TEST(a_city_that_begins_says_so),
        TEST(what_is_told_at_the_beginning_is_committed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
