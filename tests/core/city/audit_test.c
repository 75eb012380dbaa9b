/* What somebody changes in the database behind our back is found and named. */
#include "city/audit.h"

#include "city/prove.h"
#include "fixture.h"

enum { EVENTS = 600 };

static int open_filled(void **state)
{
    fixture_open(state);
    struct fixture *f = *state;
    fixture_show_key(f, f->office_key);
    for (int part = 0; part < 2; part++) {
        int64_t from = f->size;
        for (int i = 0; i < EVENTS / 2; i++)
            fixture_emit(f, LANE_RECORD);
        fixture_send(f, LANE_RECORD, from, f->size - 1);
        fixture_send_checkpoint(f, NULL);
        fixture_commit(f);
    }
    fixture_emit(f, LANE_RECORD); /* one that no checkpoint covers */
    fixture_send(f, LANE_RECORD, EVENTS, EVENTS);
    fixture_commit(f);
    return 0;
}

static void what_is_as_it_was_is_fine(void **state)
{
    struct fixture *f = *state;
    struct audit_report report;
    assert_int_equal(audit_database(&report, f->store, f->offices, NULL), 0);
    assert_int_equal(report.events, EVENTS + 1);
    assert_int_equal(report.verified, EVENTS);
    assert_int_equal(report.logs, 1);
}

static void findings_are_counted_by_their_kinds(void **state)
{
    struct fixture *f = *state;
    struct audit_report report;
    char *other = fixture_compose("office-1", "log1", 3, LANE_RECORD, "other");
    char payload[1024];
    snprintf(payload, sizeof(payload), "[%s]", other);
    fixture_say(f, "outpost/v1/office-1/up/record", payload, "log1", "record", 2, 3);
    fixture_commit(f);
    struct key *stranger;
    key_make(&stranger, f->tree.suite, "outpost/office-1");
    fixture_show_key(f, stranger);
    key_free(stranger);
    fixture_commit(f);
    assert_int_equal(audit_database(&report, f->store, f->offices, NULL), 0);
    assert_int_equal(report.findings, 2);
    assert_string_equal(report.kinds, "1 different, 1 key");
    free(other);
}

/* By the sqlite3 program, because the store has no words for such deeds. */
static void tamper(struct fixture *f, const char *sql)
{
    char command[400];
    fixture_close_city(f);
    snprintf(command, sizeof(command), "sqlite3 %s \"%s\"", f->path, sql);
    assert_int_equal(system(command), 0);
    fixture_open_city(f);
}

static void every_change_is_found_and_named(void **state)
{
    static const struct {
        const char *sql;
        int64_t seq;
        const char *named;
    } DEEDS[] = {
        {"UPDATE event SET body = replace(body, 'braces', 'bracer') WHERE seq = 417", 417,
         "not the one"},
        {"DELETE FROM event WHERE seq = 255", 255, "missing"},
        {"DELETE FROM event WHERE seq = 599", 599, "missing"},
        {"UPDATE event SET type = 'test.other' WHERE seq = 3", 3, "column"},
        {"UPDATE event SET subject = NULL WHERE seq = 4", 4, "column"},
        {"UPDATE event SET time = '2020-01-01T00:00:00Z' WHERE seq = 5", 5, "column"},
        {"UPDATE event SET body = replace(body, '2026', '2025') WHERE seq = 600", 600,
         "column"},
        {"UPDATE event SET lane = 'alarm' WHERE seq = 600", 600, "lane"},
        {"UPDATE tile SET leaves = CAST(substr(leaves, 1, 32) || substr(leaves, 65, 32) "
         "|| "
         "substr(leaves, 65) AS BLOB) WHERE n = 0",
         1, "not the one"},
        {"DELETE FROM tile WHERE n = 1", 256, "leaf"},
        {"UPDATE checkpoint SET note = replace(note, '600', '601')", 599, "not signed"},
        {"DELETE FROM checkpoint", 0, "checkpoint"},
        {"UPDATE office SET verifier = NULL", 599, "key"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < countof(DEEDS); i++) {
        struct audit_report report;
        char backup[400];
        fixture_close_city(f);
        snprintf(backup, sizeof(backup), "cp %s %s.good", f->path, f->path);
        assert_int_equal(system(backup), 0);
        fixture_open_city(f);
        tamper(f, DEEDS[i].sql);
        assert_int_equal(audit_database(&report, f->store, f->offices, NULL), -EBADMSG);
        assert_int_equal(report.seq, DEEDS[i].seq);
        assert_non_null(strstr(report.what, DEEDS[i].named));
        assert_string_equal(report.office, "office-1");
        fixture_close_city(f);
        snprintf(backup, sizeof(backup), "mv %s.good %s && rm -f %s-wal %s-shm", f->path,
                 f->path, f->path, f->path);
        assert_int_equal(system(backup), 0);
        fixture_open_city(f);
    }
}

static void every_event_under_a_checkpoint_can_be_proven(void **state)
{
    static const int64_t SEQS[] = {0, 1, 255, 256, 511, 512, 599};
    struct fixture *f = *state;
    for (size_t i = 0; i < countof(SEQS); i++) {
        struct buffer proof = {0};
        assert_int_equal(prove_event(&proof, f->store, "office-1", "log1", SEQS[i]), 0);
        assert_non_null(strstr(buffer_text(&proof), "\"format\":\"outpost-proof/1\""));
        buffer_free(&proof);
    }
}

static void others_cannot(void **state)
{
    struct fixture *f = *state;
    struct buffer proof = {0};
    assert_int_equal(prove_event(&proof, f->store, "office-1", "log1", EVENTS), -EAGAIN);
    assert_int_equal(prove_event(&proof, f->store, "office-1", "log1", EVENTS + 1),
                     -ENOENT);
    assert_int_equal(prove_event(&proof, f->store, "office-2", "log1", 0), -ENOENT);
    assert_int_equal(proof.length, 0);
    buffer_free(&proof);
}

int main(void)
{
#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_filled, fixture_close)
    const struct CMUnitTest tests[] = {
        TEST(what_is_as_it_was_is_fine),
        TEST(findings_are_counted_by_their_kinds),
        TEST(every_change_is_found_and_named),
        TEST(every_event_under_a_checkpoint_can_be_proven),
        TEST(others_cannot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
