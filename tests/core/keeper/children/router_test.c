/* Fetches: answered once, in order, by lane, pattern or cursor, and never without bound. */
#include "keeper/children/router.h"

#include "keeper/house.h"

static struct house house;

static int start(void **state)
{
    (void)state;
    house_open(&house);
    house_greet(&house);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    house_close(&house);
    return 0;
}

struct wish {
    int lane; /* -1 none */
    const char *pattern;
    const char *name;
    int64_t seq;
    int64_t limit;
};

static const struct wish ANY = {-1, NULL, NULL, 0, -1};

static void fetch(int peer, uint32_t id, struct wish wish)
{
    struct buffer frame = {0};
    frame_begin(&frame, TALK_FETCH, id);
    if (wish.lane >= 0)
        frame_put_number(&frame, TAG_LANE, wish.lane);
    if (wish.pattern != NULL)
        frame_put_text(&frame, TAG_PATTERN, wish.pattern);
    if (wish.name != NULL)
        frame_put_text(&frame, TAG_NAME, wish.name);
    else
        frame_put_number(&frame, TAG_SEQ, wish.seq);
    if (wish.limit >= 0)
        frame_put_number(&frame, TAG_LIMIT, wish.limit);
    ends_say(house.ends[peer], &frame);
    buffer_free(&frame);
}

static struct ends_events answer(int peer, uint32_t id)
{
    ends_expect(house.loop, house.ends[peer], &house.heard, TALK_EVENTS, id);
    return ends_events(&house.heard.frame);
}

/* Fetches again and again until the end; how many came. */
static int fetch_all(int peer, struct wish wish)
{
    int count = 0;
    int64_t last = -1;
    while (wish.seq < house.fixture.journal->size) {
        fetch(peer, 5, wish);
        struct ends_events events = answer(peer, 5);
        if (events.count > 0)
            assert_true(events.first > last);
        last = events.count > 0 ? events.last : last;
        count += events.count;
        assert_true(events.next > wish.seq);
        wish.seq = events.next;
    }
    return count;
}

static void every_event_comes_once_across_sealed_tiles_and_tail(void **state)
{
    struct wish wish = ANY;
    (void)state;
    fixture_fill(house.fixture.journal, 2000);
    fixture_seal(&house.fixture);
    fixture_fill(house.fixture.journal, 301);
    for (int64_t limit = 1000; limit < 1000000; limit *= 20) {
        wish.limit = limit;
        assert_int_equal(fetch_all(HOUSE_UPLINK, wish), 2301);
    }
    for (wish.lane = 0; wish.lane < LANES; wish.lane++)
        assert_int_equal(fetch_all(HOUSE_UPLINK, wish), 767);
    wish.lane = -1;
    wish.pattern = "band.*";
    assert_int_equal(fetch_all(HOUSE_READER, wish), 2 * 767);
}

static void the_bytes_are_those_that_were_committed(void **state)
{
    struct field entry, body;
    struct buffer stored = {0};
    (void)state;
    house_commit(&house, "band.seen");
    fetch(HOUSE_READER, 4, ANY);
    answer(HOUSE_READER, 4);
    assert_int_equal(fields_find(&house.heard.frame.fields, TAG_ENTRY, &entry), 0);
    struct fields inside = field_inside(&entry);
    assert_int_equal(fields_find(&inside, TAG_BODY, &body), 0);
    struct digest leaf;
    suite_leaf(house.fixture.journal->suite, &leaf, body.bytes, body.length);
    assert_true(digest_equal(&leaf, tail_leaf(&house.fixture.journal->tail, 0)));
    assert_int_equal(ends_number(&inside, TAG_LANE), LANE_RECORD);
    buffer_free(&stored);
}

static void a_fetch_waits_until_there_is_one_it_wants(void **state)
{
    struct wish alarms = {LANE_ALARM, NULL, NULL, 0, -1};
    (void)state;
    fetch(HOUSE_UPLINK, 3, alarms);
    ends_expect_silence(house.loop, house.ends[HOUSE_UPLINK]);
    house_commit(&house, "band.seen");
    ends_expect_silence(house.loop, house.ends[HOUSE_UPLINK]);
    house_commit(&house, "band.opened");
    struct ends_events events = answer(HOUSE_UPLINK, 3);
    assert_int_equal(events.count, 1);
    assert_int_equal(events.first, 1);
    assert_int_equal(events.next, 2);
    house_commit(&house, "band.opened");
    ends_expect_silence(house.loop, house.ends[HOUSE_UPLINK]);
}

static void what_is_not_on_disk_yet_is_shown_to_nobody(void **state)
{
    (void)state;
    assert_int_equal(group_enter(&house.group), 0);
    fixture_append(house.fixture.journal, LANE_ALARM, "band.opened", "{}");
    fetch(HOUSE_READER, 3, ANY);
    ends_expect_silence(house.loop, house.ends[HOUSE_READER]);
    group_fail(&house.group, -ENOSPC);
    ends_expect_silence(house.loop, house.ends[HOUSE_READER]);
    house_commit(&house, "band.seen");
    assert_int_equal(answer(HOUSE_READER, 3).count, 1);
}

static void two_readers_have_what_each_wants(void **state)
{
    struct wish alarms = {LANE_ALARM, NULL, NULL, 0, -1};
    (void)state;
    fetch(HOUSE_READER, 1, ANY);
    fetch(HOUSE_UPLINK, 2, alarms);
    house_commit(&house, "band.seen");
    assert_int_equal(answer(HOUSE_READER, 1).count, 1);
    ends_expect_silence(house.loop, house.ends[HOUSE_UPLINK]);
    house_commit(&house, "band.opened");
    assert_int_equal(answer(HOUSE_UPLINK, 2).first, 1);
}

static void consume(const char *name, int64_t seq)
{
    struct buffer frame = {0};
    frame_begin(&frame, TALK_COMMIT, 70);
    house_consume(&frame, name, seq);
    ends_say(house.ends[HOUSE_HOST], &frame);
    ends_done(house.loop, house.ends[HOUSE_HOST], &house.heard, 70, 0);
    buffer_free(&frame);
}

static void a_named_fetch_goes_on_behind_what_was_consumed(void **state)
{
    struct wish named = {-1, "*", "all", 0, -1};
    (void)state;
    fixture_fill(house.fixture.journal, 10);
    fetch(HOUSE_HOST, 3, named);
    assert_int_equal(answer(HOUSE_HOST, 3).first, 0);
    consume("all", 6);
    fetch(HOUSE_HOST, 4, named);
    assert_int_equal(answer(HOUSE_HOST, 4).first, 7);
    consume("all", 9);
    fetch(HOUSE_HOST, 5, named);
    ends_expect_silence(house.loop, house.ends[HOUSE_HOST]);
}

static void a_cursor_ahead_of_the_log_waits_for_what_comes_next(void **state)
{
    struct wish named = {-1, "*", "all", 0, -1};
    (void)state;
    fixture_fill(house.fixture.journal, 3);
    assert_int_equal(
        store_put_cursor(house.fixture.journal->store, "gate", "all", INT64_MAX), 0);
    fetch(HOUSE_HOST, 3, named);
    ends_run(house.loop, -1, 20);
    fixture_fill(house.fixture.journal, 1);
    router_wake(&house.router);
    assert_int_equal(answer(HOUSE_HOST, 3).first, 3);
}

static void a_fetch_that_is_cancelled_is_not_answered(void **state)
{
    (void)state;
    fetch(HOUSE_READER, 3, ANY);
    fetch(HOUSE_READER, 4, ANY);
    ends_run(house.loop, -1, 10);
    ends_tell(house.ends[HOUSE_READER], TALK_CANCEL, 3);
    ends_run(house.loop, -1, 10);
    house_commit(&house, "band.seen");
    answer(HOUSE_READER, 4);
    ends_expect_silence(house.loop, house.ends[HOUSE_READER]);
}

static void one_fetch_too_many_ends_the_peer_and_its_fetches(void **state)
{
    (void)state;
    for (uint32_t id = 1; id <= TALK_FETCHES_MAX; id++)
        fetch(HOUSE_READER, id, ANY);
    ends_expect_silence(house.loop, house.ends[HOUSE_READER]);
    fetch(HOUSE_READER, 99, ANY);
    ends_expect_end(house.loop, house.ends[HOUSE_READER], &house.heard);
    ends_run(house.loop, -1, 10);
    assert_null(house.router.fetches);
    house_commit(&house, "band.seen");
}

static void an_answer_is_bounded_in_events_and_bytes(void **state)
{
    struct wish small = {-1, NULL, NULL, 0, 1};
    (void)state;
    fixture_fill(house.fixture.journal, 1000);
    fetch(HOUSE_READER, 1, ANY);
    struct ends_events events = answer(HOUSE_READER, 1);
    assert_true(events.count <= ROUTER_ENTRIES_MAX && events.count > 100);
    fetch(HOUSE_READER, 2, small);
    assert_int_equal(answer(HOUSE_READER, 2).count, 1);
    small.limit = 2000;
    fetch(HOUSE_READER, 3, small);
    events = answer(HOUSE_READER, 3);
    assert_in_range(events.count, 1, 3);
    assert_int_equal(events.next, events.count);
}

static void a_fetch_that_makes_no_sense_ends_the_peer(void **state)
{
    static const struct wish BAD[] = {{-1, "Not a pattern", NULL, 0, -1},
                                      {LANES, NULL, NULL, 0, -1},
                                      {-1, NULL, NULL, -1, -1},
                                      {-1, "a*b", NULL, 0, -1}};
    (void)state;
    for (size_t i = 0; i < countof(BAD); i++) {
        fetch(HOUSE_READER, 1, BAD[i]);
        ends_expect_end(house.loop, house.ends[HOUSE_READER], &house.heard);
        house_close(&house);
        house_open(&house);
        house_greet(&house);
    }
}

static void a_bundle_that_cannot_be_read_holds_up_only_what_is_behind_it(void **state)
{
    struct wish alarms = {LANE_ALARM, NULL, NULL, 300, -1};
    struct wish rest = {-1, NULL, NULL, 600, -1};
    (void)state;
    fixture_fill(house.fixture.journal, 600);
    fixture_seal(&house.fixture);
    unlink(fixture_path(&house.fixture, "tile/entries/001"));
    fetch(HOUSE_READER, 1, alarms);
    ends_expect_silence(house.loop, house.ends[HOUSE_READER]);
    house_commit(&house, "band.opened");
    ends_expect_silence(house.loop, house.ends[HOUSE_READER]);
    fetch(HOUSE_READER, 2, rest);
    assert_int_equal(answer(HOUSE_READER, 2).first, 600);
}

/* Nobody has to take what he asked for: his answers wait within a bound, then he is ended. */
static void a_reader_that_takes_nothing_is_ended(void **state)
{
    struct wish wish = ANY;
    (void)state;
    fixture_fill(house.fixture.journal, 2000);
    for (int i = 0; i < 60 && house.gone == 0; i++) {
        struct buffer frame = {0};
        frame_begin(&frame, TALK_FETCH, 1);
        frame_put_number(&frame, TAG_SEQ, wish.seq);
        if (send(house.ends[HOUSE_READER], frame.bytes, frame.length, MSG_NOSIGNAL) < 0)
            assert_int_equal(errno, EPIPE);
        buffer_free(&frame);
        ends_run(house.loop, -1, 5);
    }
    assert_int_equal(house.gone, 1);
    house_commit(&house, "band.seen");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(every_event_comes_once_across_sealed_tiles_and_tail),
        CASE(the_bytes_are_those_that_were_committed),
        CASE(a_fetch_waits_until_there_is_one_it_wants),
        CASE(what_is_not_on_disk_yet_is_shown_to_nobody),
        CASE(two_readers_have_what_each_wants),
        CASE(a_named_fetch_goes_on_behind_what_was_consumed),
        CASE(a_cursor_ahead_of_the_log_waits_for_what_comes_next),
        CASE(a_fetch_that_is_cancelled_is_not_answered),
        CASE(one_fetch_too_many_ends_the_peer_and_its_fetches),
        CASE(an_answer_is_bounded_in_events_and_bytes),
        CASE(a_fetch_that_makes_no_sense_ends_the_peer),
        CASE(a_bundle_that_cannot_be_read_holds_up_only_what_is_behind_it),
        CASE(a_reader_that_takes_nothing_is_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
