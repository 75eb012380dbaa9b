/* The journal: what is committed is there, what is not has never been. */
#include "keeper/journal/journal.h"

#include <signal.h>
#include <sys/resource.h>

#include "base/json.h"
#include "keeper/fixture.h"

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

static struct digest root_of(const struct journal *journal)
{
    struct digest root;
    tree_root(&journal->tree, &root);
    return root;
}

static void sequences_begin_at_zero_and_have_no_holes(void **state)
{
    struct fixture *here = *state;
    for (int turn = 0; turn < 3; turn++) {
        assert_int_equal(journal_begin(here->journal), 0);
        for (int i = 0; i < 3; i++)
            assert_int_equal(
                fixture_append(here->journal, LANE_RECORD, "band.seen", "{}"),
                turn * 3 + i);
        assert_int_equal(journal_commit(here->journal), 0);
    }
    assert_int_equal(here->journal->size, 9);
    assert_int_equal(here->journal->lane_last[LANE_RECORD], 8);
    assert_int_equal(here->journal->lane_last[LANE_ALARM], -1);
}

static void what_was_committed_is_the_same_after_opening_again(void **state)
{
    struct fixture *here = *state;
    char log[WORD_ID_MAX + 1];
    fixture_fill(here->journal, 40);
    struct digest before = root_of(here->journal);
    strcpy(log, here->journal->log.log);
    assert_int_equal(fixture_reopen(here), 0);
    struct digest after = root_of(here->journal);
    assert_true(digest_equal(&before, &after));
    assert_int_equal(here->journal->size, 40);
    assert_string_equal(here->journal->log.log, log);
    assert_int_equal(here->journal->lane_last[LANE_ALARM], 39);
    assert_int_equal(here->journal->lane_last[LANE_TELEMETRY], 38);
}

static void a_rollback_leaves_nothing_and_the_next_takes_its_sequences(void **state)
{
    struct fixture *here = *state;
    fixture_fill(here->journal, 10);
    struct digest before = root_of(here->journal);
    assert_int_equal(journal_begin(here->journal), 0);
    for (int i = 0; i < 5; i++)
        fixture_append(here->journal, LANE_ALARM, "band.opened", "{}");
    assert_int_equal(here->journal->size, 10);
    journal_rollback(here->journal);
    struct digest after = root_of(here->journal);
    assert_true(digest_equal(&before, &after));
    assert_int_equal(here->journal->tail.count, 10);
    assert_int_equal(here->journal->lane_last[LANE_ALARM], 9);
    fixture_fill(here->journal, 1);
    assert_int_equal(here->journal->size, 11);
    assert_int_equal(fixture_reopen(here), 0);
    assert_int_equal(here->journal->size, 11);
}

static void a_transaction_cut_by_a_crash_has_never_been(void **state)
{
    struct fixture *here = *state;
    fixture_fill(here->journal, 10);
    assert_int_equal(journal_begin(here->journal), 0);
    fixture_append(here->journal, LANE_ALARM, "band.opened", "{}");
    assert_int_equal(fixture_reopen(here), 0);
    assert_int_equal(here->journal->size, 10);
}

static void an_event_too_large_is_refused_and_the_others_stay(void **state)
{
    struct fixture *here = *state;
    int64_t seq;
    char *data = calloc(1, TALK_EVENT_MAX + 1);
    memset(data, ' ', TALK_EVENT_MAX);
    data[0] = '{';
    data[1] = '}';
    struct event_draft large = {.source = "band/gate",
                                .type = "band.seen",
                                .lane = LANE_RECORD,
                                .data = data,
                                .data_length = TALK_EVENT_MAX};
    assert_int_equal(journal_begin(here->journal), 0);
    fixture_append(here->journal, LANE_RECORD, "band.seen", "{}");
    assert_int_equal(journal_append(here->journal, &large, &seq), -EMSGSIZE);
    assert_int_equal(fixture_append(here->journal, LANE_RECORD, "band.seen", "{}"), 1);
    assert_int_equal(journal_commit(here->journal), 0);
    assert_int_equal(here->journal->size, 2);
    free(data);
}

static int check_place(void *owner, const struct store_event *event)
{
    struct journal *journal = owner;
    struct json *json;
    char id[256];
    assert_int_equal(json_parse(&json, event->body, event->length), 0);
    snprintf(id, sizeof(id), "%s/%s/%d", journal->log.office, journal->log.log,
             (int)event->seq);
    assert_string_equal(json_text(json, "id"), id);
    assert_string_equal(json_text(json, "lane"), talk_lane_name(event->lane));
    json_free(json);
    return 0;
}

static void an_event_says_its_own_place(void **state)
{
    struct fixture *here = *state;
    fixture_fill(here->journal, 12);
    assert_int_equal(
        store_each_event(here->journal->store, 0, 100, check_place, here->journal), 0);
}

static void another_office_does_not_get_the_journal(void **state)
{
    struct fixture *here = *state;
    struct journal *other = NULL;
    journal_close(here->journal);
    here->journal = NULL;
    assert_int_equal(journal_open(&other, here->folder, here->key, NULL, "another-office",
                                  FIXTURE_SUITE, &here->why),
                     -EXDEV);
    assert_null(other);
}

static void a_log_keeps_the_suite_it_was_made_with(void **state)
{
    struct fixture *here = *state;
    journal_close(here->journal);
    assert_int_equal(journal_open(&here->journal, here->folder, here->key, NULL,
                                  FIXTURE_OFFICE, "sm3+sm2", &here->why),
                     0);
    assert_string_equal(suite_name(here->journal->suite), FIXTURE_SUITE);
}

static void a_log_of_the_other_suite_works_as_well(void **state)
{
    struct fixture *here = *state;
    struct journal *journal;
    struct key *key;
    char folder[256];
    (void)here;
    fixture_folder(folder, sizeof(folder));
    assert_int_equal(key_make(&key, suite_named("sm3+sm2"), "outpost/o"), 0);
    assert_int_equal(
        journal_open(&journal, folder, key, NULL, "o", "sm3+sm2", &here->why), 0);
    fixture_fill(journal, 20);
    journal_close(journal);
    assert_int_equal(
        journal_open(&journal, folder, key, NULL, "o", "sm3+sm2", &here->why), 0);
    assert_int_equal(journal->size, 20);
    journal_close(journal);
    key_free(key);
    fixture_remove(folder);
}

static void sealed_events_are_remembered_by_their_lanes(void **state)
{
    struct fixture *here = *state;
    fixture_fill(here->journal, 256);
    fixture_seal(here);
    assert_int_equal(fixture_reopen(here), 0);
    assert_int_equal(here->journal->size, 256);
    assert_int_equal(here->journal->sealed.size, 256);
    assert_int_equal(here->journal->tail.count, 0);
    assert_int_equal(here->journal->lane_last[LANE_ALARM], 255);
    assert_int_equal(here->journal->lane_last[LANE_TELEMETRY], 254);
    fixture_fill(here->journal, 3);
    assert_int_equal(here->journal->size, 259);
}

static int fill_until_full(struct journal *journal)
{
    char data[4096];
    snprintf(data, sizeof(data), "{\"x\":\"%04000d\"}", 0);
    struct event_draft draft = {.source = "band/gate",
                                .type = "band.seen",
                                .lane = LANE_RECORD,
                                .data = data,
                                .data_length = strlen(data)};
    int err = 0;
    for (int turn = 0; turn < 200 && !err; turn++) {
        int64_t seq;
        assert_int_equal(journal_begin(journal), 0);
        for (int i = 0; i < 16 && !err; i++)
            err = journal_append(journal, &draft, &seq);
        if (err)
            journal_rollback(journal);
        else
            err = journal_commit(journal);
    }
    return err;
}

/* A limit on the size of files stands for the full disk, for anybody may set it. */
static void a_full_disk_costs_a_commit_and_nothing_else(void **state)
{
    struct fixture *here = *state;
    struct rlimit before, small = {512 * 1024, RLIM_INFINITY};
    fixture_fill(here->journal, 3);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small.rlim_max = before.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int err = fill_until_full(here->journal);
    int64_t size = here->journal->size;
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(err, -ENOSPC);
    fixture_fill(here->journal, 5);
    assert_int_equal(here->journal->size, size + 5);
    assert_int_equal(fixture_reopen(here), 0);
    assert_int_equal(here->journal->size, size + 5);
}

static void a_path_too_long_is_refused(void **state)
{
    struct fixture *here = *state;
    char path[JOURNAL_PATH_MAX], name[JOURNAL_PATH_MAX];
    memset(name, 'x', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    assert_int_equal(journal_path(here->journal, path, name), -ENAMETOOLONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sequences_begin_at_zero_and_have_no_holes, start,
                                        stop),
        cmocka_unit_test_setup_teardown(
            what_was_committed_is_the_same_after_opening_again, start, stop),
        cmocka_unit_test_setup_teardown(
            a_rollback_leaves_nothing_and_the_next_takes_its_sequences, start, stop),
        cmocka_unit_test_setup_teardown(a_transaction_cut_by_a_crash_has_never_been,
                                        start, stop),
        cmocka_unit_test_setup_teardown(an_event_too_large_is_refused_and_the_others_stay,
                                        start, stop),
        cmocka_unit_test_setup_teardown(an_event_says_its_own_place, start, stop),
        cmocka_unit_test_setup_teardown(another_office_does_not_get_the_journal, start,
                                        stop),
        cmocka_unit_test_setup_teardown(a_log_keeps_the_suite_it_was_made_with, start,
                                        stop),
        cmocka_unit_test_setup_teardown(a_log_of_the_other_suite_works_as_well, start,
                                        stop),
        cmocka_unit_test_setup_teardown(sealed_events_are_remembered_by_their_lanes,
                                        start, stop),
        cmocka_unit_test_setup_teardown(a_full_disk_costs_a_commit_and_nothing_else,
                                        start, stop),
        cmocka_unit_test_setup_teardown(a_path_too_long_is_refused, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
