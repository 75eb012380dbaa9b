/* Uploads of evidence files: taken when they are what their event says, else set aside. */
#include "city/uploads.h"

#include "fixture.h"

#include <dirent.h>
#include <sys/stat.h>
#include <time.h>
#include <utime.h>

#include "base/file.h"
#include "proof/handover.h"

/* "abc" */
#define SHA256 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define SM3    "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"

struct desk {
    struct fixture *f;
    struct loop *loop;
    struct evidence evidence;
    struct uploads *uploads;
    char folder[64];
    int settled;
    int refuses;
};

static int settle(void *owner)
{
    struct desk *desk = owner;
    desk->settled++;
    return desk->refuses;
}

static const struct uploads_calls CALLS = {.settle = settle};

static int open_desk(void **state)
{
    struct desk *desk = calloc(1, sizeof(*desk));
    void *fixture;
    fixture_open(&fixture);
    desk->f = fixture;
    strcpy(desk->folder, "/tmp/uploads-test-XXXXXX");
    assert_non_null(mkdtemp(desk->folder));
    assert_int_equal(loop_open(&desk->loop), 0);
    desk->evidence = (struct evidence){
        .folder = desk->folder, .store = desk->f->store, .key = desk->f->city};
    *state = desk;
    return 0;
}

static int close_desk(void **state)
{
    struct desk *desk = *state;
    void *fixture = desk->f;
    char command[100];
    uploads_close(desk->uploads);
    loop_close(desk->loop);
    snprintf(command, sizeof(command), "rm -rf %s", desk->folder);
    assert_int_equal(system(command), 0);
    fixture_close(&fixture);
    free(desk);
    return 0;
}

static void put(struct desk *desk, const char *name, const char *text)
{
    char path[160];
    snprintf(path, sizeof(path), "%s/%s", desk->folder, name);
    assert_int_equal(file_put(path, text, strlen(text), 0644), 0);
}

static bool is_there(struct desk *desk, const char *name)
{
    char path[200];
    snprintf(path, sizeof(path), "%s/%s", desk->folder, name);
    return file_exists(path);
}

static void put_ticket(struct desk *desk, const char *id, const char *seq,
                       const char *sm3)
{
    char text[600], name[40];
    snprintf(text, sizeof(text),
             "{\"id\":\"%s\",\"size\":3,\"metadata\":{\"office\":\"office-1\",\"log\":"
             "\"log1\",\"seq\":\"%s\",\"sha256\":\"" SHA256
             "\",\"sm3\":\"%s\",\"size\":\"3\",\"class\":\"case\"}}",
             id, seq, sm3);
    snprintf(name, sizeof(name), "%s.json", id);
    put(desk, name, text);
}

static void put_event(struct desk *desk, const char *data)
{
    struct fixture *f = desk->f;
    fixture_emit(f, LANE_RECORD);
    int64_t seq = fixture_emit_own(f, LANE_RECORD, "evidence.recorded", data);
    fixture_send(f, LANE_RECORD, 0, seq);
    fixture_commit(f);
}

/* Runs so many turns, or until the file is there. */
static void run(struct desk *desk, int turns, const char *until)
{
    if (desk->uploads == NULL)
        assert_int_equal(
            uploads_open(&desk->uploads, desk->loop, &desk->evidence, &CALLS, desk), 0);
    while (turns-- > 0 && (until == NULL || !is_there(desk, until)))
        loop_turn(desk->loop);
}

static int64_t count(struct desk *desk, const char *sql)
{
    char command[300], answer[32] = "";
    snprintf(command, sizeof(command), "sqlite3 %s \"%s\"", desk->f->path, sql);
    FILE *lines = popen(command, "r");
    assert_non_null(fgets(answer, sizeof(answer), lines));
    pclose(lines);
    return atoll(answer);
}

static void expect_receipt(struct desk *desk)
{
    struct handover handover;
    struct buffer note = {0};
    char path[200];
    snprintf(path, sizeof(path), "%s/receipts/office-1/" SHA256, desk->folder);
    assert_int_equal(file_read(&note, path, 10000), 0);
    assert_int_equal(handover_read(&handover, note.bytes, note.length, desk->f->city), 0);
    assert_string_equal(handover.office, "office-1");
    assert_string_equal(handover.log, "log1");
    assert_int_equal(handover.seq, 0);
    assert_int_equal(handover.size, 3);
    buffer_free(&note);
}

static void what_its_event_names_is_kept_and_has_a_receipt(void **state)
{
    struct desk *desk = *state;
    put_event(desk, "\"sha256\":\"" SHA256 "\",\"size\":3");
    put_ticket(desk, "u1", "0", SM3);
    put(desk, "u1", "abc");
    run(desk, 100, "receipts/office-1/" SHA256);
    expect_receipt(desk);
    assert_true(is_there(desk,
                         "evidence/ba/7816bf8f01cfea414140de5dae2223b00361a396177a9cb41"
                         "0ff61f20015ad"));
    assert_false(is_there(desk, "u1"));
    assert_false(is_there(desk, "u1.json"));
    assert_int_equal(count(desk,
                           "SELECT count(*) FROM evidence WHERE seq = 0 AND size = 3"
                           " AND class = 'case'"),
                     1);
}

static void one_that_was_cut_behind_its_move_is_finished(void **state)
{
    struct desk *desk = *state;
    put_event(desk, "\"sha256\":\"" SHA256 "\"");
    put_ticket(desk, "u1", "0", SM3);
    put(desk, "u1", "abc");
    run(desk, 100, "receipts/office-1/" SHA256);
    put_ticket(desk, "u1", "0", SM3);
    uploads_close(desk->uploads);
    desk->uploads = NULL;
    for (int i = 0; i < 100 && is_there(desk, "u1.json"); i++)
        run(desk, 1, NULL);
    assert_false(is_there(desk, "u1.json"));
    expect_receipt(desk);
    assert_int_equal(count(desk, "SELECT count(*) FROM evidence"), 1);
}

static void other_bytes_are_set_aside_without_a_receipt(void **state)
{
    struct desk *desk = *state;
    put_event(desk, "\"sha256\":\"" SHA256 "\",\"size\":3");
    put_ticket(desk, "u1", "0", SM3);
    put(desk, "u1", "abd");
    run(desk, 100, "refused/u1.json");
    assert_true(is_there(desk, "refused/u1"));
    assert_false(is_there(desk, "receipts/office-1/" SHA256));
    assert_int_equal(count(desk, "SELECT count(*) FROM evidence"), 0);
    assert_int_equal(count(desk, "SELECT count(*) FROM rejected"
                                 " WHERE topic = 'upload/u1' AND length(payload) > 0"),
                     1);
}

static void both_hashes_count(void **state)
{
    struct desk *desk = *state;
    put_event(desk, "\"sha256\":\"" SHA256 "\"");
    put_ticket(desk, "u1", "0", SHA256);
    put(desk, "u1", "abc");
    run(desk, 100, "refused/u1.json");
    assert_true(is_there(desk, "refused/u1.json"));
}

static void more_bytes_than_said_are_set_aside(void **state)
{
    struct desk *desk = *state;
    put_event(desk, "\"sha256\":\"" SHA256 "\"");
    put_ticket(desk, "u1", "0", SM3);
    put(desk, "u1", "abc and more than a piece");
    run(desk, 100, "refused/u1.json");
    assert_true(is_there(desk, "refused/u1"));
}

static void an_event_that_says_otherwise_is_enough(void **state)
{
    struct desk *desk = *state;
    put_event(desk, "\"sha256\":\"" SHA256 "\",\"size\":4");
    put_ticket(desk, "u1", "0", SM3);
    put(desk, "u1", "abc");
    run(desk, 100, "refused/u1.json");
    assert_true(is_there(desk, "refused/u1"));
}

static void what_is_not_finished_or_not_recorded_yet_waits(void **state)
{
    struct desk *desk = *state;
    put_ticket(desk, "u1", "0", SM3);
    put(desk, "u1", "ab");
    run(desk, 1, NULL);
    assert_true(is_there(desk, "u1"));
    put(desk, "u1", "abc");
    uploads_close(desk->uploads);
    desk->uploads = NULL;
    run(desk, 1, NULL);
    assert_true(is_there(desk, "u1"));
    put_event(desk, "\"sha256\":\"" SHA256 "\"");
    run(desk, 100, "receipts/office-1/" SHA256);
    expect_receipt(desk);
}

static void what_is_kept_waits_and_was_refused_is_counted(void **state)
{
    struct desk *desk = *state;
    struct uploads_count count;
    struct store_kept kept;
    int64_t refused;
    put_event(desk, "\"sha256\":\"" SHA256 "\",\"size\":3");
    put(desk, "good", "abc");
    put_ticket(desk, "good", "0", SM3);
    put(desk, "bad", "abd");
    put_ticket(desk, "bad", "0", SM3);
    run(desk, 500, "refused/bad.json");
    run(desk, 500, "receipts/office-1/" SHA256);
    put(desk, "early", "abc");
    put_ticket(desk, "early", "99", SM3);
    put(desk, "short", "ab");
    put_ticket(desk, "short", "98", SM3);
    put(desk, "beginning.json", "{");
    put(desk, "not an upload.json", "{}");
    assert_int_equal(uploads_count(desk->folder, &count), 0);
    assert_int_equal(count.under_way, 2);
    assert_int_equal(count.waiting, 1);
    assert_int_equal(store_count_refused(desk->f->store, &refused), 0);
    assert_int_equal(refused, 1);
    assert_int_equal(store_sum_evidence(desk->f->store, "office-1", &kept), 0);
    assert_int_equal(kept.count, 1);
    assert_int_equal(kept.bytes, 3);
    assert_int_equal(strlen(kept.newest), strlen("2026-11-21T03:04:05.123456Z"));
    assert_int_equal(store_sum_evidence(desk->f->store, "office-2", &kept), 0);
    assert_int_equal(kept.count, 0);
    assert_string_equal(kept.newest, "");
    assert_int_equal(uploads_count("/nowhere", &count), -ENOENT);
}

static void those_that_wait_hide_none_behind_them(void **state)
{
    struct desk *desk = *state;
    char id[16];
    for (int i = 0; i < 3 * UPLOADS_WAITING; i++) {
        snprintf(id, sizeof(id), "w%d", i);
        put_ticket(desk, id, "7", SM3);
        put(desk, id, "abc");
    }
    put_ticket(desk, "u1", "0", SM3);
    put(desk, "u1", "abc");
    put_event(desk, "\"sha256\":\"" SHA256 "\"");
    run(desk, 100, "receipts/office-1/" SHA256);
    expect_receipt(desk);
}

/* The folder is there where its bytes should be: a disk that fails looks no better. */
/* As an office that begins uploads and never goes on with them. */
static void those_that_were_left_hide_none_behind_them(void **state)
{
    struct desk *desk = *state;
    char id[16];
    put_event(desk, "\"sha256\":\"" SHA256 "\",\"size\":3");
    for (int i = 0; i < 10 * UPLOADS_NAMES; i++) {
        snprintf(id, sizeof(id), "left%d", i);
        put_ticket(desk, id, "0", SM3);
        put(desk, id, "ab");
    }
    put_ticket(desk, "whole", "0", SM3);
    put(desk, "whole", "abc");
    run(desk, 200, "receipts/office-1/" SHA256);
    expect_receipt(desk);
    assert_true(is_there(desk, "left0"));
}

static void what_a_killed_collector_left_of_a_receipt_goes(void **state)
{
    struct desk *desk = *state;
    char path[200];
    snprintf(path, sizeof(path), "%s/receipts/office-1", desk->folder);
    assert_int_equal(file_make_folders(path), 0);
    put(desk, "receipts/office-1/" SHA256, "whole");
    put(desk, "receipts/office-1/" SHA256 ".4711.new", "ha");
    put(desk, "receipts/stray", "not an office");
    run(desk, 1, NULL);
    assert_false(is_there(desk, "receipts/office-1/" SHA256 ".4711.new"));
    assert_true(is_there(desk, "receipts/office-1/" SHA256));
    assert_true(is_there(desk, "receipts/stray"));
}

static void one_that_cannot_be_read_holds_up_no_other(void **state)
{
    struct desk *desk = *state;
    char path[100], id[16];
    for (int i = 0; i < 3 * UPLOADS_WAITING; i++) {
        snprintf(id, sizeof(id), "b%d", i);
        put_ticket(desk, id, "0", SM3);
        snprintf(path, sizeof(path), "%s/%s", desk->folder, id);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    put_event(desk, "\"sha256\":\"" SHA256 "\"");
    put_ticket(desk, "u1", "0", SM3);
    put(desk, "u1", "abc");
    run(desk, 200, "receipts/office-1/" SHA256);
    expect_receipt(desk);
    snprintf(path, sizeof(path), "%s/b0", desk->folder);
    assert_int_equal(rmdir(path), 0);
    run(desk, 200, NULL);
    assert_false(is_there(desk, "b0.json")); /* its turn comes again */
    assert_true(is_there(desk, "b1.json"));
}

static void torn_metadata_has_a_minute(void **state)
{
    struct desk *desk = *state;
    char path[100];
    put(desk, "u1.json", "{\"id\":");
    put(desk, "u1", "abc");
    run(desk, 1, NULL);
    assert_true(is_there(desk, "u1.json"));
    snprintf(path, sizeof(path), "%s/u1.json", desk->folder);
    struct utimbuf past = {.modtime = time(NULL) - UPLOADS_TORN_S - 1};
    assert_int_equal(utime(path, &past), 0);
    run(desk, 100, "refused/u1.json");
    assert_true(is_there(desk, "refused/u1"));
}

static void while_the_database_refuses_nothing_is_taken(void **state)
{
    struct desk *desk = *state;
    desk->refuses = -EBUSY;
    put_event(desk, "\"sha256\":\"" SHA256 "\"");
    put_ticket(desk, "u1", "0", SM3);
    put(desk, "u1", "abc");
    for (int turn = 0; turn < 100 && desk->settled == 0; turn++)
        run(desk, 1, NULL);
    assert_true(is_there(desk, "u1.json"));
    assert_int_equal(desk->settled, 1);
}

static void only_names_of_uploads_are_looked_at(void **state)
{
    (void)state;
    assert_true(evidence_is_id("0aF-_"));
    assert_false(evidence_is_id(""));
    assert_false(evidence_is_id(".."));
    assert_false(evidence_is_id("a/b"));
    char id[EVIDENCE_ID_MAX + 2];
    memset(id, 'a', sizeof(id));
    id[EVIDENCE_ID_MAX + 1] = '\0';
    assert_false(evidence_is_id(id));
    id[EVIDENCE_ID_MAX] = '\0';
    assert_true(evidence_is_id(id));
}

int main(void)
{
#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_desk, close_desk)
    const struct CMUnitTest tests[] = {
        TEST(what_its_event_names_is_kept_and_has_a_receipt),
        TEST(one_that_was_cut_behind_its_move_is_finished),
        TEST(other_bytes_are_set_aside_without_a_receipt),
        TEST(both_hashes_count),
        TEST(more_bytes_than_said_are_set_aside),
        TEST(an_event_that_says_otherwise_is_enough),
        TEST(what_is_not_finished_or_not_recorded_yet_waits),
        TEST(what_is_kept_waits_and_was_refused_is_counted),
        TEST(those_that_wait_hide_none_behind_them),
        TEST(those_that_were_left_hide_none_behind_them),
        TEST(what_a_killed_collector_left_of_a_receipt_goes),
        TEST(one_that_cannot_be_read_holds_up_no_other),
        TEST(torn_metadata_has_a_minute),
        TEST(while_the_database_refuses_nothing_is_taken),
        cmocka_unit_test(only_names_of_uploads_are_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
