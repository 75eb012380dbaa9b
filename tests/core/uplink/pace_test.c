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
    assert_int_equal(pace_batch(&pace, 1 << 20), BYTES);
    assert_int_equal(pace_batch(&pace, BYTES - 1), BYTES - 1);
    pace_begin(&pace, 16000);
    assert_int_equal(pace_batch(&pace, 1 << 20), PACE_BATCH_LEAST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_bandwidth_nothing_waits),
        cmocka_unit_test(a_question_waits_until_the_line_is_free),
        cmocka_unit_test(records_go_before_telemetry),
        cmocka_unit_test(a_question_that_is_taken_back_does_not_come_out),
        cmocka_unit_test(the_mean_keeps_to_the_bandwidth),
        cmocka_unit_test(a_batch_is_about_a_second_of_the_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
