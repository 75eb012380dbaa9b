/* The room of the write-ahead log: kept while the journal is closed, and never believed. */
#include "keeper/space/ahead.h"

#include <sys/stat.h>

#include "keeper/fixture.h"

enum { ROOM = 1024 * 1024, INDEX = 256 * 1024 };

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

static int64_t length_of(const struct fixture *here, const char *name)
{
    struct stat file;
    return stat(fixture_path(here, name), &file) == 0 ? (int64_t)file.st_size : -1;
}

static void stretch(struct fixture *here)
{
    char path[JOURNAL_PATH_MAX];
    strcpy(path, fixture_path(here, "tail.db"));
    assert_int_equal(ahead_stretch(path, ROOM), 0);
}

static void a_closed_journal_has_no_wal_and_its_room_lies_aside(void **state)
{
    struct fixture *here = *state;
    fixture_fill(here->journal, 3);
    stretch(here);
    journal_close(here->journal);
    here->journal = NULL;
    assert_int_equal(length_of(here, "tail.db-wal"), -1);
    assert_int_equal(length_of(here, "tail.db-shm"), -1);
    assert_true(length_of(here, "tail.db-reserve") >= ROOM);
    assert_int_equal(fixture_reopen(here), 0);
    assert_int_equal(length_of(here, "tail.db-reserve"), -1);
    assert_true(length_of(here, "tail.db-wal") >= ROOM - INDEX);
    assert_int_equal(here->journal->size, 3);
}

static void the_next_commits_take_no_new_room(void **state)
{
    struct fixture *here = *state;
    stretch(here);
    assert_int_equal(fixture_reopen(here), 0);
    int64_t before = length_of(here, "tail.db-wal");
    for (int i = 0; i < 20; i++)
        fixture_fill(here->journal, 1);
    assert_int_equal(length_of(here, "tail.db-wal"), before);
    assert_int_equal(fixture_reopen(here), 0);
    assert_int_equal(here->journal->size, 20);
}

/* Somebody who can write the folder could put a log of his own where the room lies. */
static void what_was_written_into_the_room_is_not_believed(void **state)
{
    struct fixture *here = *state;
    struct buffer forged = {0};
    fixture_fill(here->journal, 3);
    fixture_fill(here->journal, 3);
    assert_int_equal(file_read(&forged, fixture_path(here, "tail.db-wal"), ROOM), 0);
    journal_close(here->journal);
    here->journal = NULL;
    fixture_sql(here, "DELETE FROM kv");
    assert_int_equal(file_put(fixture_path(here, "tail.db-reserve"), forged.bytes,
                              forged.length, 0640),
                     0);
    char path[JOURNAL_PATH_MAX];
    strcpy(path, fixture_path(here, "tail.db"));
    ahead_take(path);
    buffer_clear(&forged);
    assert_int_equal(file_read(&forged, fixture_path(here, "tail.db-wal"), ROOM), 0);
    for (size_t i = 0; i < 32; i++)
        assert_int_equal(forged.bytes[i], 0);
    buffer_free(&forged);
    assert_int_equal(fixture_reopen(here), 0);
    assert_int_equal(here->journal->size, 6);
}

static void a_log_that_waits_is_not_put_aside_nor_replaced(void **state)
{
    struct fixture *here = *state;
    char path[JOURNAL_PATH_MAX];
    struct buffer before = {0}, after = {0};
    strcpy(path, fixture_path(here, "tail.db"));
    fixture_fill(here->journal, 3);
    assert_int_equal(file_read(&before, fixture_path(here, "tail.db-wal"), ROOM), 0);
    ahead_put_aside(path, false);
    assert_int_equal(length_of(here, "tail.db-reserve"), -1);
    assert_int_equal(file_put(fixture_path(here, "tail.db-reserve"), before.bytes,
                              before.length, 0640),
                     0);
    ahead_take(path);
    assert_int_equal(file_read(&after, fixture_path(here, "tail.db-wal"), ROOM), 0);
    assert_int_equal(before.length, after.length);
    assert_memory_equal(before.bytes, after.bytes, before.length);
    buffer_free(&before);
    buffer_free(&after);
}

static void a_room_that_somebody_reads_stays_where_it_is(void **state)
{
    struct fixture *here = *state;
    sqlite3 *db;
    fixture_fill(here->journal, 3);
    assert_int_equal(sqlite3_open(fixture_path(here, "tail.db"), &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db, "BEGIN; SELECT count(*) FROM event", NULL, NULL, NULL),
        SQLITE_OK);
    journal_close(here->journal);
    here->journal = NULL;
    assert_true(length_of(here, "tail.db-wal") > 0);
    sqlite3_close(db);
    assert_int_equal(fixture_reopen(here), 0);
    assert_int_equal(here->journal->size, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_closed_journal_has_no_wal_and_its_room_lies_aside, start, stop),
        cmocka_unit_test_setup_teardown(the_next_commits_take_no_new_room, start, stop),
        cmocka_unit_test_setup_teardown(what_was_written_into_the_room_is_not_believed,
                                        start, stop),
        cmocka_unit_test_setup_teardown(a_log_that_waits_is_not_put_aside_nor_replaced,
                                        start, stop),
        cmocka_unit_test_setup_teardown(a_room_that_somebody_reads_stays_where_it_is,
                                        start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
