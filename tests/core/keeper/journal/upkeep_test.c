/* What is done beside the commits: checkpoints, sealing, a short log ahead. */
#include "keeper/journal/upkeep.h"

#include <signal.h>

#include "keeper/blobs/eraser.h"
#include "keeper/fixture.h"
#include "proof/note.h"

struct here {
    struct fixture fixture;
    struct loop *loop;
    struct group group;
    struct upkeep upkeep;
    struct loop_timer late;
    struct blobs blobs;
    int notes;
    int damages;
};

static struct here *here;

static void committed(void *owner, int err, bool had_alarm)
{
    (void)owner;
    assert_int_equal(err, 0);
    upkeep_committed(&here->upkeep, had_alarm);
}

static void note_came(void *owner, const struct buffer *note)
{
    (void)owner;
    assert_true(note->length > 0);
    here->notes++;
    loop_stop(here->loop);
}

static void damage_came(void *owner, int err)
{
    (void)owner;
    assert_int_equal(err, -EBADMSG);
    here->damages++;
    loop_stop(here->loop);
}

static void too_late(struct loop_timer *timer)
{
    (void)timer;
    loop_stop(here->loop);
}

static void open_upkeep(void)
{
    group_open(&here->group, here->loop, here->fixture.journal, committed, NULL);
    upkeep_open(&here->upkeep, here->loop, here->fixture.journal, &here->group);
    here->upkeep.signed_note = note_came;
    here->upkeep.damaged = damage_came;
}

static void close_upkeep(void)
{
    upkeep_close(&here->upkeep);
    group_close(&here->group);
}

static int start(void **state)
{
    (void)state;
    here = calloc(1, sizeof(*here));
    fixture_open(&here->fixture);
    here->late.fire = too_late;
    assert_int_equal(loop_open(&here->loop), 0);
    open_upkeep();
    return 0;
}

static int stop(void **state)
{
    (void)state;
    close_upkeep();
    loop_timer_stop(&here->late);
    fixture_close(&here->fixture);
    loop_close(here->loop);
    free(here);
    return 0;
}

static void write_events(int count, bool alarm)
{
    assert_int_equal(group_enter(&here->group), 0);
    for (int i = 0; i < count; i++)
        fixture_append(here->fixture.journal, alarm ? LANE_ALARM : LANE_RECORD,
                       "band.seen", "{}");
    here->group.has_alarm |= alarm;
    group_ask(&here->group, count, alarm);
}

static void run_for(int ms)
{
    loop_timer_start(here->loop, &here->late, ms);
    loop_run(here->loop);
    loop_timer_stop(&here->late);
}

/* Until so many are sealed, at most a minute. */
static void wait_sealed(uint64_t size)
{
    for (int i = 0; i < 3000 && here->fixture.journal->sealed.size < size; i++)
        run_for(20);
    assert_int_equal(here->fixture.journal->sealed.size, size);
}

static void an_alarm_is_signed_at_once(void **state)
{
    (void)state;
    write_events(3, true);
    run_for(900);
    assert_int_equal(here->notes, 1);
    assert_int_equal(here->upkeep.size, 3);
    assert_int_equal(fixture_reopen(&here->fixture), 0);
    close_upkeep();
    open_upkeep();
    assert_int_equal(here->upkeep.size, 3);
}

static void records_wait_for_company(void **state)
{
    (void)state;
    write_events(UPKEEP_EVENTS - 1, false);
    run_for(300);
    assert_int_equal(here->notes, 0);
    assert_true(loop_timer_is_running(&here->upkeep.news));
    write_events(1, false);
    run_for(2000);
    assert_int_equal(here->notes, 1);
    assert_false(loop_timer_is_running(&here->upkeep.news));
}

static void a_full_tile_is_sealed_after_a_second(void **state)
{
    (void)state;
    write_events(300, false);
    run_for(300);
    assert_int_equal(here->fixture.journal->sealed.size, 0);
    wait_sealed(256);
}

static void no_tile_is_sealed_before_there_is_a_checkpoint(void **state)
{
    (void)state;
    write_events(255, false);
    run_for(1500);
    assert_int_equal(here->notes, 0);
    write_events(45, false);
    while (here->notes == 0)
        run_for(20);
    assert_int_equal(here->fixture.journal->sealed.size, 0);
    assert_int_equal(here->upkeep.size, 300);
    wait_sealed(256);
    write_events(256, false);
    wait_sealed(512);
    assert_int_equal(here->notes, 1);
}

static void many_full_tiles_are_sealed_at_once(void **state)
{
    (void)state;
    write_events(UPKEEP_TILES * 256, false);
    wait_sealed(UPKEEP_TILES * 256);
}

/* A group may be open whenever an errand ends. */
static void events_that_keep_coming_do_not_disturb_sealing(void **state)
{
    (void)state;
    for (int turn = 0; turn < 150; turn++) {
        write_events(60, turn % 50 == 0);
        run_for(5);
    }
    write_events(1, true);
    wait_sealed(35 * 256);
    assert_int_equal(here->fixture.journal->size, 150 * 60 + 1);
    assert_int_equal(here->damages, 0);
    assert_int_equal(fixture_reopen(&here->fixture), 0);
    close_upkeep();
    open_upkeep();
    assert_int_equal(here->fixture.journal->size, 150 * 60 + 1);
}

static void a_sealing_that_ends_in_an_open_group_is_ended_once(void **state)
{
    (void)state;
    fixture_fill(here->fixture.journal, UPKEEP_TILES * 256);
    here->upkeep.size = UPKEEP_TILES * 256; /* as if it were signed */
    upkeep_committed(&here->upkeep, false);
    assert_true(errand_is_running(&here->upkeep.errand));
    assert_int_equal(group_enter(&here->group), 0);
    fixture_append(here->fixture.journal, LANE_RECORD, "band.seen", "{}");
    wait_sealed(UPKEEP_TILES * 256);
    assert_false(here->fixture.journal->is_open);
    assert_int_equal(here->fixture.journal->tail.count, 1);
}

static void an_errand_that_is_killed_is_done_again_with_the_same_files(void **state)
{
    struct buffer before = {0}, after = {0};
    (void)state;
    fixture_fill(here->fixture.journal, 300);
    here->upkeep.size = 1; /* it has its checkpoint */
    here->upkeep.wants_seal = true;
    upkeep_committed(&here->upkeep, false);
    assert_true(errand_is_running(&here->upkeep.errand));
    const char *path = fixture_path(&here->fixture, "tile/entries/000");
    for (int i = 0; i < 6000 && !file_exists(path); i++)
        usleep(10 * 1000); /* the child writes; nobody listens */
    assert_int_equal(
        file_read(&before, fixture_path(&here->fixture, "tile/entries/000"), 1 << 20), 0);
    close_upkeep();
    assert_int_equal(here->fixture.journal->sealed.size, 0);
    assert_int_equal(fixture_reopen(&here->fixture), 0);
    open_upkeep();
    fixture_fill(here->fixture.journal, 1);
    upkeep_committed(&here->upkeep, false);
    wait_sealed(256);
    assert_int_equal(
        file_read(&after, fixture_path(&here->fixture, "tile/entries/000"), 1 << 20), 0);
    assert_int_equal(before.length, after.length);
    assert_memory_equal(before.bytes, after.bytes, after.length);
    buffer_free(&before);
    buffer_free(&after);
}

static void a_failed_errand_is_tried_again(void **state)
{
    (void)state;
    assert_int_equal(file_put(fixture_path(&here->fixture, "tile"), "x", 1, 0600), 0);
    write_events(300, true);
    run_for(500);
    assert_int_equal(here->notes, 0);
    assert_true(loop_timer_is_running(&here->upkeep.retry));
    assert_true(here->upkeep.wants_checkpoint);
    unlink(fixture_path(&here->fixture, "tile"));
    loop_timer_start(here->loop, &here->upkeep.retry, 0);
    run_for(1500);
    assert_int_equal(here->notes, 1);
    wait_sealed(256);
}

static void a_sealing_that_fails_is_tried_again_without_a_new_event(void **state)
{
    (void)state;
    assert_int_equal(file_put(fixture_path(&here->fixture, "tile"), "x", 1, 0600), 0);
    write_events(300, false);
    run_for(1500);
    assert_true(loop_timer_is_running(&here->upkeep.retry));
    unlink(fixture_path(&here->fixture, "tile"));
    loop_timer_start(here->loop, &here->upkeep.retry, 0);
    wait_sealed(256);
}

static void a_row_that_changed_is_told(void **state)
{
    (void)state;
    here->upkeep.size = 1; /* it has its checkpoint */
    write_events(300, false);
    run_for(200);
    fixture_sql(&here->fixture, "UPDATE event SET leaf = zeroblob(32) WHERE seq = 7;"
                                "UPDATE event SET body = x'00' WHERE seq = 9");
    run_for(2000);
    assert_int_equal(here->damages, 1);
    assert_int_equal(here->fixture.journal->sealed.size, 0);
}

static void the_last_checkpoint_is_signed_in_place(void **state)
{
    (void)state;
    fixture_fill(here->fixture.journal, 5);
    assert_int_equal(upkeep_finish(&here->upkeep), 0);
    assert_int_equal(here->notes, 1);
    assert_int_equal(here->upkeep.size, 5);
}

static void
the_log_ahead_is_copied_in_a_quiet_second_also_when_a_group_is_open(void **state)
{
    struct stat before, after;
    (void)state;
    write_events(900, false);
    run_for(50);
    assert_int_equal(stat(fixture_path(&here->fixture, "tail.db"), &before), 0);
    assert_true(loop_timer_is_running(&here->upkeep.quiet));
    here->upkeep.committed_us -= UPKEEP_QUIET_MS * 1000;
    loop_timer_start(here->loop, &here->upkeep.quiet, 0);
    assert_int_equal(group_enter(&here->group), 0);
    fixture_append(here->fixture.journal, LANE_RECORD, "band.seen", "{}");
    run_for(10); /* less than a group waits for company */
    assert_false(here->fixture.journal->is_open);
    assert_int_equal(stat(fixture_path(&here->fixture, "tail.db"), &after), 0);
    assert_true(after.st_size > before.st_size);
}

static void while_events_keep_coming_the_log_ahead_is_left_alone(void **state)
{
    struct stat before, after;
    (void)state;
    write_events(900, false);
    run_for(50);
    assert_int_equal(stat(fixture_path(&here->fixture, "tail.db"), &before), 0);
    write_events(1, true);
    loop_timer_start(here->loop, &here->upkeep.quiet, 0);
    run_for(10);
    assert_true(loop_timer_is_running(&here->upkeep.quiet));
    assert_int_equal(stat(fixture_path(&here->fixture, "tail.db"), &after), 0);
    assert_true(after.st_size == before.st_size);
}

/* A row that is released, with its file in its place, as a commit has left them. */
static void put_released(struct digest *digest)
{
    char path[DEPOT_PATH_MAX];
    struct cask *cask;
    struct catalog_blob row = {
        .keep_ms = -1, .until_us = -1, .seq = -1, .is_released = true};
    suite_hash(suite_named(FIXTURE_SUITE), digest, "secret", 6);
    row.sha256 = *digest;
    row.size = 6;
    assert_int_equal(depot_sealed(&here->blobs.depot, path, digest, 1), 0);
    assert_int_equal(cask_make(&cask, path, &here->blobs.depot.key), 0);
    assert_int_equal(cask_put(cask, "secret", 6), 0);
    assert_int_equal(cask_finish(cask), 0);
    cask_close(cask);
    assert_int_equal(depot_settle(&here->blobs.depot, digest, 1), 0);
    assert_int_equal(group_enter(&here->group), 0);
    assert_int_equal(catalog_put(here->fixture.journal->store, &row), 0);
    blobs_add_up(&here->blobs, &row, 1);
    group_ask(&here->group, 1, false);
}

static void what_is_released_is_erased_beside_the_commits(void **state)
{
    static const struct config CONFIG = {.blobs_quota = 1 << 20};
    struct catalog_blob row;
    struct digest digest;
    (void)state;
    assert_int_equal(
        blobs_open(&here->blobs, here->loop, &here->group, &CONFIG, here->fixture.folder),
        0);
    here->upkeep.blobs = &here->blobs;
    put_released(&digest);
    for (int i = 0; i < 3000 && eraser_wants(&here->blobs); i++)
        run_for(20);
    group_commit(&here->group);
    assert_int_equal(catalog_get(here->fixture.journal->store, &digest, &row), -ENOENT);
    assert_false(depot_has(&here->blobs.depot, &digest));
    assert_int_equal(rmdir(fixture_path(&here->fixture, "blobs/old")), 0); /* empty */
    assert_int_equal(here->upkeep.failed[UPKEEP_ERASE], 0);
    here->upkeep.blobs = NULL;
    blobs_close(&here->blobs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_alarm_is_signed_at_once, start, stop),
        cmocka_unit_test_setup_teardown(records_wait_for_company, start, stop),
        cmocka_unit_test_setup_teardown(a_full_tile_is_sealed_after_a_second, start,
                                        stop),
        cmocka_unit_test_setup_teardown(no_tile_is_sealed_before_there_is_a_checkpoint,
                                        start, stop),
        cmocka_unit_test_setup_teardown(many_full_tiles_are_sealed_at_once, start, stop),
        cmocka_unit_test_setup_teardown(events_that_keep_coming_do_not_disturb_sealing,
                                        start, stop),
        cmocka_unit_test_setup_teardown(
            a_sealing_that_ends_in_an_open_group_is_ended_once, start, stop),
        cmocka_unit_test_setup_teardown(
            an_errand_that_is_killed_is_done_again_with_the_same_files, start, stop),
        cmocka_unit_test_setup_teardown(a_failed_errand_is_tried_again, start, stop),
        cmocka_unit_test_setup_teardown(
            a_sealing_that_fails_is_tried_again_without_a_new_event, start, stop),
        cmocka_unit_test_setup_teardown(a_row_that_changed_is_told, start, stop),
        cmocka_unit_test_setup_teardown(what_is_released_is_erased_beside_the_commits,
                                        start, stop),
        cmocka_unit_test_setup_teardown(the_last_checkpoint_is_signed_in_place, start,
                                        stop),
        cmocka_unit_test_setup_teardown(
            the_log_ahead_is_copied_in_a_quiet_second_also_when_a_group_is_open, start,
            stop),
        cmocka_unit_test_setup_teardown(
            while_events_keep_coming_the_log_ahead_is_left_alone, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
