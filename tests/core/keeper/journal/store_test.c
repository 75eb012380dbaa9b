/* The store: transactions, keys, cursors, marks, tiles, and a file that is not what it should be. */
#include "keeper/journal/store.h"

#include "keeper/blobs/catalog.h"
#include "keeper/fixture.h"
#include "keeper/journal/query.h"

struct here {
    char folder[256];
    char path[300];
    struct store *store;
};

static int start(void **state)
{
    struct here *here = calloc(1, sizeof(*here));
    fixture_folder(here->folder, sizeof(here->folder));
    snprintf(here->path, sizeof(here->path), "%s/tail.db", here->folder);
    assert_int_equal(store_open(&here->store, here->path), 0);
    *state = here;
    return 0;
}

static int stop(void **state)
{
    struct here *here = *state;
    store_close(here->store);
    fixture_remove(here->folder);
    free(here);
    return 0;
}

static void open_again(struct here *here)
{
    store_close(here->store);
    here->store = NULL;
    assert_int_equal(store_open(&here->store, here->path), 0);
}

static void add(struct store *store, int64_t seq, enum talk_lane lane)
{
    struct store_event event = {.seq = seq, .lane = lane, .body = "body", .length = 4};
    memset(event.leaf.bytes, (int)seq, DIGEST_BYTES);
    assert_int_equal(store_add_event(store, &event), 0);
}

static int count_event(void *owner, const struct store_event *event)
{
    int64_t *next = owner;
    assert_int_equal(event->seq, *next);
    assert_int_equal(event->length, 4);
    assert_memory_equal(event->body, "body", 4);
    assert_int_equal(event->leaf.bytes[7], (uint8_t)event->seq);
    (*next)++;
    return 0;
}

static void what_was_committed_is_there_after_opening_again(void **state)
{
    struct here *here = *state;
    int64_t next = 0;
    assert_int_equal(store_begin(here->store), 0);
    for (int64_t seq = 0; seq < 5; seq++)
        add(here->store, seq, LANE_RECORD);
    assert_int_equal(store_put(here->store, "gate", "key", "value", 5), 0);
    assert_int_equal(store_commit(here->store), 0);
    open_again(here);
    assert_int_equal(store_each_event(here->store, 0, 100, count_event, &next), 0);
    assert_int_equal(next, 5);
}

static void rollback_leaves_nothing(void **state)
{
    struct here *here = *state;
    struct buffer value = {0};
    int64_t seq = 0, next = 0, marks[LANES];
    assert_int_equal(store_begin(here->store), 0);
    add(here->store, 0, LANE_ALARM);
    assert_int_equal(store_put(here->store, "gate", "key", "value", 5), 0);
    assert_int_equal(store_put_cursor(here->store, "gate", "all", 7), 0);
    assert_int_equal(store_put_mark(here->store, LANE_ALARM, 7), 0);
    store_rollback(here->store);
    assert_int_equal(store_get(here->store, "gate", "key", &value), -ENOENT);
    assert_int_equal(store_get_cursor(here->store, "gate", "all", &seq), 0);
    assert_int_equal(seq, -1);
    assert_int_equal(store_get_marks(here->store, marks), 0);
    assert_int_equal(marks[LANE_ALARM], -1);
    assert_int_equal(store_each_event(here->store, 0, 1, count_event, &next), 0);
    assert_int_equal(next, 0);
    store_rollback(here->store); /* without a transaction: harmless */
}

static void a_transaction_not_committed_is_gone_when_the_file_is_closed(void **state)
{
    struct here *here = *state;
    struct buffer value = {0};
    assert_int_equal(store_begin(here->store), 0);
    assert_int_equal(store_put(here->store, "gate", "key", "value", 5), 0);
    open_again(here);
    assert_int_equal(store_get(here->store, "gate", "key", &value), -ENOENT);
}

static void a_sequence_is_taken_only_once(void **state)
{
    struct here *here = *state;
    struct store_event event = {.seq = 0, .body = "again", .length = 5};
    add(here->store, 0, LANE_ALARM);
    assert_true(store_add_event(here->store, &event) < 0);
}

static int stop_at_two(void *owner, const struct store_event *event)
{
    (*(int *)owner)++;
    return event->seq == 2 ? 42 : 0;
}

static void reading_ends_when_the_reader_has_enough(void **state)
{
    struct here *here = *state;
    int calls = 0;
    for (int64_t seq = 0; seq < 5; seq++)
        add(here->store, seq, LANE_RECORD);
    assert_int_equal(store_each_event(here->store, 1, 100, stop_at_two, &calls), 42);
    assert_int_equal(calls, 2);
    assert_int_equal(store_each_event(here->store, 3, 1, stop_at_two, &calls), 0);
    assert_int_equal(calls, 3);
}

static void the_log_is_made_once_and_remembers_how_it_ended(void **state)
{
    struct here *here = *state;
    struct store_log log = {.office = "office", .log = "9c41e07a", .suite = "sm3+sm2"};
    struct store_log got;
    assert_int_equal(store_get_log(here->store, &got), -ENOENT);
    assert_int_equal(store_put_log(here->store, &log), 0);
    assert_true(store_put_log(here->store, &log) < 0);
    assert_int_equal(store_get_log(here->store, &got), 0);
    assert_string_equal(got.office, "office");
    assert_string_equal(got.log, "9c41e07a");
    assert_string_equal(got.suite, "sm3+sm2");
    assert_false(got.closed);
    assert_int_equal(store_put_closed(here->store, true), 0);
    open_again(here);
    assert_int_equal(store_get_log(here->store, &got), 0);
    assert_true(got.closed);
}

static int join_keys(void *owner, const char *key, const void *value, size_t length)
{
    buffer_printf(owner, "%s=%.*s ", key, (int)length, (const char *)value);
    return 0;
}

static int refuse_key(void *owner, const char *key, const void *value, size_t length)
{
    (void)key;
    (void)value;
    (void)length;
    return ++*(int *)owner == 2 ? 7 : 0;
}

static void keys_are_private_and_come_in_order(void **state)
{
    struct here *here = *state;
    struct buffer all = {0};
    int calls = 0;
    const char *const KEYS[] = {"b", "d", "a", "c"};
    for (size_t i = 0; i < countof(KEYS); i++)
        assert_int_equal(store_put(here->store, "gate", KEYS[i], KEYS[i], 1), 0);
    assert_int_equal(store_put(here->store, "gate", "b", "", 0), 0);
    assert_int_equal(store_put(here->store, "hall", "b", "other", 5), 0);
    assert_int_equal(store_remove(here->store, "gate", "c"), 0);
    assert_int_equal(store_remove(here->store, "gate", "never there"), 0);
    assert_int_equal(store_each_key(here->store, "gate", "", NULL, join_keys, &all), 0);
    assert_string_equal(buffer_text(&all), "a=a b= d=d ");
    buffer_clear(&all);
    assert_int_equal(store_each_key(here->store, "gate", "b", "d", join_keys, &all), 0);
    assert_string_equal(buffer_text(&all), "b= ");
    assert_int_equal(store_each_key(here->store, "gate", "", NULL, refuse_key, &calls),
                     7);
    assert_int_equal(store_get(here->store, "hall", "b", &all), 0);
    assert_string_equal(buffer_text(&all), "b= other");
    buffer_free(&all);
}

static void cursors_and_marks_start_at_none_and_go_both_ways(void **state)
{
    struct here *here = *state;
    int64_t seq, marks[LANES];
    assert_int_equal(store_get_cursor(here->store, "gate", "all", &seq), 0);
    assert_int_equal(seq, -1);
    for (int64_t at = 9; at > 7; at--) {
        assert_int_equal(store_put_cursor(here->store, "gate", "all", at), 0);
        assert_int_equal(store_put_mark(here->store, LANE_RECORD, at), 0);
    }
    open_again(here);
    assert_int_equal(store_get_cursor(here->store, "gate", "all", &seq), 0);
    assert_int_equal(seq, 8);
    assert_int_equal(store_get_marks(here->store, marks), 0);
    assert_int_equal(marks[LANE_ALARM], -1);
    assert_int_equal(marks[LANE_RECORD], 8);
}

static void sealing_lets_the_rows_go_and_keeps_the_edge(void **state)
{
    struct here *here = *state;
    struct buffer edge = {0}, got = {0};
    int64_t size, next = 3;
    for (int64_t seq = 0; seq < 5; seq++)
        add(here->store, seq, LANE_RECORD);
    assert_int_equal(store_get_sealed(here->store, &size, &got), 0);
    assert_int_equal(size, 0);
    buffer_append_text(&edge, "edge");
    assert_int_equal(store_put_sealed(here->store, 3, &edge), 0);
    assert_int_equal(store_get_sealed(here->store, &size, &got), 0);
    assert_int_equal(size, 3);
    assert_string_equal(buffer_text(&got), "edge");
    assert_int_equal(store_each_event(here->store, 0, 100, count_event, &next), 0);
    assert_int_equal(next, 5);
    buffer_free(&edge);
    buffer_free(&got);
}

static void a_tile_is_found_by_what_it_holds(void **state)
{
    struct here *here = *state;
    struct store_tile tile, got;
    int64_t index = -1;
    memset(&tile, LANE_TELEMETRY, sizeof(tile));
    for (int64_t n = 0; n < 4; n++) {
        tile.lanes[77] = n == 2 ? LANE_ALARM : LANE_TELEMETRY;
        assert_int_equal(store_add_tile(here->store, n, &tile), 0);
    }
    assert_int_equal(store_find_tile(here->store, 0, LANE_ALARM, &index), 0);
    assert_int_equal(index, 2);
    assert_int_equal(store_find_tile(here->store, 3, LANE_ALARM, &index), -ENOENT);
    assert_int_equal(store_find_tile(here->store, 0, LANE_RECORD, &index), -ENOENT);
    assert_int_equal(store_find_tile(here->store, 3, LANE_TELEMETRY, &index), 0);
    assert_int_equal(store_get_tile(here->store, 2, &got), 0);
    assert_int_equal(got.lanes[77], LANE_ALARM);
    assert_true(digest_equal(&got.file, &tile.file));
    assert_int_equal(store_get_tile(here->store, 4, &got), -ENOENT);
}

static void the_newest_receipt_is_kept_as_it_came(void **state)
{
    struct here *here = *state;
    struct buffer note = {0};
    assert_int_equal(store_get_receipt(here->store, &note), -ENOENT);
    assert_int_equal(store_put_receipt(here->store, "old", 3), 0);
    assert_int_equal(store_put_receipt(here->store, "a\0b", 3), 0);
    open_again(here);
    assert_int_equal(store_get_receipt(here->store, &note), 0);
    assert_int_equal(note.length, 3);
    assert_memory_equal(note.bytes, "a\0b", 3);
    buffer_free(&note);
}

static void what_is_no_database_is_called_damaged(void **state)
{
    struct here *here = *state;
    struct store *other = NULL;
    char path[300], noise[4096];
    memset(noise, 'x', sizeof(noise));
    snprintf(path, sizeof(path), "%s/other.db", here->folder);
    assert_int_equal(file_put(path, noise, sizeof(noise), 0600), 0);
    assert_int_equal(store_open(&other, path), -EBADMSG);
    assert_null(other);
    snprintf(path, sizeof(path), "%s/nowhere/other.db", here->folder);
    assert_int_equal(store_open(&other, path), -EACCES);
}

static void a_file_of_a_newer_version_is_left_alone(void **state)
{
    struct here *here = *state;
    sqlite3 *db;
    store_close(here->store);
    here->store = NULL;
    assert_int_equal(sqlite3_open(here->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL), 0);
    sqlite3_close(db);
    assert_int_equal(store_open(&here->store, here->path), -EPROTONOSUPPORT);
}

/* It is migrated once what is said of its end has gone (keeper.c); until then nothing in it changes. */
static void a_file_of_version_1_is_migrated_when_it_is_asked_for(void **state)
{
    struct here *here = *state;
    struct catalog_blob blob = {.keep_ms = -1, .until_us = -1, .seq = -1}, row;
    struct buffer value = {0};
    assert_int_equal(store_put(here->store, "gate", "key", "old", 3), 0);
    store_close(here->store);
    here->store = NULL;
    sqlite3 *db;
    assert_int_equal(sqlite3_open(here->path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db, "DROP TABLE blob; PRAGMA user_version = 1", NULL, NULL, NULL),
        0);
    sqlite3_close(db);
    for (int is_committed = 0; is_committed < 2; is_committed++) {
        open_again(here);
        assert_null(store_statement(here->store, QUERY_GET_BLOB));
        assert_int_equal(store_begin(here->store), 0);
        assert_int_equal(store_migrate(here->store), 0);
        assert_int_equal(catalog_put(here->store, &blob), 0);
        if (is_committed)
            assert_int_equal(store_commit(here->store), 0);
        else
            store_rollback(here->store);
    }
    open_again(here);
    assert_int_equal(catalog_get(here->store, &blob.sha256, &row), 0);
    assert_int_equal(store_get(here->store, "gate", "key", &value), 0);
    assert_string_equal(buffer_text(&value), "old");
    buffer_free(&value);
    assert_int_equal(store_begin(here->store), 0);
    assert_int_equal(store_migrate(here->store), 0); /* nothing is left to be done */
    assert_int_equal(store_commit(here->store), 0);
}

static void the_log_ahead_is_copied_only_when_it_is_long(void **state)
{
    struct here *here = *state;
    char ahead[310];
    struct stat before, after;
    snprintf(ahead, sizeof(ahead), "%s-wal", here->path);
    assert_int_equal(store_checkpoint(here->store, 0), 0);
    assert_int_equal(stat(here->path, &before), 0);
    assert_int_equal(store_put(here->store, "gate", "key", ahead, sizeof(ahead)), 0);
    assert_int_equal(store_checkpoint(here->store, 1000), 0);
    assert_int_equal(stat(here->path, &after), 0);
    assert_int_equal(after.st_size, before.st_size);
    assert_int_equal(store_checkpoint(here->store, 1), 0);
    assert_int_equal(stat(here->path, &after), 0);
    assert_true(after.st_size > before.st_size);
}

static void keys_of_another_file_are_copied_as_far_as_it_can_be_read(void **state)
{
    struct here *here = *state;
    struct store *other = NULL;
    struct buffer value = {0};
    char path[300];
    assert_int_equal(store_put(here->store, "gate", "key", "value", 5), 0);
    assert_int_equal(store_put(here->store, "hall", "key", "other", 5), 0);
    assert_int_equal(store_put(here->store, "courier", "key", "begun", 5), 0);
    snprintf(path, sizeof(path), "%s/new.db", here->folder);
    assert_int_equal(store_open(&other, path), 0);
    assert_int_equal(store_copy_keys(other, here->path), 0);
    assert_int_equal(store_get(other, "gate", "key", &value), 0);
    assert_int_equal(store_get(other, "hall", "key", &value), 0);
    assert_string_equal(buffer_text(&value), "valueother");
    assert_int_equal(store_get(other, "courier", "key", &value), -ENOENT);
    snprintf(path, sizeof(path), "%s/none.db", here->folder);
    assert_true(store_copy_keys(other, path) < 0);
    store_close(other);
    buffer_free(&value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_committed_is_there_after_opening_again,
                                        start, stop),
        cmocka_unit_test_setup_teardown(rollback_leaves_nothing, start, stop),
        cmocka_unit_test_setup_teardown(
            a_transaction_not_committed_is_gone_when_the_file_is_closed, start, stop),
        cmocka_unit_test_setup_teardown(a_sequence_is_taken_only_once, start, stop),
        cmocka_unit_test_setup_teardown(reading_ends_when_the_reader_has_enough, start,
                                        stop),
        cmocka_unit_test_setup_teardown(the_log_is_made_once_and_remembers_how_it_ended,
                                        start, stop),
        cmocka_unit_test_setup_teardown(keys_are_private_and_come_in_order, start, stop),
        cmocka_unit_test_setup_teardown(cursors_and_marks_start_at_none_and_go_both_ways,
                                        start, stop),
        cmocka_unit_test_setup_teardown(sealing_lets_the_rows_go_and_keeps_the_edge,
                                        start, stop),
        cmocka_unit_test_setup_teardown(a_tile_is_found_by_what_it_holds, start, stop),
        cmocka_unit_test_setup_teardown(the_newest_receipt_is_kept_as_it_came, start,
                                        stop),
        cmocka_unit_test_setup_teardown(what_is_no_database_is_called_damaged, start,
                                        stop),
        cmocka_unit_test_setup_teardown(a_file_of_a_newer_version_is_left_alone, start,
                                        stop),
        cmocka_unit_test_setup_teardown(
            a_file_of_version_1_is_migrated_when_it_is_asked_for, start, stop),
        cmocka_unit_test_setup_teardown(the_log_ahead_is_copied_only_when_it_is_long,
                                        start, stop),
        cmocka_unit_test_setup_teardown(
            keys_of_another_file_are_copied_as_far_as_it_can_be_read, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
