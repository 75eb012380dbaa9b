/* All that is sealed is read again in time; what is damaged is told once and read past. */
#include "keeper/repair/scrub.h"

#include "base/json.h"
#include "keeper/fixture.h"
#include "keeper/journal/scan.h"

struct office {
    struct fixture fixture;
    struct loop *loop;
    struct group group;
    struct scrub scrub;
    int mended;
};

static void committed(void *owner, int err, bool had_alarm)
{
    (void)owner;
    (void)had_alarm;
    assert_int_equal(err, 0);
}

static void mended(void *owner)
{
    ((struct office *)owner)->mended++;
}

static void open_scrub(struct office *here)
{
    assert_int_equal(loop_open(&here->loop), 0);
    group_open(&here->group, here->loop, here->fixture.journal, committed, here);
    scrub_open(&here->scrub, here->loop, &here->group);
    here->scrub.mended = mended;
    here->scrub.owner = here;
}

static void close_scrub(struct office *here)
{
    scrub_close(&here->scrub);
    group_close(&here->group);
    loop_close(here->loop);
}

/* 20 tiles and a bit. */
static int start(void **state)
{
    struct office *here = calloc(1, sizeof(*here));
    fixture_open(&here->fixture);
    fixture_fill(here->fixture.journal, 20 * TILE_WIDTH + 30);
    fixture_seal(&here->fixture);
    fixture_seal(&here->fixture);
    fixture_sign(&here->fixture);
    open_scrub(here);
    *state = here;
    return 0;
}

static int stop(void **state)
{
    struct office *here = *state;
    close_scrub(here);
    fixture_close(&here->fixture);
    free(here);
    return 0;
}

static void step(struct office *here)
{
    struct buffer result = {0};
    assert_int_equal(scrub_begin(&here->scrub), 0);
    assert_int_equal(scrub_work(&here->scrub, &result), 0);
    assert_int_equal(scrub_end(&here->scrub, &result), 0);
    buffer_free(&result);
}

static int count_damaged(void *owner, const struct store_event *event)
{
    char type[WORD_TYPE_MAX + 1];
    assert_int_equal(event_type(type, event->body, event->length), 0);
    *(int *)owner += strcmp(type, "journal.damaged") == 0;
    return 0;
}

static int alarms(struct office *here)
{
    int count = 0;
    assert_int_equal(store_each_event(here->fixture.journal->store, 20 * TILE_WIDTH,
                                      1 << 20, count_damaged, &count),
                     0);
    return count;
}

static int count_event(void *owner, const struct store_event *event)
{
    (void)event;
    ++*(int *)owner;
    return 0;
}

/* How many events a reader gets to see; -1: it cannot read on. */
static int readable(struct office *here)
{
    struct scan_filter filter = {-1, NULL};
    int64_t seq = 0;
    int count = 0;
    while (seq < here->fixture.journal->size)
        if (scan_events(here->fixture.journal, &filter, &seq, count_event, &count) != 0)
            return -1;
    return count;
}

static void the_pause_makes_a_pass_a_week_within_its_bounds(void **state)
{
    (void)state;
    assert_int_equal(scrub_pause_ms(0), SCRUB_MOST_MS);
    assert_int_equal(scrub_pause_ms(16), SCRUB_MOST_MS);
    assert_int_equal(scrub_pause_ms(16 * 20160), 30000);
    assert_int_equal(scrub_pause_ms(INT64_MAX / 2), SCRUB_LEAST_MS);
}

static void a_sound_journal_is_read_through_and_nothing_is_said(void **state)
{
    struct office *here = *state;
    step(here);
    assert_int_equal(here->scrub.next, 16);
    assert_int_equal(here->scrub.passes, 0);
    step(here);
    assert_int_equal(here->scrub.next, 0);
    assert_int_equal(here->scrub.passes, 1);
    assert_int_equal(alarms(here), 0);
    assert_int_equal(here->group.commits, 0); /* nor written */
}

static void a_damaged_bundle_is_told_once_and_read_past(void **state)
{
    struct office *here = *state;
    fixture_flip(fixture_path(&here->fixture, "tile/entries/003"), 300);
    unlink(fixture_path(&here->fixture, "tile/entries/005"));
    assert_int_equal(readable(here), -1);
    step(here);
    assert_int_equal(here->scrub.next, 4); /* an event for each tile */
    step(here);
    step(here);
    assert_int_equal(alarms(here), 2);
    assert_int_equal(here->scrub.damaged, 2);
    int count = readable(here);
    assert_true(count >= 20 * TILE_WIDTH + 32 - 2 * TILE_WIDTH);
    assert_true(count < 20 * TILE_WIDTH + 32 - TILE_WIDTH);
    for (int i = 0; i < 4; i++)
        step(here);
    assert_int_equal(alarms(here), 2);
}

static void damaged_hash_tiles_are_made_anew_and_told(void **state)
{
    struct office *here = *state;
    unlink(fixture_path(&here->fixture, "tile/0/019"));
    fixture_flip(fixture_path(&here->fixture, "tile/0/000"), 9);
    step(here);
    assert_int_equal(alarms(here), 1);
    assert_true(file_exists(fixture_path(&here->fixture, "tile/0/019")));
    step(here);
    assert_int_equal(alarms(here), 1);
}

static void what_a_reader_could_not_read_comes_first(void **state)
{
    struct office *here = *state;
    unlink(fixture_path(&here->fixture, "tile/entries/018"));
    scrub_look(&here->scrub, 18 * TILE_WIDTH + 7);
    assert_true(scrub_wants(&here->scrub));
    step(here);
    assert_int_equal(alarms(here), 1);
    assert_int_equal(here->mended, 1);
    assert_int_equal(here->scrub.next, 0); /* its turn has not come */
    assert_true(readable(here) > 0);
    assert_false(scrub_wants(&here->scrub));
}

static void what_is_sound_and_still_cannot_be_read_is_not_looked_at_for_ever(void **state)
{
    struct office *here = *state;
    scrub_look(&here->scrub, 5);
    step(here);
    assert_int_equal(here->mended, 1);
    scrub_look(&here->scrub, 5);
    assert_false(scrub_wants(&here->scrub));
    scrub_look(&here->scrub, 20 * TILE_WIDTH + 5); /* in the tail */
    assert_false(scrub_wants(&here->scrub));
}

static void what_cannot_be_mended_is_told_once(void **state)
{
    struct office *here = *state;
    fixture_flip(fixture_path(&here->fixture, "tile/0/003"), 9);
    fixture_flip(fixture_path(&here->fixture, "tile/entries/003"), 300);
    for (int i = 0; i < 3; i++)
        step(here);
    assert_int_equal(alarms(here), 1);
}

static void while_an_alarm_is_committed_it_waits(void **state)
{
    struct office *here = *state;
    here->scrub.is_due = true;
    assert_true(scrub_wants(&here->scrub));
    here->group.has_alarm = true;
    assert_false(scrub_wants(&here->scrub));
    here->group.has_alarm = false;
}

static void where_it_was_is_known_after_a_restart(void **state)
{
    struct office *here = *state;
    for (int i = 0; i < SCRUB_STEPS_KEPT - 1; i++)
        step(here);
    int64_t next = here->scrub.next == 16 ? 0 : 16;
    step(here);
    assert_int_equal(here->scrub.next, next);
    close_scrub(here);
    assert_int_equal(fixture_reopen(&here->fixture), 0);
    open_scrub(here);
    assert_int_equal(here->scrub.next, next);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_pause_makes_a_pass_a_week_within_its_bounds),
        CASE(a_sound_journal_is_read_through_and_nothing_is_said),
        CASE(a_damaged_bundle_is_told_once_and_read_past),
        CASE(damaged_hash_tiles_are_made_anew_and_told),
        CASE(what_a_reader_could_not_read_comes_first),
        CASE(what_is_sound_and_still_cannot_be_read_is_not_looked_at_for_ever),
        CASE(what_cannot_be_mended_is_told_once),
        CASE(while_an_alarm_is_committed_it_waits),
        CASE(where_it_was_is_known_after_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
