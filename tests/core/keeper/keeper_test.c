/* The whole keeper, started and stopped by a signal: what a start finds and what an end leaves. */
#include "keeper/keeper.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>

#include "keeper/control/report.h"
#include "keeper/fixture.h"
#include "keeper/self.h"
#include "proof/note.h"

static char state_folder[300];
static struct config *config;
static struct keeper keeper;

static const char ALONE[] = "{\"office\":{\"id\":\"" FIXTURE_OFFICE "\"}}";

static int start(void **state)
{
    (void)state;
    fixture_folder(state_folder, sizeof(state_folder));
    assert_int_equal(config_open(&config, ALONE, strlen(ALONE)), 0);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    config_close(config);
    fixture_remove(state_folder);
    return 0;
}

static void open_keeper(void)
{
    assert_int_equal(keeper_open(&keeper, config, state_folder, "/no/such/libexec"), 0);
}

/* Ends as a clean stop does, and as a crash does. */
static void stop_keeper(void)
{
    raise(SIGTERM);
    assert_int_equal(keeper_run(&keeper), 0);
    keeper_close(&keeper);
}

static void crash_keeper(void)
{
    keeper.exit_code = 1; /* nothing is signed, nothing is marked */
    keeper_close(&keeper);
}

static const char *path_of(const char *name)
{
    static char path[512];
    assert_int_equal(file_join(path, sizeof(path), state_folder, name), 0);
    return path;
}

static int join_types(void *owner, const struct store_event *event)
{
    char type[WORD_TYPE_MAX + 1];
    const char *after = memmem(event->body, event->length, "\"after\":\"", 9);
    assert_int_equal(event_type(type, event->body, event->length), 0);
    if (strcmp(type, "storage.low") == 0) /* the disk of who runs this may be full */
        return 0;
    buffer_printf(owner, "%s", type);
    if (after != NULL)
        buffer_printf(owner, "(%.*s)", (int)strcspn(after + 9, "\""), after + 9);
    buffer_append_text(owner, " ");
    return 0;
}

/* The types of all events in the tail, in order. */
static void expect_types(const char *types)
{
    struct buffer said = {0};
    assert_int_equal(store_each_event(keeper.journal->store, 0, 100, join_types, &said),
                     0);
    assert_string_equal(buffer_text(&said), types);
    buffer_free(&said);
}

static void a_first_start_makes_key_log_and_socket(void **state)
{
    (void)state;
    open_keeper();
    expect_types("box.started(install) ");
    assert_true(file_exists(path_of("keys/journal.key")));
    assert_true(file_exists(path_of("journal/key.pub")));
    assert_true(file_exists(path_of("keeper.sock")));
    stop_keeper();
    assert_false(file_exists(path_of("keeper.sock")));
}

/* So little is there of the journal that nothing looks damaged: its table is gone all the same. */
static void begin_without_table(void (*spoil)(void))
{
    char name[] = "blobs/new/"
                  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.7";
    open_keeper();
    crash_keeper();
    assert_int_equal(file_put(path_of(name), "sealed", 6, 0640), 0);
    spoil();
    unlink(path_of("journal/tail.db-wal"));
    open_keeper();
    expect_types("blob.adopted box.started(install) ");
    assert_true(file_exists(path_of("blobs/01/23456789abcdef0123456789abcdef"
                                    "0123456789abcdef0123456789abcdef")));
    assert_false(file_exists(path_of("blobs/adopt")));
    stop_keeper();
}

static void remove_table(void)
{
    assert_int_equal(unlink(path_of("journal/tail.db")), 0);
}

static void empty_table(void)
{
    assert_int_equal(truncate(path_of("journal/tail.db"), 0), 0);
}

static void a_log_so_young_that_nothing_misses_its_table_throws_no_blob_away(void **state)
{
    (void)state;
    begin_without_table(remove_table);
}

/* As a cut leaves a table that was being made. */
static void nor_does_one_whose_table_is_empty(void **state)
{
    (void)state;
    begin_without_table(empty_table);
}

static void a_clean_stop_is_signed_and_the_next_start_says_so(void **state)
{
    struct buffer note = {0};
    struct key *key;
    size_t length;
    (void)state;
    open_keeper();
    stop_keeper();
    assert_false(file_exists(path_of("journal/tail.db-wal")));
    assert_int_equal(key_load(&key, path_of("keys/journal.key")), 0);
    assert_int_equal(file_read(&note, path_of("journal/closed"), NOTE_MAX), 0);
    assert_int_equal(note_open(note.bytes, note.length, key, &length), 0);
    assert_non_null(memmem(note.bytes, note.length, "/closed\n2\n", 10));
    open_keeper();
    expect_types("box.started(install) box.stopped box.started(stop) ");
    assert_false(file_exists(path_of("journal/closed")));
    crash_keeper();
    key_free(key);
    buffer_free(&note);
}

static void a_receipt_behind_the_last_checkpoint_is_the_one_in_the_folder(void **state)
{
    static const char TEXT[] = "the city's last";
    struct buffer text = {0};
    (void)state;
    open_keeper();
    raise(SIGTERM);
    assert_int_equal(keeper_run(&keeper), 0);
    assert_int_equal(group_enter(&keeper.group), 0);
    assert_int_equal(store_put_receipt(keeper.journal->store, TEXT, strlen(TEXT)), 0);
    group_commit(&keeper.group);
    buffer_append_text(&keeper.journal->receipt, TEXT);
    keeper_close(&keeper);
    assert_true(file_exists(path_of("journal/closed")));
    assert_int_equal(file_read(&text, path_of("journal/receipt"), 100), 0);
    assert_string_equal(buffer_text(&text), TEXT);
    buffer_free(&text);
}

static void a_folder_of_blobs_that_cannot_be_opened_is_an_alarm_and_no_end(void **state)
{
    (void)state;
    fixture_write(state_folder, "blobs", "no folder");
    open_keeper();
    expect_types("blob.damaged box.started(install) ");
    assert_true(keeper.blobs.is_shut);
    stop_keeper();
    assert_int_equal(unlink(path_of("blobs")), 0);
    open_keeper();
    assert_false(keeper.blobs.is_shut);
    assert_false(keeper.opening.aside[0]);
    stop_keeper();
}

static void write_wal(size_t length)
{
    char bytes[64] = {0};
    int fd = open(path_of("journal/tail.db-wal"), O_WRONLY | O_CREAT | O_TRUNC, 0640);
    assert_int_equal(write(fd, bytes, length), (int64_t)length);
    close(fd);
}

static void a_keeper_cut_before_its_first_transaction_has_damaged_nothing(void **state)
{
    (void)state;
    open_keeper();
    stop_keeper();
    write_wal(32);
    open_keeper();
    expect_types("box.started(install) box.stopped box.started(stop) ");
    stop_keeper();
}

/* Changes what was closed by a write-ahead log beside it; tail.db keeps its bytes. */
static void change_beside(const char *sql)
{
    char command[400];
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path_of("journal/tail.db"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    snprintf(command, sizeof(command),
             "cd %s/journal && cp tail.db keep && cp tail.db-wal keep-wal", state_folder);
    assert_int_equal(system(command), 0);
    sqlite3_close(db);
    snprintf(command, sizeof(command),
             "cd %s/journal && mv keep tail.db && mv keep-wal tail.db-wal", state_folder);
    assert_int_equal(system(command), 0);
}

static void a_log_put_beside_a_closed_journal_is_damage(void **state)
{
    (void)state;
    open_keeper();
    stop_keeper();
    change_beside("INSERT INTO consumer VALUES ('gate', 'all', 1)");
    open_keeper();
    expect_types("journal.damaged box.started(install) ");
    stop_keeper();
}

static void a_crash_is_said_by_the_next_start(void **state)
{
    (void)state;
    open_keeper();
    crash_keeper();
    assert_false(file_exists(path_of("journal/closed")));
    open_keeper();
    expect_types("box.started(install) box.started(crash) ");
    stop_keeper();
}

static int find_aside(char *name, size_t room)
{
    int count = 0;
    DIR *folder = opendir(state_folder);
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        if (strncmp(entry->d_name, "journal-damaged-", 16) == 0) {
            count++;
            snprintf(name, room, "%s", entry->d_name);
        }
    closedir(folder);
    return count;
}

static void run_sql(const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path_of("journal/tail.db"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

/* Changes the first event behind the keeper's back. */
static void change_event(void)
{
    run_sql("UPDATE event SET body = CAST(replace(CAST(body AS TEXT), 'install', "
            "'INSTALL') AS BLOB) "
            "WHERE seq = 0");
}

static void a_damaged_journal_is_set_aside_whole_and_a_new_log_begins(void **state)
{
    char log[WORD_ID_MAX + 1], aside[300], path[400];
    struct buffer value = {0}, before = {0}, after = {0};
    (void)state;
    open_keeper();
    strcpy(log, keeper.journal->log.log);
    assert_int_equal(store_put(keeper.journal->store, "gate", "state", "open", 4), 0);
    assert_int_equal(store_put_cursor(keeper.journal->store, "gate", "all", 0), 0);
    stop_keeper();
    change_event();
    assert_int_equal(file_read(&before, path_of("journal/tail.db"), 1 << 20), 0);
    open_keeper();
    assert_int_equal(find_aside(aside, sizeof(aside)), 1);
    assert_string_not_equal(keeper.journal->log.log, log);
    expect_types("journal.damaged box.started(install) ");
    assert_int_equal(store_get(keeper.journal->store, "gate", "state", &value), 0);
    assert_string_equal(buffer_text(&value), "open");
    int64_t seq;
    assert_int_equal(store_get_cursor(keeper.journal->store, "gate", "all", &seq), 0);
    assert_int_equal(seq, -1); /* of a log that is no more */
    stop_keeper();
    snprintf(path, sizeof(path), "%s/tail.db", aside);
    assert_int_equal(file_read(&after, path_of(path), 1 << 20), 0);
    assert_int_equal(before.length, after.length);
    assert_memory_equal(before.bytes, after.bytes, before.length);
    open_keeper();
    assert_int_equal(find_aside(aside, sizeof(aside)), 1);
    stop_keeper();
    buffer_free(&value);
    buffer_free(&before);
    buffer_free(&after);
}

/* What a plugin remembers is in no tree: only the signed end tells that it was changed. */
static void a_journal_changed_after_its_end_is_set_aside(void **state)
{
    char aside[300];
    struct store *store;
    (void)state;
    open_keeper();
    stop_keeper();
    assert_int_equal(store_open(&store, path_of("journal/tail.db")), 0);
    assert_int_equal(store_put(store, "gate", "state", "closed", 6), 0);
    store_close(store);
    open_keeper();
    assert_int_equal(find_aside(aside, sizeof(aside)), 1);
    expect_types("journal.damaged box.started(install) ");
    stop_keeper();
}

/* A reader keeps SQLite from emptying its log ahead: then nothing is signed, and nothing blamed. */
static void a_reader_at_the_end_leaves_it_unsigned(void **state)
{
    char aside[300];
    struct store *reader;
    int64_t seq;
    (void)state;
    open_keeper();
    assert_int_equal(store_open(&reader, path_of("journal/tail.db")), 0);
    assert_int_equal(store_get_cursor(reader, "gate", "all", &seq), 0);
    stop_keeper();
    store_close(reader);
    open_keeper();
    assert_int_equal(find_aside(aside, sizeof(aside)), 0);
    stop_keeper();
}

static void an_older_checkpoint_after_the_end_is_found(void **state)
{
    char aside[300];
    struct buffer older = {0};
    (void)state;
    open_keeper();
    stop_keeper();
    assert_int_equal(file_read(&older, path_of("journal/checkpoint"), NOTE_MAX), 0);
    open_keeper();
    stop_keeper();
    assert_int_equal(find_aside(aside, sizeof(aside)), 0);
    assert_int_equal(
        file_put(path_of("journal/checkpoint"), older.bytes, older.length, 0600), 0);
    open_keeper();
    assert_int_equal(find_aside(aside, sizeof(aside)), 1);
    stop_keeper();
    buffer_free(&older);
}

static void a_tail_that_is_no_database_is_set_aside_too(void **state)
{
    char aside[300];
    char noise[8192];
    (void)state;
    open_keeper();
    stop_keeper();
    memset(noise, 'x', sizeof(noise));
    assert_int_equal(file_put(path_of("journal/tail.db"), noise, sizeof(noise), 0600), 0);
    open_keeper();
    assert_int_equal(find_aside(aside, sizeof(aside)), 1);
    expect_types("journal.damaged box.started(install) ");
    stop_keeper();
}

static void a_state_folder_has_one_keeper(void **state)
{
    struct keeper *second = calloc(1, sizeof(*second));
    (void)state;
    open_keeper();
    assert_int_equal(keeper_open(second, config, state_folder, "/no/such/libexec"),
                     -EBUSY);
    keeper_close(second);
    free(second);
    stop_keeper();
}

static void another_offices_journal_is_not_touched(void **state)
{
    static const char OTHER[] = "{\"office\":{\"id\":\"another\"}}";
    struct config *other;
    char aside[300];
    (void)state;
    open_keeper();
    stop_keeper();
    assert_int_equal(config_open(&other, OTHER, strlen(OTHER)), 0);
    assert_int_equal(keeper_open(&keeper, other, state_folder, "/no/such/libexec"),
                     -EXDEV);
    keeper_close(&keeper);
    config_close(other);
    assert_int_equal(find_aside(aside, sizeof(aside)), 0);
    open_keeper();
    stop_keeper();
}

static int count_keys_aside(void)
{
    int count = 0;
    DIR *folder = opendir(path_of("keys"));
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        count += strncmp(entry->d_name, "journal.key-damaged-", 20) == 0;
    closedir(folder);
    return count;
}

static void
a_key_that_cannot_be_read_is_kept_and_a_new_log_begins_with_a_new_one(void **state)
{
    char log[WORD_ID_MAX + 1], aside[300];
    (void)state;
    open_keeper();
    strcpy(log, keeper.journal->log.log);
    assert_false(opening_key_waits(keeper.journal));
    stop_keeper();
    unlink(path_of("keys/journal.key"));
    assert_int_equal(file_put(path_of("keys/journal.key"), "x", 1, 0600), 0);
    open_keeper();
    assert_int_equal(count_keys_aside(), 1);
    assert_int_equal(find_aside(aside, sizeof(aside)), 1);
    assert_string_not_equal(keeper.journal->log.log, log);
    assert_true(opening_key_waits(keeper.journal));
    expect_types("journal.damaged box.started(install) ");
    stop_keeper();
    open_keeper();
    assert_int_equal(find_aside(aside, sizeof(aside)), 1); /* once */
    stop_keeper();
}

static void a_missing_key_begins_a_new_log(void **state)
{
    char aside[300];
    (void)state;
    open_keeper();
    stop_keeper();
    unlink(path_of("keys/journal.key"));
    open_keeper();
    assert_int_equal(find_aside(aside, sizeof(aside)), 1);
    assert_int_equal(count_keys_aside(), 0);
    stop_keeper();
}

static void a_key_of_another_log_is_used_for_a_new_one(void **state)
{
    char aside[300];
    struct key *key;
    (void)state;
    open_keeper();
    stop_keeper();
    assert_int_equal(
        key_make(&key, suite_named(FIXTURE_SUITE), "outpost/" FIXTURE_OFFICE), 0);
    unlink(path_of("keys/journal.key"));
    assert_int_equal(key_save(key, path_of("keys/journal.key")), 0);
    open_keeper();
    assert_int_equal(find_aside(aside, sizeof(aside)), 1);
    assert_int_equal(key_id(keeper.key), key_id(key));
    stop_keeper();
    key_free(key);
}

static void a_damaged_checkpoint_is_kept_and_signed_anew(void **state)
{
    char log[WORD_ID_MAX + 1], aside[300];
    (void)state;
    open_keeper();
    strcpy(log, keeper.journal->log.log);
    stop_keeper();
    fixture_flip(path_of("journal/checkpoint"), 30);
    open_keeper();
    assert_int_equal(find_aside(aside, sizeof(aside)), 0);
    assert_string_equal(keeper.journal->log.log, log);
    expect_types("box.started(install) box.stopped journal.damaged box.started(stop) ");
    assert_true(file_exists(path_of("journal/damaged")));
    stop_keeper();
    open_keeper();
    assert_int_equal(keeper.journal->damage, 0);
    stop_keeper();
}

/* The power fails after the old journal was set aside and before the new one says so. */
static void a_journal_that_was_set_aside_unsaid_is_said_at_the_next_start(void **state)
{
    char name[512];
    (void)state;
    open_keeper();
    stop_keeper();
    strcpy(name, path_of("journal-damaged-2026-11-21T00-00-00-000000Z"));
    assert_int_equal(rename(path_of("journal"), name), 0);
    open_keeper();
    expect_types("journal.damaged box.started(install) ");
    crash_keeper();
    open_keeper();
    expect_types("journal.damaged box.started(install) box.started(crash) ");
    stop_keeper();
}

static void the_report_is_json_and_tells_the_state(void **state)
{
    struct buffer text = {0};
    struct json *json;
    (void)state;
    open_keeper();
    report_print(&keeper, &text);
    assert_int_equal(json_parse(&json, text.bytes, text.length), 0);
    assert_string_equal(json_text(json, "office"), FIXTURE_OFFICE);
    assert_string_equal(json_text(json, "log"), keeper.journal->log.log);
    assert_int_equal(json_number(json, "events", -1), 1);
    const struct json *lane = json_get(json_get(json, "lanes"), "record");
    assert_int_equal(json_number(lane, "last", -7), 0);
    assert_int_equal(json_number(lane, "synced", -7), -1);
    assert_true(json_is_array(json_get(json, "children")));
    json_free(json);
    buffer_free(&text);
    stop_keeper();
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_first_start_makes_key_log_and_socket),
        CASE(a_log_so_young_that_nothing_misses_its_table_throws_no_blob_away),
        CASE(nor_does_one_whose_table_is_empty),
        CASE(a_clean_stop_is_signed_and_the_next_start_says_so),
        CASE(a_receipt_behind_the_last_checkpoint_is_the_one_in_the_folder),
        CASE(a_folder_of_blobs_that_cannot_be_opened_is_an_alarm_and_no_end),
        CASE(a_keeper_cut_before_its_first_transaction_has_damaged_nothing),
        CASE(a_log_put_beside_a_closed_journal_is_damage),
        CASE(a_crash_is_said_by_the_next_start),
        CASE(a_damaged_journal_is_set_aside_whole_and_a_new_log_begins),
        CASE(a_journal_changed_after_its_end_is_set_aside),
        CASE(a_reader_at_the_end_leaves_it_unsigned),
        CASE(an_older_checkpoint_after_the_end_is_found),
        CASE(a_tail_that_is_no_database_is_set_aside_too),
        CASE(a_state_folder_has_one_keeper),
        CASE(another_offices_journal_is_not_touched),
        CASE(a_key_that_cannot_be_read_is_kept_and_a_new_log_begins_with_a_new_one),
        CASE(a_missing_key_begins_a_new_log),
        CASE(a_key_of_another_log_is_used_for_a_new_one),
        CASE(a_damaged_checkpoint_is_kept_and_signed_anew),
        CASE(a_journal_that_was_set_aside_unsaid_is_said_at_the_next_start),
        CASE(the_report_is_json_and_tells_the_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
