/* When somebody has to know that what is sent comes to nothing. */
#include "uplink/stall.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/base.h"

static struct stall stall;

static int connect_all(void **state)
{
    (void)state;
    stall_begin(&stall, 1000);
    stall_link(&stall, SYNC_ALARM, true, 1000);
    stall_link(&stall, SYNC_BULK, true, 1000);
    return 0;
}

static void a_receipt_in_time_is_no_news(void **state)
{
    (void)state;
    for (int64_t now = 1000; now < 600 * 1000; now += 1000) {
        stall_acked(&stall, LANE_RECORD, 0, true, now);
        if (now % 40000 == 0)
            stall_marked(&stall, LANE_RECORD, true, now);
        assert_int_equal(stall_look(&stall, now), STALL_QUIET);
    }
}

static void acknowledged_without_receipt_is_told_once(void **state)
{
    int64_t now = 1000;
    (void)state;
    stall_acked(&stall, LANE_TELEMETRY, 0, true, now);
    now += STALL_PATIENCE_MS - 1;
    assert_int_equal(stall_look(&stall, now), STALL_QUIET);
    assert_int_equal(stall_look(&stall, ++now), STALL_BEGINS);
    assert_int_equal(stall.cause, STALL_RECEIPT);
    assert_int_equal(stall.lane, LANE_TELEMETRY);
    stall_acked(&stall, LANE_ALARM, 0, true, now);
    now += STALL_PATIENCE_MS;
    assert_int_equal(stall_look(&stall, now), STALL_QUIET);
    stall_marked(&stall, LANE_TELEMETRY, false, now);
    assert_int_equal(stall_look(&stall, now), STALL_QUIET); /* the alarm is still owed */
    stall_marked(&stall, LANE_ALARM, false, now);
    assert_int_equal(stall_look(&stall, now), STALL_ENDS);
    assert_int_equal(stall_look(&stall, now), STALL_QUIET);
}

static void a_receipt_that_overtakes_its_puback_leaves_nothing_owed(void **state)
{
    (void)state;
    stall_marked(&stall, LANE_RECORD, false, 1000);
    stall_acked(&stall, LANE_RECORD, 0, false, 1001);
    assert_int_equal(stall_look(&stall, 1001 + STALL_PATIENCE_MS), STALL_QUIET);
}

static void a_receipt_that_leaves_something_owed_begins_the_time_anew(void **state)
{
    int64_t now = 1000;
    (void)state;
    stall_acked(&stall, LANE_RECORD, 0, true, now);
    now += STALL_PATIENCE_MS - 1;
    stall_marked(&stall, LANE_RECORD, true, now);
    now += STALL_PATIENCE_MS - 1;
    assert_int_equal(stall_look(&stall, now), STALL_QUIET);
    assert_int_equal(stall_look(&stall, now + 1), STALL_BEGINS);
}

static void nobody_listening_is_as_good_as_no_receipt(void **state)
{
    (void)state;
    stall_acked(&stall, LANE_ALARM, 0x10, true, 1000);
    assert_int_equal(stall_look(&stall, 1000), STALL_QUIET);
    assert_int_equal(stall_look(&stall, 1000 + STALL_PATIENCE_MS), STALL_BEGINS);
    assert_int_equal(stall.cause, STALL_RECEIPT);
}

static void time_offline_does_not_count_but_time_before_it_does(void **state)
{
    int64_t now = 1000;
    (void)state;
    stall_acked(&stall, LANE_RECORD, 0, true, now);
    for (int i = 0; i < 4; i++) {
        now += STALL_PATIENCE_MS / 4 - 1;
        stall_link(&stall, SYNC_BULK, false, now);
        now += 3600 * 1000;
        assert_int_equal(stall_look(&stall, now), STALL_QUIET);
        stall_link(&stall, SYNC_BULK, true, now);
    }
    assert_int_equal(stall_look(&stall, now + 4), STALL_BEGINS);
}

static void a_refusal_is_told_at_once_and_ends_with_an_acceptance(void **state)
{
    (void)state;
    stall_acked(&stall, LANE_ALARM, 0x87, true, 2000);
    assert_int_equal(stall_look(&stall, 2000), STALL_BEGINS);
    assert_int_equal(stall.cause, STALL_REFUSED);
    assert_int_equal(stall.reason, 0x87);
    stall_acked(&stall, LANE_ALARM, 0, true, 3000);
    assert_int_equal(stall_look(&stall, 3000), STALL_ENDS);
}

static void a_broker_that_keeps_changing_its_mind_is_told_once_a_minute(void **state)
{
    int begins = 0;
    (void)state;
    for (int64_t now = 1000; now < 1000 + 10 * STALL_LEAST_MS; now += 500) {
        stall_acked(&stall, LANE_RECORD, now % 1000 == 0 ? 0x97 : 0, true, now);
        begins += stall_look(&stall, now) == STALL_BEGINS;
        stall_marked(&stall, LANE_RECORD, false, now);
    }
    assert_int_equal(begins, 10);
}

static void a_silent_broker_is_told_until_it_acknowledges(void **state)
{
    (void)state;
    stall_silent(&stall, SYNC_BULK);
    assert_int_equal(stall_look(&stall, 2000), STALL_BEGINS);
    assert_int_equal(stall.cause, STALL_SILENT);
    assert_int_equal(stall.lane, LANE_RECORD);
    stall_link(&stall, SYNC_BULK, false, 2000);
    stall_link(&stall, SYNC_BULK, true, 3000);
    assert_int_equal(stall_look(&stall, 3000), STALL_QUIET);
    stall_acked(&stall, LANE_TELEMETRY, 0, true, 3000);
    assert_int_equal(stall_look(&stall, 3000), STALL_ENDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_receipt_in_time_is_no_news, connect_all),
        cmocka_unit_test_setup(acknowledged_without_receipt_is_told_once, connect_all),
        cmocka_unit_test_setup(a_receipt_that_overtakes_its_puback_leaves_nothing_owed,
                               connect_all),
        cmocka_unit_test_setup(a_receipt_that_leaves_something_owed_begins_the_time_anew,
                               connect_all),
        cmocka_unit_test_setup(nobody_listening_is_as_good_as_no_receipt, connect_all),
        cmocka_unit_test_setup(time_offline_does_not_count_but_time_before_it_does,
                               connect_all),
        cmocka_unit_test_setup(a_refusal_is_told_at_once_and_ends_with_an_acceptance,
                               connect_all),
        cmocka_unit_test_setup(
            a_broker_that_keeps_changing_its_mind_is_told_once_a_minute, connect_all),
        cmocka_unit_test_setup(a_silent_broker_is_told_until_it_acknowledges,
                               connect_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
