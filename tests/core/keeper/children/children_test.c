/* What each peer may say, and what becomes of who says anything else. */
#include "keeper/children/children.h"

#include "keeper/house.h"

static struct house house;

static int start(void **state)
{
    (void)state;
    house_open(&house);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    house_close(&house);
    return 0;
}

static void hello_is_answered_with_the_configuration(void **state)
{
    struct field config;
    struct json *json;
    (void)state;
    ends_tell(house.ends[HOUSE_HOST], TALK_HELLO, 9);
    ends_expect(house.loop, house.ends[HOUSE_HOST], &house.heard, TALK_START, 9);
    assert_int_equal(fields_find(&house.heard.frame.fields, TAG_CONFIG, &config), 0);
    assert_int_equal(json_parse(&json, config.bytes, config.length), 0);
    assert_string_equal(json_text(json, "instance"), "gate");
    json_free(json);
}

static void nobody_is_heard_before_hello_nor_says_it_twice(void **state)
{
    (void)state;
    ends_tell(house.ends[HOUSE_HOST], TALK_PONG, 0);
    ends_expect_end(house.loop, house.ends[HOUSE_HOST], &house.heard);
    ends_tell(house.ends[HOUSE_READER], TALK_HELLO, 0);
    ends_tell(house.ends[HOUSE_READER], TALK_HELLO, 0);
    ends_expect_end(house.loop, house.ends[HOUSE_READER], &house.heard);
    ends_run(house.loop, -1, 10);
    assert_int_equal(house.gone, 2);
}

static const struct {
    int peer;
    uint8_t type;
} FORBIDDEN[] = {
    {HOUSE_READER, TALK_COMMIT},
    {HOUSE_READER, TALK_GET},
    {HOUSE_READER, TALK_RANGE},
    {HOUSE_READER, TALK_RECEIPT},
    {HOUSE_READER, TALK_HEALTH},
    {HOUSE_HOST, TALK_RECEIPT},
    {HOUSE_HOST, TALK_STATUS},
    {HOUSE_UPLINK, TALK_COMMIT},
    {HOUSE_UPLINK, TALK_GET},
    {HOUSE_UPLINK, TALK_STATUS},
    {HOUSE_HOST, TALK_RELOAD},
    {HOUSE_UPLINK, TALK_RELOAD},
    {HOUSE_READER, TALK_RELOAD}, /* where nobody reloads */
    {HOUSE_HOST, TALK_START},
    {HOUSE_HOST, TALK_DONE},
    {HOUSE_HOST, 0},
    {HOUSE_HOST, TALK_TYPES},
    {HOUSE_HOST, 255},
    {HOUSE_UPLINK, TALK_MARK},

    {HOUSE_HOST, TALK_ASK},
    {HOUSE_UPLINK, TALK_ASK},
    {HOUSE_UPLINK, TALK_ANSWER},
    {HOUSE_READER, TALK_ANSWER},

    {HOUSE_HOST, TALK_HEALTH},
    {HOUSE_HOST, TALK_GET},
    {HOUSE_HOST, TALK_ANSWER},
    {HOUSE_READER, TALK_ASK},
};

static void what_a_role_may_not_say_or_says_badly_ends_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(FORBIDDEN); i++) {
        house_greet(&house);
        ends_tell(house.ends[FORBIDDEN[i].peer], FORBIDDEN[i].type, 1);
        ends_expect_end(house.loop, house.ends[FORBIDDEN[i].peer], &house.heard);
        assert_int_equal(house.fixture.journal->size, 0);
        house_close(&house);
        house_open(&house);
    }
}

static void what_follows_a_breach_is_not_heard(void **state)
{
    struct buffer frame = {0};
    (void)state;
    house_greet(&house);
    ends_tell(house.ends[HOUSE_HOST], TALK_STATUS, 1);
    frame_begin(&frame, TALK_COMMIT, 2);
    house_event(&frame, "band.opened", "{}");
    ends_say(house.ends[HOUSE_HOST], &frame);
    ends_expect_end(house.loop, house.ends[HOUSE_HOST], &house.heard);
    ends_run(house.loop, -1, 50);
    assert_int_equal(house.fixture.journal->size, 0);
    assert_int_equal(house.gone, 1);
    buffer_free(&frame);
}

static void a_commit_is_on_disk_when_it_is_done(void **state)
{
    (void)state;
    house_greet(&house);
    assert_int_equal(house_commit(&house, "band.opened"), 0);
    assert_int_equal(house_commit(&house, "pulse.read"), 1);
    assert_int_equal(fixture_ask(&house.fixture, "SELECT count(*) FROM event"), 2);
    assert_int_equal(fixture_ask(&house.fixture, "SELECT lane FROM event WHERE seq = 1"),
                     LANE_TELEMETRY);
}

static void commits_are_done_in_the_order_they_were_sent(void **state)
{
    struct buffer frame = {0};
    (void)state;
    house_greet(&house);
    for (uint32_t id = 10; id < 40; id++) {
        frame_begin(&frame, TALK_COMMIT, id);
        house_event(&frame, id % 7 ? "pulse.read" : "band.opened", "{}");
        ends_say(house.ends[HOUSE_HOST], &frame);
    }
    for (uint32_t id = 10; id < 40; id++)
        assert_int_equal(
            ends_done(house.loop, house.ends[HOUSE_HOST], &house.heard, id, 0), id - 10);
    buffer_free(&frame);
}

static void a_refused_commit_says_why_and_the_next_is_done(void **state)
{
    struct buffer frame = {0};
    struct field why;
    char text[200];
    (void)state;
    house_greet(&house);
    frame_begin(&frame, TALK_COMMIT, 3);
    house_put(&frame, "key", "value");
    house_event(&frame, "band.unknown", "{}");
    ends_say(house.ends[HOUSE_HOST], &frame);
    assert_int_equal(
        ends_done(house.loop, house.ends[HOUSE_HOST], &house.heard, 3, -EINVAL), -1);
    assert_int_equal(fields_find(&house.heard.frame.fields, TAG_TEXT, &why), 0);
    assert_int_equal(field_text(&why, text, sizeof(text)), 0);
    assert_non_null(strstr(text, "band.unknown"));
    assert_int_equal(fixture_ask(&house.fixture, "SELECT count(*) FROM kv"), 0);
    assert_int_equal(house_commit(&house, "band.seen"), 0);
    buffer_free(&frame);
}

static void a_tail_without_room_takes_only_alarms(void **state)
{
    struct buffer frame = {0};
    int64_t count = house.fixture.journal->tail.count;
    (void)state;
    house_greet(&house);
    house.fixture.journal->tail.count = 1024 * 1024;
    frame_begin(&frame, TALK_COMMIT, 3);
    house_event(&frame, "band.seen", "{}");
    ends_say(house.ends[HOUSE_HOST], &frame);
    ends_done(house.loop, house.ends[HOUSE_HOST], &house.heard, 3, -ENOSPC);
    house.fixture.journal->tail.count = count;
    house_commit(&house, "band.opened");
    buffer_free(&frame);
}

/* On a full disk: what is nothing but telemetry is left out, and its plugin goes on; what comes with
 * an alarm or a record is taken whole. */
static void without_room_telemetry_is_left_out_and_the_rest_is_done(void **state)
{
    struct storage full = {
        .journal = house.fixture.journal, .is_disk_full = true, .gap_from_us = 1};
    struct buffer frame = {0};
    (void)state;
    house_greet(&house);
    house.children.storage = &full;
    frame_begin(&frame, TALK_COMMIT, 3);
    house_event(&frame, "pulse.read", "{}");
    house_put(&frame, "key", "value");
    ends_say(house.ends[HOUSE_HOST], &frame);
    assert_int_equal(ends_done(house.loop, house.ends[HOUSE_HOST], &house.heard, 3, 0),
                     -1);
    assert_int_equal(fixture_ask(&house.fixture, "SELECT count(*) FROM kv"), 1);
    assert_int_equal(house.fixture.journal->size, 0);
    frame_begin(&frame, TALK_COMMIT, 4);
    house_event(&frame, "pulse.read", "{}");
    house_event(&frame, "band.seen", "{}");
    ends_say(house.ends[HOUSE_HOST], &frame);
    assert_int_equal(ends_done(house.loop, house.ends[HOUSE_HOST], &house.heard, 4, 0),
                     0);
    assert_int_equal(house_commit(&house, "band.opened"), 2);
    full.is_disk_full = false;
    assert_int_equal(house_commit(&house, "pulse.read"), 3);
    house.children.storage = NULL;
    buffer_free(&frame);
}

static void ask_range(const char *from, const char *until, int64_t limit)
{
    struct buffer frame = {0};
    frame_begin(&frame, TALK_RANGE, 5);
    if (from != NULL)
        frame_put_text(&frame, TAG_KEY, from);
    if (until != NULL)
        frame_put_text(&frame, TAG_UNTIL, until);
    if (limit != INT64_MAX)
        frame_put_number(&frame, TAG_LIMIT, limit);
    ends_say(house.ends[HOUSE_HOST], &frame);
    buffer_free(&frame);
}

/* How many keys come; -1 when the answer was cut. */
static int count_values(const char *from, const char *until, int64_t limit)
{
    struct field field;
    int count = 0;
    ask_range(from, until, limit);
    ends_expect(house.loop, house.ends[HOUSE_HOST], &house.heard, TALK_VALUES, 5);
    while (fields_next(&house.heard.frame.fields, &field) > 0)
        count = field.tag == TAG_MORE ? -1 : count + 1;
    return count;
}

static void keys_are_got_one_by_one_and_by_range(void **state)
{
    struct buffer frame = {0};
    (void)state;
    house_greet(&house);
    assert_int_equal(store_put(house.fixture.journal->store, "hall", "a", "not ours", 8),
                     0);
    frame_begin(&frame, TALK_COMMIT, 3);
    house_put(&frame, "a", "1");
    house_put(&frame, "b", "2");
    house_put(&frame, "c", "3");
    ends_say(house.ends[HOUSE_HOST], &frame);
    ends_done(house.loop, house.ends[HOUSE_HOST], &house.heard, 3, 0);
    assert_int_equal(count_values(NULL, NULL, INT64_MAX), 3);
    assert_int_equal(count_values("b", NULL, INT64_MAX), 2);
    assert_int_equal(count_values("a", "c", INT64_MAX), 2);
    assert_int_equal(count_values("a", "c", 2), 2);
    assert_int_equal(count_values("a", "c", 1), -1);
    assert_int_equal(count_values("a", "c", 0), -1);
    frame_begin(&frame, TALK_GET, 6);
    frame_put_text(&frame, TAG_KEY, "b");
    ends_say(house.ends[HOUSE_HOST], &frame);
    ends_expect(house.loop, house.ends[HOUSE_HOST], &house.heard, TALK_VALUES, 6);
    assert_non_null(memmem(house.heard.bytes, 64, "2", 1));
    buffer_free(&frame);
}

static void a_range_larger_than_a_frame_is_cut(void **state)
{
    char value[TALK_VALUE_MAX];
    struct store *store = house.fixture.journal->store;
    (void)state;
    house_greet(&house);
    memset(value, 'v', sizeof(value));
    for (char key[] = "a"; key[0] < 'f'; key[0]++)
        assert_int_equal(store_put(store, "gate", key, value, sizeof(value)), 0);
    assert_int_equal(count_values(NULL, NULL, INT64_MAX), -1);
    assert_int_equal(count_values("c", NULL, INT64_MAX), 3);
}

static void a_range_that_makes_no_sense_ends_the_host(void **state)
{
    char key[TALK_KEY_MAX + 2];
    const struct {
        const char *from, *until;
        int64_t limit;
    } BAD[] = {{key, NULL, 1}, {"a", key, 1}, {"a", "b", -1}, {"a", "b", INT64_MIN}};
    (void)state;
    memset(key, 'k', sizeof(key));
    key[sizeof(key) - 1] = '\0';
    for (size_t i = 0; i < countof(BAD); i++) {
        house_greet(&house);
        ask_range(BAD[i].from, BAD[i].until, BAD[i].limit);
        ends_expect_end(house.loop, house.ends[HOUSE_HOST], &house.heard);
        house_close(&house);
        house_open(&house);
    }
}

static void health_is_kept_for_the_report_and_bounded(void **state)
{
    struct buffer frame = {0};
    (void)state;
    house_greet(&house);
    for (int n = 0; n < 2; n++) {
        frame_begin(&frame, TALK_HEALTH, 0);
        frame_put_text(&frame, TAG_TEXT, n ? "{\"n\":1}" : "{\"n\":0}");
        ends_say(house.ends[HOUSE_HOST], &frame);
    }
    ends_run(house.loop, -1, 20);
    assert_int_equal(json_number(house.peers[HOUSE_HOST].health, "n", -1), 1);
    frame_begin(&frame, TALK_HEALTH, 0);
    size_t mark = frame_open(&frame, TAG_TEXT);
    memset(buffer_grow(&frame, 5000), ' ', 5000);
    frame_close(&frame, mark);
    ends_say(house.ends[HOUSE_HOST], &frame);
    ends_expect_end(house.loop, house.ends[HOUSE_HOST], &house.heard);
    buffer_free(&frame);
}

static void a_status_is_answered_and_a_pong_is_noticed(void **state)
{
    (void)state;
    house_greet(&house);
    house.peers[HOUSE_HOST].heard_us = 0;
    ends_tell(house.ends[HOUSE_HOST], TALK_PONG, 0);
    ends_tell(house.ends[HOUSE_READER], TALK_STATUS, 4);
    ends_expect(house.loop, house.ends[HOUSE_READER], &house.heard, TALK_REPORT, 4);
    ends_run(house.loop, -1, 10);
    assert_true(house.peers[HOUSE_HOST].heard_us > 0);
}

static void words_and_notes_reach_only_those_they_are_for(void **state)
{
    struct buffer note = {0};
    (void)state;
    ends_tell(house.ends[HOUSE_UPLINK], TALK_HELLO, 1);
    ends_expect(house.loop, house.ends[HOUSE_UPLINK], &house.heard, TALK_START, 1);
    for (int lane = 0; lane < LANES; lane++)
        ends_hear(house.loop, house.ends[HOUSE_UPLINK], &house.heard);
    children_tell(&house.children, PEER_HOST | PEER_UPLINK, TALK_PING);
    ends_expect(house.loop, house.ends[HOUSE_UPLINK], &house.heard, TALK_PING, 0);
    buffer_append_text(&note, "note");
    children_send_note(&house.children, &note);
    ends_expect(house.loop, house.ends[HOUSE_UPLINK], &house.heard, TALK_CHECKPOINT, 0);
    ends_expect_silence(house.loop, house.ends[HOUSE_HOST]);
    ends_expect_silence(house.loop, house.ends[HOUSE_READER]);
    buffer_free(&note);
}

static void a_host_that_goes_with_commits_under_way_leaves_them_done(void **state)
{
    struct buffer frame = {0};
    (void)state;
    house_greet(&house);
    frame_begin(&frame, TALK_COMMIT, 3);
    house_event(&frame, "band.seen", "{}");
    ends_say(house.ends[HOUSE_HOST], &frame);
    shutdown(house.ends[HOUSE_HOST], SHUT_RDWR);
    ends_run(house.loop, -1, 60);
    assert_int_equal(house.gone, 1);
    assert_int_equal(house.fixture.journal->size, 1);
    buffer_free(&frame);
}

/* Commits of one event apiece, each with the id before it plus one. */
static void flood(uint32_t first, uint32_t count, const char *type)
{
    struct buffer frame = {0};
    for (uint32_t id = first; id < first + count; id++) {
        frame_begin(&frame, TALK_COMMIT, id);
        house_event(&frame, type, "{}");
        ends_say(house.ends[HOUSE_HOST], &frame);
    }
    buffer_free(&frame);
}

static void who_floods_is_made_to_wait_and_loses_nothing(void **state)
{
    static const struct allowance_rate RATE = {.messages = 200, .bytes = 1 << 20};
    const struct peer *host = &house.peers[HOUSE_HOST];
    (void)state;
    house_greet(&house);
    house.children.rate = &RATE;
    int64_t began_us = now_mono_us();
    flood(1, 230, "pulse.read");
    for (int i = 0; i < 1500 && host->heard_us < began_us; i++)
        ends_run(house.loop, -1, 40);
    assert_true(host->heard_us >= began_us); /* not taken for silence */
    ends_tell(house.ends[HOUSE_READER], TALK_STATUS, 4);
    ends_expect(house.loop, house.ends[HOUSE_READER], &house.heard, TALK_REPORT, 4);
    for (uint32_t id = 1; id <= 230; id++)
        assert_int_equal(
            ends_done(house.loop, house.ends[HOUSE_HOST], &house.heard, id, 0), id - 1);
    assert_true(now_mono_us() - began_us >= 140 * 1000); /* thirty, at 200 a second */
}

/* It never reads what it is told; the little that is told beyond the sockets' room is bounded. */
static void who_takes_no_answers_is_not_asked_for_more(void **state)
{
    static const struct allowance_rate RATE = {.messages = 1000000, .bytes = 1 << 30};
    char value[4000];
    struct buffer frame = {0};
    (void)state;
    memset(value, 'v', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    house_greet(&house);
    house.children.rate = &RATE;
    frame_begin(&frame, TALK_COMMIT, 1);
    house_put(&frame, "key", value);
    ends_say(house.ends[HOUSE_HOST], &frame);
    frame_begin(&frame, TALK_GET, 2);
    frame_put_text(&frame, TAG_KEY, "key");
    size_t most = 0;
    for (int i = 0; i < 3000; i++) {
        send(house.ends[HOUSE_HOST], frame.bytes, frame.length, MSG_DONTWAIT);
        if (i % 20 == 0)
            ends_run(house.loop, -1, 1);
        size_t queued = line_queued(house.peers[HOUSE_HOST].line);
        most = queued > most ? queued : most;
    }
    assert_in_range(most, 64 * 1024, 256 * 1024);
    assert_int_equal(house.gone, 0);
    buffer_free(&frame);
}

static void who_is_refused_again_and_again_waits_too(void **state)
{
    static const struct allowance_rate RATE = {.messages = 1000, .bytes = 1 << 20};
    (void)state;
    house_greet(&house);
    house.children.rate = &RATE;
    int64_t began_us = now_mono_us();
    flood(1, 8, "band.unknown");
    for (uint32_t id = 1; id <= 8; id++)
        ends_done(house.loop, house.ends[HOUSE_HOST], &house.heard, id, -EINVAL);
    assert_true(now_mono_us() - began_us >= 400 * 1000);
}

static void what_is_no_frame_ends_the_line(void **state)
{
    (void)state;
    house_greet(&house);
    assert_int_equal(send(house.ends[HOUSE_HOST], "noise", 5, 0), 5);
    ends_expect_end(house.loop, house.ends[HOUSE_HOST], &house.heard);
}

static void a_canary_gets_its_start_and_may_change_nothing(void **state)
{
    static const uint8_t CHANGES[] = {TALK_COMMIT, TALK_GET, TALK_FETCH, TALK_RECEIPT,
                                      TALK_RELOAD};
    (void)state;
    for (size_t i = 0; i < countof(CHANGES); i++) {
        house.peers[HOUSE_HOST].role = PEER_CANARY;
        house_greet(&house);
        ends_tell(house.ends[HOUSE_HOST], CHANGES[i], 1);
        ends_expect_end(house.loop, house.ends[HOUSE_HOST], &house.heard);
        house_close(&house);
        house_open(&house);
    }
}

static void a_host_says_how_its_devices_answer_and_why_it_cannot_start(void **state)
{
    static const char WHY[] = "{\"cannot_start\":\"no \\\"station\\\"\"}";
    const struct peer *peer = &house.peers[HOUSE_HOST];
    struct buffer frame = {0};
    (void)state;
    house_greet(&house);
    frame_begin(&frame, TALK_PONG, 0);
    frame_put_number(&frame, TAG_READS, 12);
    frame_put_number(&frame, TAG_ERRORS, -1); /* nonsense is none */
    ends_say(house.ends[HOUSE_HOST], &frame);
    frame_begin(&frame, TALK_HEALTH, 0);
    frame_put_text(&frame, TAG_TEXT, WHY);
    ends_say(house.ends[HOUSE_HOST], &frame);
    ends_run(house.loop, -1, 20);
    assert_int_equal(peer->reads, 12);
    assert_int_equal(peer->errors, 0);
    assert_string_equal(peer->complaint, "no \"station\"");
    buffer_free(&frame);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_canary_gets_its_start_and_may_change_nothing),
        CASE(a_host_says_how_its_devices_answer_and_why_it_cannot_start),
        CASE(hello_is_answered_with_the_configuration),
        CASE(nobody_is_heard_before_hello_nor_says_it_twice),
        CASE(what_a_role_may_not_say_or_says_badly_ends_it),
        CASE(what_follows_a_breach_is_not_heard),
        CASE(a_commit_is_on_disk_when_it_is_done),
        CASE(commits_are_done_in_the_order_they_were_sent),
        CASE(a_refused_commit_says_why_and_the_next_is_done),
        cmocka_unit_test_setup_teardown(
            without_room_telemetry_is_left_out_and_the_rest_is_done, start, stop),
        CASE(a_tail_without_room_takes_only_alarms),
        CASE(keys_are_got_one_by_one_and_by_range),
        CASE(a_range_larger_than_a_frame_is_cut),
        CASE(a_range_that_makes_no_sense_ends_the_host),
        CASE(health_is_kept_for_the_report_and_bounded),
        CASE(a_status_is_answered_and_a_pong_is_noticed),
        CASE(words_and_notes_reach_only_those_they_are_for),
        CASE(a_host_that_goes_with_commits_under_way_leaves_them_done),
        CASE(who_floods_is_made_to_wait_and_loses_nothing),
        CASE(who_takes_no_answers_is_not_asked_for_more),
        CASE(who_is_refused_again_and_again_waits_too),
        CASE(what_is_no_frame_ends_the_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
