/* The mean keeps to the bandwidth, and what waits comes out once, in time. */
#include "uplink/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "base/base.h"

enum { SECOND_US = 1000 * 1000, BITS = 800 * 1000, BYTES = BITS / 8 };

static struct sync_step question(enum talk_lane lane, uint32_t id)
{
    return (struct sync_step){
        .deed = SYNC_FETCH, .link = SYNC_BULK, .lane = lane, .id = id};
}

static void without_a_bandwidth_nothing_waits(void **state)
{
    struct sync_step step = question(LANE_RECORD, 1);
    struct pace pace;
    (void)state;
    pace_begin(&pace, 0);
    pace_spend(&pace, 1 << 30, 0);
    assert_false(pace_holds(&pace, &step, 0));
    assert_int_equal(pace_wait_ms(&pace, 0), -1);
    assert_int_equal(pace_batch(&pace, 1000), 1000);
}

static void a_question_waits_until_the_line_is_free(void **state)
{
    struct sync_step step = question(LANE_RECORD, 7), out;
    struct pace pace;
    (void)state;
    pace_begin(&pace, BITS);
    int64_t now = 5 * SECOND_US;
    assert_false(pace_holds(&pace, &step, now));
    pace_spend(&pace, BYTES - PACE_OVERHEAD, now); /* a second of the line */
    assert_true(pace_holds(&pace, &step, now));
    int64_t ms = pace_wait_ms(&pace, now);
    assert_in_range(ms, (SECOND_US - PACE_AHEAD_US) / 1000, SECOND_US / 1000);
    assert_false(pace_next(&pace, &out, now + ms * 1000 - 1000));
    assert_true(pace_next(&pace, &out, now + ms * 1000));
    assert_int_equal(out.id, 7);
    assert_int_equal(out.lane, LANE_RECORD);
    assert_false(pace_next(&pace, &out, now + ms * 1000));
    assert_int_equal(pace_wait_ms(&pace, now), -1);
}

static void records_go_before_telemetry(void **state)
{
    struct sync_step telemetry = question(LANE_TELEMETRY, 1),
                     record = question(LANE_RECORD, 2);
    struct sync_step out;
    struct pace pace;
    (void)state;
    pace_begin(&pace, BITS);
    pace_spend(&pace, BYTES, 0);
    assert_true(pace_holds(&pace, &telemetry, 0));
    assert_true(pace_holds(&pace, &record, 0));
    assert_true(pace_next(&pace, &out, 2 * SECOND_US));
    assert_int_equal(out.id, 2);
    assert_true(pace_next(&pace, &out, 2 * SECOND_US));
    assert_int_equal(out.id, 1);
}

static void a_question_that_is_taken_back_does_not_come_out(void **state)
{
    struct sync_step step = question(LANE_TELEMETRY, 3), out;
    struct pace pace;
    (void)state;
    pace_begin(&pace, BITS);
    pace_spend(&pace, BYTES, 0);
    assert_true(pace_holds(&pace, &step, 0));
    assert_false(pace_drop(&pace, 4));
    assert_true(pace_drop(&pace, 3));
    assert_false(pace_drop(&pace, 3));
    assert_false(pace_drop(&pace, 0));
    assert_false(pace_next(&pace, &out, 9 * SECOND_US));
}

/* Whoever asks whenever he may, and publishes at once, gets the bandwidth and no more; a pause does
 * not make up for it. */
static void the_mean_keeps_to_the_bandwidth(void **state)
{
    static const size_t SIZES[] = {100, 60000, 7, 4096};
    struct sync_step step = question(LANE_RECORD, 1), out;
    struct pace pace;
    int64_t now = 0, bytes = 0;
    (void)state;
    pace_begin(&pace, BITS);
    for (int round = 0; round < 2; round++) {
        int64_t began = now += 100LL * SECOND_US;
        bytes = 0;
        for (int i = 0; i < 1000; i++) {
            if (pace_holds(&pace, &step, now)) {
                now += pace_wait_ms(&pace, now) * 1000;
                assert_true(pace_next(&pace, &out, now));
            }
            pace_spend(&pace, SIZES[i % countof(SIZES)], now);
            bytes += (int64_t)SIZES[i % countof(SIZES)] + PACE_OVERHEAD;
        }
        int64_t ideal = bytes * SECOND_US / BYTES;
        assert_in_range(now - began, ideal - SECOND_US, ideal + SECOND_US);
    }
}

static void a_batch_is_about_a_second_of_the_line(void **state)
{
    struct pace pace;
    (void)state;
    pace_begin(&pace, BITS);
    pace.window = PACE_WINDOW_MOST;
    assert_int_equal(pace_batch(&pace, 1 << 20), BYTES);
    assert_int_equal(pace_batch(&pace, BYTES - 1), BYTES - 1);
    pace_begin(&pace, 16000);
    assert_int_equal(pace_batch(&pace, 1 << 20), PACE_BATCH_LEAST);
}

/* A line with a queue before it: each batch comes when those before it have, and its PUBACK after
 * the way there and back. */
struct line {
    int64_t bytes_a_second, trip_us, free_us, now_us;
    unsigned flying, first;
    uint32_t token;
    struct {
        uint32_t token;
        int64_t due_us;
    } pubacks[SYNC_FLIGHTS];
};

/* How long the batch stands in the queue. */
static int64_t send_batch(struct line *line, struct pace *pace)
{
    size_t bytes = pace_batch(pace, 120 * 1024) / 10; /* as zstd makes it */
    unsigned last = (line->first + line->flying++) % SYNC_FLIGHTS;
    if (line->free_us < line->now_us)
        line->free_us = line->now_us;
    int64_t queued_us = line->free_us - line->now_us;
    line->free_us += (int64_t)bytes * SECOND_US / line->bytes_a_second;
    line->pubacks[last].token = ++line->token;
    line->pubacks[last].due_us = line->free_us + line->trip_us;
    pace_sent(pace, line->token, bytes, line->now_us);
    return queued_us;
}

/* Sends as soon as it may; the longest time that one of so many batches stood in the queue. */
static int64_t send_batches(struct line *line, struct pace *pace, int count)
{
    struct sync_step step = question(LANE_RECORD, 1);
    int64_t longest_us = 0;
    while (count > 0) {
        if (line->flying < SYNC_FLIGHTS && !pace_holds(pace, &step, line->now_us)) {
            int64_t queued_us = send_batch(line, pace);
            longest_us = queued_us > longest_us ? queued_us : longest_us;
            count--;
            continue;
        }
        assert_true(line->flying > 0);
        pace_drop(pace, 1);
        line->now_us = line->pubacks[line->first].due_us;
        pace_acked(pace, line->pubacks[line->first].token, line->now_us);
        line->first = (line->first + 1) % SYNC_FLIGHTS;
        line->flying--;
    }
    return longest_us;
}

static void a_thin_line_never_has_a_long_queue(void **state)
{
    static const int64_t LINES[] = {8 * 1000, 64 * 1000, 1000 * 1000};
    (void)state;
    for (size_t i = 0; i < countof(LINES); i++) {
        struct line line = {.bytes_a_second = LINES[i], .trip_us = 50 * 1000};
        struct pace pace;
        pace_begin(&pace, 0);
        send_batches(&line, &pace, 100);
        assert_in_range(send_batches(&line, &pace, 1000), 0, 2 * PACE_DELAY_US);
    }
}

static void a_good_line_is_filled(void **state)
{
    struct line line = {.bytes_a_second = 1000 * 1000 * 1000, .trip_us = 1000};
    struct pace pace;
    (void)state;
    pace_begin(&pace, 0);
    send_batches(&line, &pace, 3000);
    assert_int_equal(pace_batch(&pace, 120 * 1024), 120 * 1024);
}

/* A line that has become longer is no queue of ours: as much goes over it as before. */
static void a_line_that_has_become_longer_is_filled_again(void **state)
{
    struct line line = {.bytes_a_second = 1000 * 1000, .trip_us = 10 * 1000};
    struct pace pace;
    (void)state;
    pace_begin(&pace, 0);
    send_batches(&line, &pace, 100);
    line.trip_us = 700 * 1000;
    send_batches(&line, &pace, 1000);
    assert_true(pace.shortest_us >= 700 * 1000);
    assert_true(pace.window > 8 * 1024);
}

static void a_new_connection_knows_nothing_of_the_old(void **state)
{
    struct sync_step step = question(LANE_RECORD, 1);
    struct pace pace;
    (void)state;
    pace_begin(&pace, 0);
    pace_sent(&pace, 1, PACE_WINDOW_FIRST, 0);
    assert_true(pace_holds(&pace, &step, 0));
    assert_int_equal(pace_wait_ms(&pace, 0), -1);
    pace_anew(&pace);
    assert_true(pace_next(&pace, &step, 0));
    pace_acked(&pace, 1, 1); /* of the old one */
    assert_int_equal(pace.under_way, 0);
}

static void a_line_is_wide_when_it_has_carried_much_and_no_queue_was_felt(void **state)
{
    (void)state;
    struct pace pace;
    int64_t now = 0;
    pace_begin(&pace, 0);
    for (uint32_t token = 1; !pace_is_wide(&pace); token++) {
        assert_true(token <= PACE_CARRIED_WIDE / 1024);
        pace_sent(&pace, token, 1024, now);
        pace_acked(&pace, token, now += 1000);
    }
    assert_true(pace.carried == PACE_CARRIED_WIDE);
    pace_sent(&pace, 2000, 1024, now);
    pace_sent(&pace, 2001, 1024, now);
    pace_acked(&pace, 2000, now += 1000);
    pace_acked(&pace, 2001, now += 2 * PACE_DELAY_US);
    assert_false(pace_is_wide(&pace));
    pace_anew(&pace);
    assert_false(pace_is_wide(&pace));
}

static void a_line_with_a_bandwidth_is_never_wide(void **state)
{
    (void)state;
    struct pace pace;
    pace_begin(&pace, 8000000);
    pace_sent(&pace, 1, PACE_CARRIED_WIDE, 0);
    pace_acked(&pace, 1, 1000);
    assert_false(pace_is_wide(&pace));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_bandwidth_nothing_waits),
        cmocka_unit_test(a_question_waits_until_the_line_is_free),
        cmocka_unit_test(records_go_before_telemetry),
        cmocka_unit_test(a_question_that_is_taken_back_does_not_come_out),
        cmocka_unit_test(the_mean_keeps_to_the_bandwidth),
        cmocka_unit_test(a_thin_line_never_has_a_long_queue),
        cmocka_unit_test(a_good_line_is_filled),
        cmocka_unit_test(a_line_that_has_become_longer_is_filled_again),
        cmocka_unit_test(a_new_connection_knows_nothing_of_the_old),
        cmocka_unit_test(a_batch_is_about_a_second_of_the_line),
        cmocka_unit_test(a_line_is_wide_when_it_has_carried_much_and_no_queue_was_felt),
        cmocka_unit_test(a_line_with_a_bandwidth_is_never_wide),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
