/* What was done to the journal while nobody looked is found when it is opened. */
#include "keeper/repair/audit.h"

#include "keeper/fixture.h"
#include "proof/receipt.h"

enum { WAL_HEADER = 32, WAL_FRAME = 24 + 4096 };

static int start(void **state)
{
    struct fixture *here = malloc(sizeof(*here));
    fixture_open(here);
    *state = here;
    return 0;
}

static int stop(void **state)
{
    fixture_close(*state);
    free(*state);
    return 0;
}

static void expect_damage(struct fixture *here, const char *why)
{
    assert_int_equal(fixture_reopen(here), -EBADMSG);
    assert_non_null(strstr(buffer_text(&here->why), why));
}

/* Reopens it; what was found damaged and is gone without: bits of enum audit_damage. */
static int damage_alone(struct fixture *here)
{
    assert_int_equal(fixture_reopen(here), 0);
    return here->journal->damage;
}

static struct receipt some_receipt(uint64_t size)
{
    return (struct receipt){.lane = {-1, -1, -1}, .has_checkpoint = true, .size = size};
}

/* Stores a receipt of the journal's first `size` events, as the city would sign it. */
static void put_receipt(struct fixture *here, const char *log, uint64_t size,
                        const struct digest *root)
{
    struct receipt receipt = some_receipt(size);
    struct buffer note = {0};
    struct key *city;
    strcpy(receipt.office, FIXTURE_OFFICE);
    strcpy(receipt.log, log);
    receipt.root = *root;
    assert_int_equal(key_make(&city, suite_named(FIXTURE_SUITE), "outpost-city/city"), 0);
    receipt_sign(&note, &receipt, city);
    assert_int_equal(store_put_receipt(here->journal->store, note.bytes, note.length), 0);
    key_free(city);
    buffer_free(&note);
}

static void an_untouched_journal_is_sound(void **state)
{
    struct fixture *here = *state;
    fixture_fill(here->journal, 300);
    fixture_sign(here);
    fixture_fill(here->journal, 5);
    assert_int_equal(fixture_reopen(here), 0);
    assert_int_equal(here->journal->size, 305);
}

static void a_changed_body_is_found(void **state)
{
    struct fixture *here = *state;
    fixture_fill(here->journal, 20);
    fixture_sql(here, "UPDATE event SET body = CAST(replace(CAST(body AS TEXT), "
                      "'\"n\":7}', '\"n\":8}') AS BLOB) WHERE seq = 7");
    expect_damage(here, "event 7 has been changed");
}

static void a_changed_body_with_a_new_leaf_is_found_by_the_checkpoint(void **state)
{
    struct fixture *here = *state;
    struct buffer body = {0};
    struct digest leaf;
    char hex[2 * DIGEST_BYTES + 1], sql[512];
    fixture_fill(here->journal, 2);
    fixture_sign(here);
    buffer_printf(&body,
                  "{\"specversion\":\"1.0\",\"id\":\"%s/%s/1\",\"lane\":\"record\","
                  "\"recorded\":0}",
                  FIXTURE_OFFICE, here->journal->log.log);
    suite_leaf(here->journal->suite, &leaf, body.bytes, body.length);
    static const char DIGITS[] = "0123456789abcdef";
    for (int i = 0; i < DIGEST_BYTES; i++) {
        hex[2 * i] = DIGITS[leaf.bytes[i] >> 4];
        hex[2 * i + 1] = DIGITS[leaf.bytes[i] & 15];
    }
    hex[2 * DIGEST_BYTES] = '\0';
    snprintf(sql, sizeof(sql),
             "UPDATE event SET body = CAST('%s' AS BLOB), leaf = x'%s' WHERE seq = 1",
             buffer_text(&body), hex);
    fixture_sql(here, sql);
    expect_damage(here, "do not have the root of the newest checkpoint");
    buffer_free(&body);
}

static void a_missing_row_is_found(void **state)
{
    struct fixture *here = *state;
    fixture_fill(here->journal, 20);
    fixture_sql(here, "DELETE FROM event WHERE seq = 7");
    expect_damage(here, "event 7 is missing");
}

static void a_missing_end_is_found_by_the_checkpoint(void **state)
{
    struct fixture *here = *state;
    fixture_fill(here->journal, 20);
    fixture_sign(here);
    fixture_sql(here, "DELETE FROM event WHERE seq >= 18");
    expect_damage(here, "event 18 is in the newest checkpoint, but missing");
}

static void swapped_rows_are_found_also_behind_the_checkpoint(void **state)
{
    struct fixture *here = *state;
    fixture_fill(here->journal, 10);
    fixture_sign(here);
    fixture_fill(here->journal, 10);
    fixture_sql(here, "UPDATE event SET seq = 99 WHERE seq = 15;"
                      "UPDATE event SET seq = 15 WHERE seq = 12;"
                      "UPDATE event SET seq = 12 WHERE seq = 99");
    expect_damage(here, "event 12 ");
}

static void a_row_moved_to_another_lane_is_found(void **state)
{
    struct fixture *here = *state;
    fixture_fill(here->journal, 10);
    fixture_sql(here, "UPDATE event SET lane = 2 WHERE seq = 3");
    expect_damage(here, "event 3 ");
}

static void a_lane_that_does_not_exist_is_found(void **state)
{
    struct fixture *here = *state;
    fixture_fill(here->journal, 10);
    fixture_sql(here, "UPDATE event SET lane = 3 WHERE seq = 3");
    assert_int_equal(fixture_reopen(here), -EBADMSG);
}

static void a_log_goes_on_without_its_checkpoint(void **state)
{
    struct fixture *here = *state;
    fixture_fill(here->journal, 10);
    fixture_sign(here);
    fixture_flip(fixture_path(here, "checkpoint"), 40);
    assert_int_equal(damage_alone(here), AUDIT_CHECKPOINT);
    assert_int_equal(here->journal->signed_size, 0);
    assert_int_equal(here->journal->size, 10);
}

static void a_checkpoint_is_missed_when_the_city_has_seen_one(void **state)
{
    struct fixture *here = *state;
    struct digest root;
    fixture_fill(here->journal, 10);
    assert_int_equal(damage_alone(here), 0); /* none was made yet */
    tree_root(&here->journal->tree, &root);
    put_receipt(here, here->journal->log.log, 10, &root);
    assert_int_equal(damage_alone(here), AUDIT_CHECKPOINT);
}

static void keep_bytes(struct fixture *here, const char *name, struct buffer *bytes)
{
    assert_int_equal(file_read(bytes, fixture_path(here, name), 1 << 24), 0);
}

/* What is set aside must be what was found, to the byte, also the part that was in the WAL. */
static void a_journal_found_damaged_is_left_as_it_was(void **state)
{
    struct fixture *here = *state;
    struct buffer tail = {0}, ahead = {0}, tail_after = {0}, ahead_after = {0};
    fixture_fill(here->journal, 10);
    fixture_sign(here);
    keep_bytes(here, "tail.db", &tail);
    keep_bytes(here, "tail.db-wal", &ahead);
    journal_close(here->journal);
    here->journal = NULL;
    assert_int_equal(
        file_put(fixture_path(here, "tail.db"), tail.bytes, tail.length, 0640), 0);
    assert_int_equal(
        file_put(fixture_path(here, "tail.db-wal"), ahead.bytes, ahead.length, 0640), 0);
    fixture_foreign_checkpoint(here);
    expect_damage(here, "the checkpoint is not one of this log");
    keep_bytes(here, "tail.db", &tail_after);
    keep_bytes(here, "tail.db-wal", &ahead_after);
    assert_true(ahead.length > 0);
    assert_int_equal(tail.length, tail_after.length);
    assert_memory_equal(tail.bytes, tail_after.bytes, tail.length);
    assert_int_equal(ahead.length, ahead_after.length);
    assert_memory_equal(ahead.bytes, ahead_after.bytes, ahead.length);
    buffer_free(&tail);
    buffer_free(&ahead);
    buffer_free(&tail_after);
    buffer_free(&ahead_after);
}

/* As if the power went now: all that was written is there, but for one frame of the WAL at `torn`. */
static void cut_power(struct fixture *here, size_t torn)
{
    struct buffer tail = {0}, ahead = {0};
    keep_bytes(here, "tail.db", &tail);
    keep_bytes(here, "tail.db-wal", &ahead);
    journal_close(here->journal);
    here->journal = NULL;
    memset(ahead.bytes + torn, 0, WAL_FRAME);
    assert_int_equal(
        file_put(fixture_path(here, "tail.db"), tail.bytes, tail.length, 0640), 0);
    assert_int_equal(
        file_put(fixture_path(here, "tail.db-wal"), ahead.bytes, ahead.length, 0640), 0);
    buffer_free(&tail);
    buffer_free(&ahead);
}

static size_t length_of_wal(struct fixture *here)
{
    struct buffer ahead = {0};
    keep_bytes(here, "tail.db-wal", &ahead);
    size_t length = ahead.length;
    buffer_free(&ahead);
    return length;
}

/* Where the next transaction begins in a WAL that began so: behind what it has, or at its front. */
static size_t place_of_next(struct fixture *here, const struct buffer *had, size_t end)
{
    struct buffer now = {0};
    keep_bytes(here, "tail.db-wal", &now);
    bool is_new = memcmp(now.bytes, had->bytes, WAL_HEADER) != 0;
    buffer_free(&now);
    return is_new ? WAL_HEADER : end;
}

/* A long transaction is torn, its last frame stays; then a shorter one is torn in its place. */
static void a_second_cut_in_the_remains_of_a_first_is_no_damage(void **state)
{
    struct fixture *here = *state;
    struct buffer before = {0};
    fixture_fill(here->journal, 10);
    size_t end = length_of_wal(here);
    fixture_fill(here->journal, 200);
    cut_power(here, end);
    assert_int_equal(fixture_reopen(here), 0);
    assert_int_equal(here->journal->size, 10);
    keep_bytes(here, "tail.db-wal", &before);
    fixture_fill(here->journal, 20);
    cut_power(here, place_of_next(here, &before, end));
    assert_int_equal(fixture_reopen(here), 0);
    assert_int_equal(here->journal->size, 10);
    buffer_free(&before);
}

static void a_checkpoint_of_another_key_counts_as_none(void **state)
{
    struct fixture *here = *state;
    fixture_fill(here->journal, 10);
    fixture_sign(here);
    key_free(here->key);
    assert_int_equal(
        key_make(&here->key, suite_named(FIXTURE_SUITE), "outpost/" FIXTURE_OFFICE), 0);
    assert_int_equal(damage_alone(here), AUDIT_CHECKPOINT);
}

static void a_log_does_not_begin_where_another_has_been(void **state)
{
    struct fixture *here = *state;
    fixture_fill(here->journal, 10);
    fixture_sign(here);
    journal_close(here->journal);
    here->journal = NULL;
    unlink(fixture_path(here, "tail.db"));
    expect_damage(here, "tail.db is missing");
    assert_int_equal(file_put(fixture_path(here, "tail.db"), "", 0, 0640), 0);
    expect_damage(here, "tail.db cannot be read");
    unlink(fixture_path(here, "tail.db"));
    unlink(fixture_path(here, "checkpoint"));
    expect_damage(here, "tail.db is missing"); /* its hash tiles are there still */
}

static void a_checkpoint_of_another_log_is_found(void **state)
{
    struct fixture *here = *state;
    fixture_fill(here->journal, 10);
    fixture_sign(here);
    fixture_foreign_checkpoint(here);
    expect_damage(here, "the checkpoint is not one of this log");
}

static void a_receipt_that_cannot_be_read_is_gone_without(void **state)
{
    struct fixture *here = *state;
    fixture_fill(here->journal, 20);
    fixture_sign(here);
    assert_int_equal(store_put_receipt(here->journal->store, "noise", 5), 0);
    fixture_sql(here, "INSERT INTO link VALUES (0, 18), (1, 4)");
    assert_int_equal(damage_alone(here), AUDIT_RECEIPT);
    assert_int_equal(here->journal->receipt.length, 0);
    assert_int_equal(here->journal->marks[LANE_ALARM], 18);
    assert_int_equal(here->journal->marks[LANE_RECORD], 4);
}

static void a_receipt_that_the_city_has_not_signed_is_gone_without(void **state)
{
    struct fixture *here = *state;
    struct digest root;
    struct buffer note = {0};
    struct key *city;
    fixture_fill(here->journal, 20);
    fixture_sign(here);
    tree_root(&here->journal->tree, &root);
    assert_int_equal(key_make(&city, suite_named(FIXTURE_SUITE), "outpost-city/city"), 0);
    struct receipt receipt = some_receipt(20);
    strcpy(receipt.office, FIXTURE_OFFICE);
    strcpy(receipt.log, here->journal->log.log);
    receipt.root = root;
    receipt_sign(&note, &receipt, city);
    here->city = city;
    assert_int_equal(store_put_receipt(here->journal->store, note.bytes, note.length), 0);
    assert_int_equal(damage_alone(here), 0);
    char *size = strstr(buffer_text(&note), "checkpoint 20");
    size[11] = '1'; /* 10 events, whose root it is not */
    assert_int_equal(store_put_receipt(here->journal->store, note.bytes, note.length), 0);
    assert_int_equal(damage_alone(here), AUDIT_RECEIPT);
    here->city = NULL;
    key_free(city);
    buffer_free(&note);
}

static void the_receipt_tells_what_a_mark_must_be(void **state)
{
    struct fixture *here = *state;
    struct digest root;
    fixture_fill(here->journal, 20);
    fixture_sign(here);
    tree_root(&here->journal->tree, &root);
    put_receipt(here, here->journal->log.log, 20, &root);
    fixture_sql(here, "INSERT INTO link VALUES (0, 18)");
    assert_int_equal(damage_alone(here), AUDIT_MARKS);
    assert_int_equal(here->journal->marks[LANE_ALARM], -1);
}

static void a_flipped_name_of_the_office_is_damage_and_no_other_office(void **state)
{
    struct fixture *here = *state;
    fixture_fill(here->journal, 10);
    fixture_sign(here);
    fixture_sql(here, "UPDATE log SET office = '350105-002'");
    assert_int_equal(fixture_reopen(here), -EBADMSG);
}

/* SQLite stops reading at a damaged frame, as if what follows had never been committed. */
static void a_damaged_frame_with_others_behind_it_is_found(void **state)
{
    struct fixture *here = *state;
    struct buffer tail = {0}, ahead = {0};
    for (int i = 0; i < 6; i++)
        fixture_fill(here->journal, 3);
    keep_bytes(here, "tail.db", &tail);
    keep_bytes(here, "tail.db-wal", &ahead);
    for (int kind = 0; kind < 3; kind++) {
        static const struct {
            size_t from_end, length;
        } NOISE[] = {{24 * 1024, 1}, {24 * 1024, 4096}, {40, 1}};
        journal_close(here->journal);
        here->journal = NULL;
        char *at = ahead.bytes + ahead.length - NOISE[kind].from_end;
        for (size_t i = 0; i < NOISE[kind].length; i++)
            at[i] ^= 0x55;
        assert_int_equal(
            file_put(fixture_path(here, "tail.db"), tail.bytes, tail.length, 0640), 0);
        assert_int_equal(
            file_put(fixture_path(here, "tail.db-wal"), ahead.bytes, ahead.length, 0640),
            0);
        if (kind < 2)
            expect_damage(here, "tail.db-wal: ");
        else
            assert_int_equal(fixture_reopen(here), 0); /* as a cut leaves the last one */
        for (size_t i = 0; i < NOISE[kind].length; i++)
            at[i] ^= 0x55;
    }
    buffer_free(&tail);
    buffer_free(&ahead);
}

static void a_broken_page_is_found_though_no_event_is_on_it(void **state)
{
    struct fixture *here = *state;
    fixture_fill(here->journal, 10);
    fixture_sql(here, "PRAGMA wal_checkpoint(TRUNCATE)");
    int64_t page = fixture_ask(
        here, "SELECT rootpage FROM sqlite_schema WHERE type = 'table' AND name = 'kv'");
    fixture_flip(fixture_path(here, "tail.db"), (page - 1) * 4096);
    expect_damage(here, "tail.db cannot be read");
}

static void a_receipt_ahead_of_the_tail_is_found(void **state)
{
    struct fixture *here = *state;
    struct digest root;
    fixture_fill(here->journal, 20);
    tree_root(&here->journal->tree, &root);
    put_receipt(here, here->journal->log.log, 20, &root);
    assert_int_equal(fixture_reopen(here), 0);
    fixture_sql(here, "DELETE FROM event WHERE seq = 19");
    expect_damage(here, "event 19 is in the city's receipt, but missing");
}

static void a_receipt_of_another_root_or_log_is_found(void **state)
{
    struct fixture *here = *state;
    struct digest root;
    fixture_fill(here->journal, 20);
    tree_root(&here->journal->tree, &root);
    put_receipt(here, "another", 20, &root);
    expect_damage(here, "the city's receipt is not one of this log");
    fixture_sql(here, "DELETE FROM receipt");
    assert_int_equal(fixture_reopen(here), 0);
    put_receipt(here, here->journal->log.log, 19, &root);
    expect_damage(here, "do not have the root of the city's receipt");
}

static void a_mark_without_a_receipt_counts_as_far_as_there_are_events(void **state)
{
    struct fixture *here = *state;
    fixture_fill(here->journal, 20);
    fixture_sql(here, "INSERT INTO link VALUES (0, 18)");
    assert_int_equal(damage_alone(here), 0);
    fixture_sql(here, "UPDATE link SET acked = 21");
    assert_int_equal(damage_alone(here), AUDIT_MARKS);
    assert_int_equal(here->journal->marks[LANE_ALARM], 18);
}

/* The city may be behind by any number of sealed tiles; the tiles of upper levels that are not
 * full are on disk only for the newest checkpoint. */
static void a_receipt_far_behind_the_sealed_events_is_met(void **state)
{
    struct fixture *here = *state;
    static const int SIZES[] = {1, 100, 256, 300, 512, 700};
    struct digest roots[countof(SIZES)];
    for (size_t i = 0; i < countof(SIZES); i++) {
        fixture_fill(here->journal, SIZES[i] - (int)here->journal->size);
        tree_root(&here->journal->tree, &roots[i]);
    }
    fixture_fill(here->journal, 400);
    fixture_seal(here);
    fixture_fill(here->journal, 1000);
    fixture_sign(here);
    for (size_t i = 0; i < countof(SIZES); i++) {
        put_receipt(here, here->journal->log.log, (uint64_t)SIZES[i], &roots[i]);
        int err = fixture_reopen(here);
        if (err)
            fail_msg("receipt of %d: %s", SIZES[i], buffer_text(&here->why));
    }
}

static void a_checkpoint_before_the_sealed_events_is_met(void **state)
{
    struct fixture *here = *state;
    fixture_fill(here->journal, 600);
    fixture_sign(here);
    fixture_fill(here->journal, 500);
    fixture_seal(here);
    assert_int_equal(here->journal->sealed.size, 1024);
    assert_int_equal(fixture_reopen(here), 0);
}

static void seal_two(struct fixture *here)
{
    fixture_fill(here->journal, 300);
    fixture_sign(here);
    fixture_fill(here->journal, 300);
    fixture_seal(here);
}

static void a_damaged_hash_tile_is_made_anew_from_its_bundle(void **state)
{
    struct fixture *here = *state;
    struct buffer before = {0}, after = {0};
    seal_two(here);
    keep_bytes(here, "tile/0/000", &before);
    fixture_flip(fixture_path(here, "tile/0/000"), 100);
    unlink(fixture_path(here, "tile/0/001"));
    assert_int_equal(damage_alone(here), AUDIT_TILES);
    keep_bytes(here, "tile/0/000", &after);
    assert_int_equal(before.length, after.length);
    assert_memory_equal(before.bytes, after.bytes, before.length);
    assert_true(file_exists(fixture_path(here, "damaged")));
    assert_int_equal(damage_alone(here), 0);
    buffer_free(&before);
    buffer_free(&after);
}

static void with_tile_and_bundle_gone_the_journal_is_set_aside(void **state)
{
    struct fixture *here = *state;
    seal_two(here);
    fixture_flip(fixture_path(here, "tile/0/000"), 100);
    fixture_flip(fixture_path(here, "tile/entries/000"), 100);
    expect_damage(here, "the hash tiles are not those of tail.db");
}

static void a_changed_edge_is_found(void **state)
{
    struct fixture *here = *state;
    fixture_fill(here->journal, 256);
    fixture_seal(here);
    fixture_fill(here->journal, 1);
    fixture_sign(here);
    fixture_sql(here, "UPDATE sealed SET edge = zeroblob(32)");
    expect_damage(here, "the hash tiles are not those of tail.db");
    fixture_sql(here, "UPDATE sealed SET size = 255");
    assert_int_equal(fixture_reopen(here), -EBADMSG);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_untouched_journal_is_sound, start, stop),
        cmocka_unit_test_setup_teardown(a_changed_body_is_found, start, stop),
        cmocka_unit_test_setup_teardown(
            a_changed_body_with_a_new_leaf_is_found_by_the_checkpoint, start, stop),
        cmocka_unit_test_setup_teardown(a_missing_row_is_found, start, stop),
        cmocka_unit_test_setup_teardown(a_missing_end_is_found_by_the_checkpoint, start,
                                        stop),
        cmocka_unit_test_setup_teardown(swapped_rows_are_found_also_behind_the_checkpoint,
                                        start, stop),
        cmocka_unit_test_setup_teardown(a_row_moved_to_another_lane_is_found, start,
                                        stop),
        cmocka_unit_test_setup_teardown(a_lane_that_does_not_exist_is_found, start, stop),
        cmocka_unit_test_setup_teardown(a_log_goes_on_without_its_checkpoint, start,
                                        stop),
        cmocka_unit_test_setup_teardown(
            a_second_cut_in_the_remains_of_a_first_is_no_damage, start, stop),
        cmocka_unit_test_setup_teardown(a_journal_found_damaged_is_left_as_it_was, start,
                                        stop),
        cmocka_unit_test_setup_teardown(a_checkpoint_of_another_key_counts_as_none, start,
                                        stop),
        cmocka_unit_test_setup_teardown(a_log_does_not_begin_where_another_has_been,
                                        start, stop),
        cmocka_unit_test_setup_teardown(a_receipt_ahead_of_the_tail_is_found, start,
                                        stop),
        cmocka_unit_test_setup_teardown(a_receipt_of_another_root_or_log_is_found, start,
                                        stop),
        cmocka_unit_test_setup_teardown(
            a_mark_without_a_receipt_counts_as_far_as_there_are_events, start, stop),
        cmocka_unit_test_setup_teardown(a_receipt_far_behind_the_sealed_events_is_met,
                                        start, stop),
        cmocka_unit_test_setup_teardown(a_checkpoint_before_the_sealed_events_is_met,
                                        start, stop),
        CASE(a_checkpoint_is_missed_when_the_city_has_seen_one),
        CASE(a_checkpoint_of_another_log_is_found),
        CASE(a_receipt_that_cannot_be_read_is_gone_without),
        CASE(a_receipt_that_the_city_has_not_signed_is_gone_without),
        CASE(the_receipt_tells_what_a_mark_must_be),
        CASE(a_flipped_name_of_the_office_is_damage_and_no_other_office),
        CASE(a_broken_page_is_found_though_no_event_is_on_it),
        CASE(a_damaged_frame_with_others_behind_it_is_found),
        CASE(a_damaged_hash_tile_is_made_anew_from_its_bundle),
        CASE(with_tile_and_bundle_gone_the_journal_is_set_aside),
        cmocka_unit_test_setup_teardown(a_changed_edge_is_found, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
