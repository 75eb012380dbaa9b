/* What SQLite would take from a write-ahead log, against what SQLite itself takes. */
#include "keeper/repair/wal.h"

#include <fcntl.h>

#include "keeper/fixture.h"

enum { PAGE = 4096, FRAME = 24 + PAGE, HEADER = 32 };

static char folder[32], path[64], wal_path[64];

static int start(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/wal-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/a.db", folder);
    snprintf(wal_path, sizeof(wal_path), "%s/a.db-wal", folder);
    return 0;
}

static int stop(void **state)
{
    char command[80];
    (void)state;
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    return system(command);
}

/* Leaves a database with a WAL of `transactions`, as a killed process does: files are copied away
 * and back around the close. */
static void make_wal(int transactions)
{
    char command[400];
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db,
                                  "PRAGMA page_size=4096; PRAGMA journal_mode=WAL;"
                                  "CREATE TABLE t(n); PRAGMA wal_checkpoint(TRUNCATE);"
                                  "PRAGMA wal_autocheckpoint=0;",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    for (int i = 0; i < transactions; i++)
        assert_int_equal(
            sqlite3_exec(db, "INSERT INTO t VALUES (zeroblob(9000))", NULL, NULL, NULL),
            SQLITE_OK);
    snprintf(command, sizeof(command), "cp %s %s/keep && cp %s %s/keep-wal", path, folder,
             wal_path, folder);
    assert_int_equal(system(command), 0);
    sqlite3_close(db);
    snprintf(command, sizeof(command), "mv %s/keep %s && mv %s/keep-wal %s", folder, path,
             folder, wal_path);
    assert_int_equal(system(command), 0);
}

static int64_t taken_by_sqlite(void)
{
    sqlite3 *db;
    sqlite3_stmt *rows;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT count(*) FROM t", -1, &rows, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(rows), SQLITE_ROW);
    int64_t count = sqlite3_column_int64(rows, 0);
    sqlite3_finalize(rows);
    sqlite3_close(db);
    return count;
}

static void damage(off_t at)
{
    int fd = open(wal_path, O_RDWR);
    char byte;
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte = (char)(byte ^ 0x10);
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

static void expect(int64_t whole, int64_t claimed)
{
    struct wal wal;
    assert_int_equal(wal_look(&wal, wal_path), 0);
    assert_int_equal(wal.whole, whole);
    assert_int_equal(wal.claimed, claimed);
}

static void no_file_holds_nothing(void **state)
{
    (void)state;
    expect(0, 0);
}

static void whole_transactions_are_counted_as_sqlite_takes_them(void **state)
{
    (void)state;
    make_wal(3);
    expect(3, 3);
    assert_int_equal(taken_by_sqlite(), 3);
}

static void a_header_alone_holds_nothing(void **state)
{
    (void)state;
    make_wal(1);
    assert_int_equal(truncate(wal_path, HEADER), 0);
    expect(0, 0);
    assert_int_equal(truncate(wal_path, HEADER - 1), 0);
    expect(0, 0);
}

static void a_transaction_cut_short_is_not_whole_nor_ended(void **state)
{
    (void)state;
    make_wal(1);
    assert_int_equal(truncate(wal_path, HEADER + 2 * FRAME), 0);
    expect(0, 0);
    assert_int_equal(taken_by_sqlite(), 0);
}

static void a_flipped_bit_makes_what_follows_only_claimed(void **state)
{
    (void)state;
    make_wal(3);
    damage(HEADER + 24 + 100);
    expect(0, 3);
    assert_int_equal(taken_by_sqlite(), 0);
}

static void a_damaged_header_with_something_behind_it_claims_a_transaction(void **state)
{
    (void)state;
    make_wal(1);
    damage(0);
    expect(0, 1);
    assert_int_equal(taken_by_sqlite(), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)

static void forge_end(int frame)
{
    static const char END[] = {0, 0, 0, 9};
    int fd = open(wal_path, O_RDWR);
    assert_int_equal(pwrite(fd, END, sizeof(END), HEADER + frame * FRAME + 4), 4);
    close(fd);
}

/* In frame 41 a sector ends between that field and the salts: power that failed there may leave the
 * field of what was there before. Elsewhere it can only be damage. */
static void the_end_of_a_torn_frame_header_is_not_believed(void **state)
{
    struct wal before, after;
    (void)state;
    make_wal(20);
    assert_int_equal((HEADER + 41 * FRAME) % 512, 504);
    damage(HEADER + 30 * FRAME + 100);
    assert_int_equal(wal_look(&before, wal_path), 0);
    forge_end(41);
    assert_int_equal(wal_look(&after, wal_path), 0);
    assert_int_equal(after.claimed, before.claimed);
    forge_end(42);
    forge_end(43);
    forge_end(44);
    assert_int_equal(wal_look(&after, wal_path), 0);
    assert_true(after.claimed > before.claimed);
    assert_int_equal(after.whole, before.whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(no_file_holds_nothing),
        CASE(whole_transactions_are_counted_as_sqlite_takes_them),
        CASE(a_header_alone_holds_nothing),
        CASE(a_transaction_cut_short_is_not_whole_nor_ended),
        CASE(a_flipped_bit_makes_what_follows_only_claimed),
        CASE(a_damaged_header_with_something_behind_it_claims_a_transaction),
        CASE(the_end_of_a_torn_frame_header_is_not_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
