/* Reading back: every event once, in order, whether sealed or not, by lane and by pattern. */
#include "keeper/journal/scan.h"

#include "keeper/fixture.h"
#include "proof/bundle.h"

enum { SEALED = 512, ALL = 700 };

static int start(void **state)
{
    struct fixture *here = malloc(sizeof(*here));
    fixture_open(here);
    fixture_fill(here->journal, SEALED);
    fixture_seal(here);
    fixture_fill(here->journal, ALL - SEALED);
    *state = here;
    return 0;
}

static int stop(void **state)
{
    fixture_close(*state);
    free(*state);
    return 0;
}

/* What a reader has had, and how much it takes at a time. */
struct reader {
    int64_t seen[ALL];
    int count;
    int most;
};

static int take(void *owner, const struct store_event *event)
{
    struct reader *reader = owner;
    char number[32];
    if (reader->most-- == 0)
        return 1;
    snprintf(number, sizeof(number), "\"n\":%d}", (int)event->seq);
    assert_non_null(memmem(event->body, event->length, number, strlen(number)));
    assert_int_equal(event->lane, event->seq % LANES);
    assert_true(reader->count < ALL);
    reader->seen[reader->count++] = event->seq;
    return 0;
}

/* Reads from `from` on, at most `most` events a call, until nothing more comes. */
static void read_all(struct fixture *here, const struct scan_filter *filter, int64_t from,
                     int most, struct reader *reader)
{
    int64_t seq = from;
    reader->count = 0;
    while (seq < here->journal->size) {
        int64_t before = seq;
        reader->most = most;
        assert_int_equal(scan_events(here->journal, filter, &seq, take, reader), 0);
        assert_true(seq > before);
    }
    assert_int_equal(seq, here->journal->size);
}

static void expect_every(const struct reader *reader, int64_t from, int step)
{
    int i = 0;
    for (int64_t seq = from; seq < ALL; seq += step)
        assert_int_equal(reader->seen[i++], seq);
    assert_int_equal(reader->count, i);
}

static void every_event_comes_once_and_in_order(void **state)
{
    static const int TURNS[] = {1, 7, 256, 10000};
    struct scan_filter any = {-1, NULL};
    struct reader reader;
    for (size_t i = 0; i < countof(TURNS); i++) {
        read_all(*state, &any, 0, TURNS[i], &reader);
        expect_every(&reader, 0, 1);
    }
    read_all(*state, &any, 511, 3, &reader);
    expect_every(&reader, 511, 1);
}

static void a_lane_comes_once_and_in_order(void **state)
{
    struct reader reader;
    for (int lane = 0; lane < LANES; lane++) {
        struct scan_filter filter = {lane, NULL};
        read_all(*state, &filter, 0, 10, &reader);
        expect_every(&reader, lane, LANES);
    }
}

static void a_pattern_comes_once_and_in_order(void **state)
{
    struct reader reader;
    struct scan_filter one = {-1, "pulse.read"}, all = {-1, "*"}, none = {-1, "no.such"};
    read_all(*state, &one, 0, 10, &reader);
    expect_every(&reader, 2, LANES);
    read_all(*state, &all, 0, 10, &reader);
    expect_every(&reader, 0, 1);
    read_all(*state, &none, 0, 10, &reader);
    assert_int_equal(reader.count, 0);
    struct scan_filter family = {-1, "band.*"};
    read_all(*state, &family, 0, 100, &reader);
    assert_int_equal(reader.count, (ALL * 2 + 2) / 3);
}

static void what_the_reader_refuses_is_the_first_next_time(void **state)
{
    struct fixture *here = *state;
    struct scan_filter any = {-1, NULL};
    struct reader reader = {.most = 3};
    int64_t seq = 510;
    assert_int_equal(scan_events(here->journal, &any, &seq, take, &reader), 0);
    assert_int_equal(seq, 513);
    assert_int_equal(reader.count, 3);
}

static void what_is_not_committed_is_not_read(void **state)
{
    struct fixture *here = *state;
    struct scan_filter any = {-1, NULL}, alarms = {LANE_ALARM, NULL};
    struct reader reader = {.most = 100};
    int64_t seq = ALL - 1;
    assert_int_equal(journal_begin(here->journal), 0);
    fixture_append(here->journal, LANE_ALARM, "band.opened", "{}");
    assert_int_equal(scan_events(here->journal, &any, &seq, take, &reader), 0);
    assert_int_equal(seq, ALL);
    assert_int_equal(reader.count, 1);
    assert_int_equal(scan_events(here->journal, &alarms, &seq, take, &reader), 0);
    assert_int_equal(reader.count, 1);
    journal_rollback(here->journal);
}

static void a_reader_ahead_of_the_log_gets_nothing(void **state)
{
    struct fixture *here = *state;
    struct scan_filter alarms = {LANE_ALARM, NULL};
    struct reader reader = {.most = 100};
    int64_t seq = INT64_MAX;
    assert_int_equal(scan_events(here->journal, &alarms, &seq, take, &reader), 0);
    assert_int_equal(seq, INT64_MAX);
    assert_int_equal(reader.count, 0);
}

static void one_call_opens_only_a_few_bundles(void **state)
{
    struct fixture *here = *state;
    struct scan_filter none = {-1, "no.such"};
    struct reader reader = {.most = 100};
    int64_t seq = 0;
    fixture_fill(here->journal, 8 * 256);
    fixture_seal(here);
    assert_int_equal(scan_events(here->journal, &none, &seq, take, &reader), 0);
    assert_int_equal(seq, 4 * 256);
}

static void a_call_opens_no_further_bundle_after_many_bytes(void **state)
{
    struct fixture *here = *state;
    struct scan_filter none = {-1, "no.such"};
    struct reader reader = {.most = 100};
    static char data[6000];
    int64_t seq = (ALL + 255) / 256 * 256;
    snprintf(data, sizeof(data), "{\"x\":\"%05000d\"}", 0);
    fixture_fill(here->journal, (int)(seq - ALL));
    assert_int_equal(journal_begin(here->journal), 0);
    for (int i = 0; i < 2 * 256; i++)
        fixture_append(here->journal, LANE_ALARM, "band.opened", data);
    assert_int_equal(journal_commit(here->journal), 0);
    fixture_seal(here);
    int64_t from = seq;
    assert_int_equal(scan_events(here->journal, &none, &seq, take, &reader), 0);
    assert_int_equal(seq, from + 256);
}

static int expect_refused(struct fixture *here, int64_t from, int64_t reached)
{
    struct scan_filter any = {-1, NULL};
    struct reader reader = {.most = 10000};
    int64_t seq = from;
    int err = scan_events(here->journal, &any, &seq, take, &reader);
    assert_int_equal(seq, reached);
    return err;
}

static void a_damaged_bundle_stops_the_reader_where_it_begins(void **state)
{
    struct fixture *here = *state;
    fixture_flip(fixture_path(here, "tile/entries/001"), -40);
    for (int turn = 0; turn < 2; turn++)
        assert_int_equal(expect_refused(here, 0, 256), -EBADMSG);
    unlink(fixture_path(here, "tile/entries/001"));
    assert_int_equal(expect_refused(here, 0, 256), -ENOENT);
}

static void a_bundle_with_too_few_entries_is_refused_every_time(void **state)
{
    struct fixture *here = *state;
    struct buffer plain = {0}, file = {0};
    bundle_add(&plain, "entry", 5);
    bundle_pack(&file, &plain);
    assert_int_equal(
        file_put(fixture_path(here, "tile/entries/001"), file.bytes, file.length, 0640),
        0);
    for (int turn = 0; turn < 2; turn++)
        assert_int_equal(expect_refused(here, 256, 256), -EBADMSG);
    buffer_free(&plain);
    buffer_free(&file);
}

static void a_tail_that_lost_its_rows_is_refused(void **state)
{
    struct fixture *here = *state;
    fixture_sql(here, "DELETE FROM event WHERE seq >= 650");
    assert_int_equal(expect_refused(here, 650, 650), -EBADMSG);
}

static void mark_erased(struct fixture *here, int64_t index, bool all)
{
    struct store_tile tile;
    assert_int_equal(store_get_tile(here->journal->store, index, &tile), 0);
    for (int i = 0; i < TILE_WIDTH; i++)
        if (all || tile.lanes[i] == LANE_TELEMETRY)
            tile.lanes[i] |= STORE_ERASED;
    assert_int_equal(store_begin(here->journal->store), 0);
    assert_int_equal(store_add_tile(here->journal->store, index, &tile), 0);
    assert_int_equal(store_commit(here->journal->store), 0);
}

static bool is_left(int64_t seq)
{
    return seq >= 512 || (seq >= 256 && seq % LANES != LANE_TELEMETRY);
}

/* Of the first tile all is erased and its bundle gone; of the second the telemetry, and a cut has
 * left the bundle as it was. */
static void what_is_erased_is_passed_over(void **state)
{
    struct fixture *here = *state;
    struct reader reader;
    mark_erased(here, 0, true);
    mark_erased(here, 1, false);
    unlink(fixture_path(here, "tile/entries/000"));
    for (int lane = -1; lane < LANES; lane++) {
        struct scan_filter filter = {lane, NULL};
        int expected = 0;
        read_all(here, &filter, 0, 10, &reader);
        for (int64_t seq = 0; seq < ALL; seq++)
            if (is_left(seq) && (lane < 0 || seq % LANES == lane))
                assert_int_equal(reader.seen[expected++], seq);
        assert_int_equal(reader.count, expected);
    }
}

/* A reader by lane must not take a database that cannot be read for a lane that is empty. */
static void a_tile_table_that_cannot_be_read_does_not_skip_events(void **state)
{
    struct fixture *here = *state;
    struct scan_filter alarms = {LANE_ALARM, NULL};
    struct reader reader = {.most = 10};
    int64_t seq = 0;
    fixture_sql(here, "DROP TABLE tile");
    assert_true(scan_events(here->journal, &alarms, &seq, take, &reader) < 0);
    assert_int_equal(seq, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_event_comes_once_and_in_order, start, stop),
        cmocka_unit_test_setup_teardown(a_lane_comes_once_and_in_order, start, stop),
        cmocka_unit_test_setup_teardown(a_pattern_comes_once_and_in_order, start, stop),
        cmocka_unit_test_setup_teardown(what_the_reader_refuses_is_the_first_next_time,
                                        start, stop),
        cmocka_unit_test_setup_teardown(what_is_not_committed_is_not_read, start, stop),
        cmocka_unit_test_setup_teardown(a_reader_ahead_of_the_log_gets_nothing, start,
                                        stop),
        cmocka_unit_test_setup_teardown(one_call_opens_only_a_few_bundles, start, stop),
        cmocka_unit_test_setup_teardown(a_call_opens_no_further_bundle_after_many_bytes,
                                        start, stop),
        cmocka_unit_test_setup_teardown(a_damaged_bundle_stops_the_reader_where_it_begins,
                                        start, stop),
        cmocka_unit_test_setup_teardown(
            a_bundle_with_too_few_entries_is_refused_every_time, start, stop),
        cmocka_unit_test_setup_teardown(what_is_erased_is_passed_over, start, stop),
        cmocka_unit_test_setup_teardown(a_tail_that_lost_its_rows_is_refused, start,
                                        stop),
        cmocka_unit_test_setup_teardown(
            a_tile_table_that_cannot_be_read_does_not_skip_events, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
