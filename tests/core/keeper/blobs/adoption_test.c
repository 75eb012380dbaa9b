/* Cut between any two steps, the next start finds every blob that was named, and no other. */
#include "keeper/blobs/adoption.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include "keeper/cellar.h"

static struct cellar cellar;

enum { DAY_MS = 24 * 3600 * 1000 };

static int start(void **state)
{
    (void)state;
    cellar_open(&cellar);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    cellar_close(&cellar);
    return 0;
}

/* The steps of a blob's life, in their order. */
enum step {
    STEP_SPOOLED, /* asked for, nothing written */
    STEP_WRITTEN, /* half of it */
    STEP_SEALED,
    STEP_NAMED,   /* in a group that is not on disk */
    STEP_ON_DISK, /* but its file is not in its place */
    STEP_IN_PLACE,
    STEP_RELEASING, /* in a group that is not on disk */
    STEP_RELEASED,
    STEP_LEFT, /* its file is in old/ */
    STEP_ERASED,
    STEP_FORGOTTEN,
    STEPS
};

static const char TEXT[] = "a clip of some length";

static void commit_rows(void)
{
    assert_int_equal(journal_commit(cellar.house.fixture.journal), 0);
}

/* The row, as blobs_apply() writes it, but by hand: the group tells nobody. */
static void name_it(const struct digest *digest)
{
    struct buffer frame = {0};
    struct frame read;
    frame_begin(&frame, TALK_COMMIT, 1);
    cellar_put(&frame, digest, "picture", DAY_MS, true);
    assert_int_equal(frame_read(&read, frame.bytes, frame.length), 0);
    assert_int_equal(group_enter(&cellar.house.group), 0);
    assert_int_equal(
        blobs_apply(&cellar.blobs, &cellar.house.peers[HOUSE_HOST], &read.fields, -1), 0);
    buffer_free(&frame);
}

static void release_it(const struct digest *digest)
{
    struct catalog_blob row = cellar_row(&cellar, digest);
    assert_int_equal(group_enter(&cellar.house.group), 0);
    row.is_released = true;
    assert_int_equal(catalog_put(cellar.house.fixture.journal->store, &row), 0);
}

/* Goes as far as that step. */
static void live_until(enum step last)
{
    struct digest digest;
    struct buffer left = {0};
    int64_t number;
    int fd;
    assert_int_equal(cellar_ask(&cellar, "picture", sizeof(TEXT), &number, &fd), 0);
    if (last == STEP_SPOOLED)
        return;
    cellar_write(fd, TEXT, sizeof(TEXT) / 2);
    if (last == STEP_WRITTEN)
        return;
    cellar_write(fd, TEXT + sizeof(TEXT) / 2, sizeof(TEXT) - sizeof(TEXT) / 2);
    assert_int_equal(cellar_seal(&cellar, number, fd, &digest), 0);
    if (last == STEP_SEALED)
        return;
    name_it(&digest);
    if (last == STEP_NAMED)
        return;
    commit_rows();
    if (last == STEP_ON_DISK)
        return;
    spools_committed(&cellar.blobs.spools, 0);
    if (last == STEP_IN_PLACE)
        return;
    release_it(&digest);
    if (last == STEP_RELEASING)
        return;
    commit_rows();
    if (last == STEP_RELEASED)
        return;
    assert_int_equal(eraser_begin(&cellar.blobs), 0);
    if (last == STEP_LEFT)
        return;
    assert_int_equal(eraser_work(&cellar.blobs, &left), 0);
    if (last == STEP_ERASED)
        return;
    assert_int_equal(eraser_end(&cellar.blobs, &left), 0);
    buffer_free(&left);
    commit_rows();
}

static void open_again(void)
{
    struct house *house = &cellar.house;
    assert_int_equal(fixture_reopen(&house->fixture), 0);
    group_open(&house->group, house->loop, house->fixture.journal, house_committed,
               house);
}

/* Another start on what the folders hold: the journal and the blobs, opened anew. */
static void adopt(void)
{
    open_again();
    cellar_open_blobs(&cellar);
    assert_int_equal(group_enter(&cellar.house.group), 0);
    assert_int_equal(adoption_run(&cellar.blobs, cellar.state), 0);
}

static void start_again(void)
{
    adopt();
    group_commit(&cellar.house.group);
    adoption_end(&cellar.blobs);
    cellar_erase(&cellar);
}

/* Lives in a process of its own, which is gone at that step without a word. */
static void live_and_die(enum step last)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        live_until(last);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static struct digest digest_of_text(void)
{
    struct digest digest;
    suite_hash(suite_named(FIXTURE_SUITE), &digest, TEXT, sizeof(TEXT));
    return digest;
}

static int64_t count_old(void)
{
    char path[DEPOT_PATH_MAX];
    snprintf(path, sizeof(path), "%s/blobs/old", cellar.state);
    return rmdir(path) == 0 ? mkdir(path, 0750) : 1; /* 0: it is empty */
}

static bool is_kept(enum step step)
{
    return step >= STEP_ON_DISK && step < STEP_RELEASED;
}

static void cut_after_any_step_what_was_named_is_there_and_nothing_else(void **state)
{
    (void)state;
    for (int step = 0; step < STEPS; step++) {
        struct digest digest = digest_of_text();
        live_and_die((enum step)step);
        start_again();
        assert_int_equal(cellar_has_row(&cellar, &digest), is_kept((enum step)step));
        assert_int_equal(cellar_can_read(&cellar, &digest), is_kept((enum step)step));
        assert_int_equal(cellar_count_placed(&cellar), is_kept((enum step)step));
        assert_int_equal(cellar_count_new(&cellar), 0);
        assert_int_equal(count_old(), 0);
        assert_int_equal(cellar.blobs.sum.count[CLASS_PICTURE], is_kept((enum step)step));
        assert_int_equal(cellar.blobs.sum.released, 0);
        start_again(); /* once more changes nothing */
        assert_int_equal(cellar_can_read(&cellar, &digest), is_kept((enum step)step));
        cellar_close(&cellar);
        cellar_open(&cellar);
    }
}

/* The journal has been set aside: the table is that of another, empty file. */
static void lose_journal_as(const char *name, bool is_readable)
{
    char aside[DEPOT_PATH_MAX + 64];
    struct house *house = &cellar.house;
    snprintf(aside, sizeof(aside), "%s/%s", cellar.state, name);
    journal_close(house->fixture.journal);
    house->fixture.journal = NULL;
    assert_int_equal(depot_mark(cellar.state, name), 0);
    assert_int_equal(rename(house->fixture.folder, aside), 0);
    assert_int_equal(mkdir(house->fixture.folder, 0750), 0);
    if (!is_readable) {
        char path[DEPOT_PATH_MAX + 96];
        snprintf(path, sizeof(path), "%s/tail.db", aside);
        assert_int_equal(truncate(path, 100), 0);
        snprintf(path, sizeof(path), "%s/tail.db-wal", aside);
        unlink(path);
    }
}

static void lose_journal(bool is_readable)
{
    lose_journal_as("journal-damaged-2026-11-22T09-00-00-000000Z", is_readable);
}

static void when_the_journal_is_lost_nothing_that_was_sealed_is(void **state)
{
    (void)state;
    for (int step = 0; step < STEPS; step++)
        for (int is_readable = 0; is_readable < 2; is_readable++) {
            struct digest digest = digest_of_text();
            live_and_die((enum step)step);
            lose_journal(is_readable);
            start_again();
            bool is_there = step >= STEP_SEALED && step < STEP_LEFT;
            bool has_row = is_readable && step >= STEP_ON_DISK && step < STEP_LEFT;
            assert_int_equal(cellar_can_read(&cellar, &digest), is_there);
            assert_int_equal(cellar_has_row(&cellar, &digest), is_there || has_row);
            if (is_there) {
                struct catalog_blob row = cellar_row(&cellar, &digest);
                assert_int_equal(row.class, has_row ? CLASS_PICTURE : CATALOG_UNKNOWN);
                assert_int_equal(row.size, sizeof(TEXT));
                assert_false(row.is_released);
                assert_int_equal(row.until_us >= 0, has_row);
            }
            assert_int_equal(cellar_events(&cellar, "blob.adopted"),
                             is_there && !has_row);
            assert_false(depot_is_marked(&cellar.blobs.depot));
            cellar_close(&cellar);
            cellar_open(&cellar);
        }
}

static void a_start_that_is_cut_while_it_adopts_does_so_again(void **state)
{
    (void)state;
    struct digest digest = digest_of_text();
    live_and_die(STEP_SEALED);
    lose_journal(false);
    pid_t pid = fork();
    if (pid == 0) {
        adopt();
        _exit(0); /* its row is not on disk, its file is in its place */
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    start_again();
    assert_true(cellar_has_row(&cellar, &digest));
    assert_true(cellar_can_read(&cellar, &digest));
}

static void the_clock_set_back_between_two_losses_hides_no_row(void **state)
{
    (void)state;
    struct digest digest = digest_of_text();
    for (int is_between = 0; is_between < 2; is_between++) {
        if (!is_between)
            live_and_die(STEP_IN_PLACE);
        lose_journal_as("journal-damaged-2026-11-22T09-00-00-000000Z", true);
        if (is_between) {
            adopt();
            group_commit(&cellar.house.group); /* and no more: the mark is there */
            live_and_die(STEP_IN_PLACE);
        } else {
            open_again(); /* a start that did not come to its end */
        }
        lose_journal_as("journal-damaged-1970-01-01T00-00-07-000000Z", true);
        start_again();
        assert_int_equal(cellar_row(&cellar, &digest).class, CLASS_PICTURE);
        assert_int_equal(cellar_events(&cellar, "blob.adopted"), 0);
        cellar_close(&cellar);
        cellar_open(&cellar);
    }
}

/* The older of the two still has the row of what has been erased since. */
static void what_only_an_older_journal_has_and_is_not_there_is_not_missing(void **state)
{
    (void)state;
    struct digest digest = digest_of_text();
    for (int is_older = 0; is_older < 2; is_older++) {
        char path[DEPOT_PATH_MAX];
        live_and_die(STEP_IN_PLACE);
        lose_journal_as("journal-damaged-2026-11-22T09-00-00-000000Z", true);
        if (is_older) {
            open_again(); /* a start that did not come to its end */
            lose_journal_as("journal-damaged-1970-01-01T00-00-07-000000Z", true);
        }
        assert_int_equal(depot_place(&cellar.blobs.depot, path, &digest), 0);
        assert_int_equal(unlink(path), 0);
        start_again();
        assert_int_equal(cellar_has_row(&cellar, &digest), !is_older);
        cellar_close(&cellar);
        cellar_open(&cellar);
    }
}

static void what_was_taken_for_missing_and_is_in_new_is_whole(void **state)
{
    (void)state;
    struct digest digest = digest_of_text();
    live_and_die(STEP_ON_DISK);
    open_again();
    struct catalog_blob row = cellar_row(&cellar, &digest);
    assert_int_equal(group_enter(&cellar.house.group), 0);
    row.is_damaged = true;
    assert_int_equal(catalog_put(cellar.house.fixture.journal->store, &row), 0);
    commit_rows();
    start_again();
    assert_false(cellar_row(&cellar, &digest).is_damaged);
    assert_true(cellar_can_read(&cellar, &digest));
    assert_int_equal(cellar.blobs.sum.damaged, 0);
}

static void without_any_row_what_lies_in_its_place_is_adopted(void **state)
{
    (void)state;
    struct digest digest = digest_of_text();
    live_and_die(STEP_IN_PLACE);
    lose_journal(false);
    assert_int_equal(depot_unmark(&cellar.blobs.depot), 0); /* somebody removed it */
    start_again();
    assert_int_equal(cellar_row(&cellar, &digest).class, CATALOG_UNKNOWN);
    assert_true(cellar_can_read(&cellar, &digest));
}

static void a_lost_key_is_one_alarm_and_the_box_goes_on(void **state)
{
    char path[DEPOT_PATH_MAX];
    (void)state;
    struct digest digest = digest_of_text();
    live_and_die(STEP_IN_PLACE);
    start_again();
    snprintf(path, sizeof(path), "%s/keys/blobs.key", cellar.state);
    assert_int_equal(unlink(path), 0);
    start_again();
    assert_int_equal(cellar_events(&cellar, "blob.damaged"), 1);
    assert_true(cellar_row(&cellar, &digest).is_damaged);
    assert_false(cellar_can_read(&cellar, &digest));
    assert_int_equal(cellar_count_placed(&cellar), 1); /* the key may be found again */
    start_again();
    assert_int_equal(cellar_events(&cellar, "blob.damaged"), 1);
}

#define in_a_cellar(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_cellar(cut_after_any_step_what_was_named_is_there_and_nothing_else),
        in_a_cellar(when_the_journal_is_lost_nothing_that_was_sealed_is),
        in_a_cellar(a_start_that_is_cut_while_it_adopts_does_so_again),
        in_a_cellar(the_clock_set_back_between_two_losses_hides_no_row),
        in_a_cellar(what_only_an_older_journal_has_and_is_not_there_is_not_missing),
        in_a_cellar(what_was_taken_for_missing_and_is_in_new_is_whole),
        in_a_cellar(without_any_row_what_lies_in_its_place_is_adopted),
        in_a_cellar(a_lost_key_is_one_alarm_and_the_box_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
