/* The schema as others read it: its version, its mark, and strict tables. */
#include "keeper/journal/schema.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static int start(void **state)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, schema_sql, NULL, NULL, NULL), SQLITE_OK);
    *state = db;
    return 0;
}

static int stop(void **state)
{
    return sqlite3_close(*state);
}

static int ask(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *rows;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &rows, NULL), SQLITE_OK);
    int value = sqlite3_step(rows) == SQLITE_ROW ? sqlite3_column_int(rows, 0) : -1;
    sqlite3_finalize(rows);
    return value;
}

static void the_file_says_what_it_is_and_of_which_version(void **state)
{
    assert_int_equal(ask(*state, "PRAGMA user_version"), SCHEMA_VERSION);
    assert_int_equal(ask(*state, "PRAGMA application_id"), 0x4f757470);
}

static void every_table_is_strict_and_no_column_may_be_null(void **state)
{
    assert_int_equal(ask(*state, "SELECT count(*) FROM pragma_table_list"
                                 " WHERE schema = 'main' AND name NOT LIKE 'sqlite_%'"),
                     9);
    assert_int_equal(ask(*state, "SELECT count(*) FROM pragma_table_list WHERE strict = 0"
                                 " AND schema = 'main' AND name NOT LIKE 'sqlite_%'"),
                     0);
    assert_int_equal(
        ask(*state,
            "SELECT count(*) FROM pragma_table_list t, pragma_table_info(t.name) c"
            " WHERE t.schema = 'main' AND t.name NOT LIKE 'sqlite_%'"
            " AND c.\"notnull\" = 0 AND c.pk = 0"),
        0);
}

static void there_is_one_log_one_edge_and_one_receipt(void **state)
{
    static const char *const SECOND[] = {
        "INSERT INTO log VALUES (2, 'o', 'l', 's', 'c', 0)",
        "INSERT INTO sealed VALUES (2, 0, x'')", "INSERT INTO receipt VALUES (2, x'')"};
    for (size_t i = 0; i < sizeof(SECOND) / sizeof(SECOND[0]); i++)
        assert_int_equal(sqlite3_exec(*state, SECOND[i], NULL, NULL, NULL),
                         SQLITE_CONSTRAINT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_file_says_what_it_is_and_of_which_version,
                                        start, stop),
        cmocka_unit_test_setup_teardown(every_table_is_strict_and_no_column_may_be_null,
                                        start, stop),
        cmocka_unit_test_setup_teardown(there_is_one_log_one_edge_and_one_receipt, start,
                                        stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
