/* A database of an earlier version becomes one of this version, with all that is in it. */
#include "city/schema.h"

#include "fixture.h"

/* By the sqlite3 program: its answer, a line. */
static void ask(struct fixture *f, const char *sql, char answer[64])
{
    char command[800];
    snprintf(command, sizeof(command), "sqlite3 %s \"%s\"", f->path, sql);
    FILE *lines = popen(command, "r");
    assert_non_null(lines);
    answer[0] = '\0';
    if (fgets(answer, 64, lines) != NULL)
        answer[strcspn(answer, "\n")] = '\0';
    assert_int_equal(pclose(lines), 0);
}

static void expect(struct fixture *f, const char *sql, const char *expected)
{
    char answer[64];
    ask(f, sql, answer);
    assert_string_equal(answer, expected);
}

static void store_some(struct fixture *f)
{
    struct cover cover = {{0}};
    fixture_show_key(f, f->office_key);
    while (f->size < 300)
        fixture_emit(f, LANE_TELEMETRY);
    cover_put(&cover, 7);
    fixture_erase(f, 0, &cover, "telemetry");
    fixture_emit_own(f, LANE_RECORD, "journal.damaged", "\"tiles\":\"none\"");
    fixture_emit_own(f, LANE_RECORD, "journal.damaged",
                     "\"tiles\":[\"a text\",{\"n\":1.5}]");
    fixture_emit_own(f, LANE_RECORD, "journal.damaged", "\"folder\":\"x\"");
    fixture_send(f, LANE_RECORD, 300, 303);
    fixture_commit(f);
}

static void a_database_of_version_1_becomes_one_of_today(void **state)
{
    struct fixture *f = *state;
    char answer[64];
    store_some(f);
    fixture_close_city(f);
    ask(f, "DROP TABLE erased; DROP TABLE evidence; PRAGMA user_version = 1", answer);
    fixture_open_city(f);
    fixture_close_city(f);
    expect(f, "PRAGMA user_version", "3");
    expect(
        f,
        "SELECT group_concat(office || ' ' || log || ' ' || n || ' ' || seq) FROM erased",
        "office-1 log1 0 300");
    expect(f, "SELECT count(*) FROM event", "4");
    fixture_open_city(f);
}

static void one_of_version_2_learns_of_evidence(void **state)
{
    struct fixture *f = *state;
    char answer[64];
    store_some(f);
    fixture_close_city(f);
    ask(f, "DROP TABLE evidence; PRAGMA user_version = 2", answer);
    fixture_open_city(f);
    fixture_close_city(f);
    expect(f, "PRAGMA user_version", "3");
    expect(f, "SELECT count(*) FROM evidence", "0");
    expect(f, "SELECT count(*) FROM event", "4");
    fixture_open_city(f);
}

static void one_that_is_only_read_stays_as_it_is(void **state)
{
    struct fixture *f = *state;
    struct store *store;
    char answer[64], why[STORE_WHY_ROOM];
    fixture_close_city(f);
    ask(f, "DROP TABLE erased; DROP TABLE evidence; PRAGMA user_version = 1", answer);
    assert_int_equal(store_open(&store, f->path, false, why), -EPROTO);
    expect(f, "PRAGMA user_version", "1");
    fixture_open_city(f);
}

static void a_newer_one_is_refused(void **state)
{
    struct fixture *f = *state;
    struct store *store;
    char answer[64], why[STORE_WHY_ROOM];
    fixture_close_city(f);
    ask(f, "PRAGMA user_version = 4", answer);
    assert_int_equal(store_open(&store, f->path, true, why), -EPROTO);
    ask(f, "PRAGMA user_version = 3", answer);
    fixture_open_city(f);
}

int main(void)
{
#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)
    const struct CMUnitTest tests[] = {
        TEST(a_database_of_version_1_becomes_one_of_today),
        TEST(one_of_version_2_learns_of_evidence),
        TEST(one_that_is_only_read_stays_as_it_is),
        TEST(a_newer_one_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
