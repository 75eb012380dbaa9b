/* The sync engine: one promise of its header at a time, then everything at once by chance. */
#include "uplink/sync.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"
#include "uplink/bench.h"
#include "uplink/world.h"

/* ---- Scenarios */

static void a_lane_is_fetched_behind_its_mark_once_that_is_known(void **state)
{
    struct bench b = {.now = 5};
    (void)state;
    sync_begin(&b.sync);
    sync_up(&b.sync, SYNC_ALARM, b.now);
    drain(&b);
    assert_int_equal(b.fetch[LANE_ALARM], 0);
    sync_mark(&b.sync, LANE_ALARM, 41, b.now);
    drain(&b);
    assert_int_equal(b.from[LANE_ALARM], 42);
}

static void nothing_is_fetched_while_the_link_is_down(void **state)
{
    struct bench b;
    (void)state;
    begin(&b);
    sync_down(&b.sync, SYNC_BULK);
    drain(&b);
    assert_int_equal(b.fetch[LANE_RECORD], 0);
    assert_int_equal(b.fetch[LANE_TELEMETRY], 0);
    assert_int_not_equal(b.fetch[LANE_ALARM], 0);
    assert_int_equal(b.cancels, 2);
}

static void a_batch_names_the_event_before_it(void **state)
{
    struct bench b;
    (void)state;
    begin(&b);
    struct sync_batch first = answer(&b, LANE_RECORD, 3, 100);
    struct sync_batch second = answer(&b, LANE_RECORD, 7, 100);
    assert_int_equal(first.prev, -1);
    assert_int_equal(first.last, 3);
    assert_int_equal(second.prev, 3);
    assert_int_equal(second.last, 7);
    assert_int_equal(second.link, SYNC_BULK);
}

static void a_batch_on_its_way_is_known_by_its_token(void **state)
{
    struct bench b;
    (void)state;
    begin(&b);
    struct sync_batch batch = answer(&b, LANE_TELEMETRY, 3, 100);
    assert_int_equal(sync_lane_of(&b.sync, SYNC_BULK, batch.token), LANE_TELEMETRY);
    assert_int_equal(sync_lane_of(&b.sync, SYNC_ALARM, batch.token), -1);
    sync_acked(&b.sync, SYNC_BULK, batch.token, 0, b.now);
    assert_int_equal(sync_lane_of(&b.sync, SYNC_BULK, batch.token), -1);
}

static void alarms_have_a_link_of_their_own(void **state)
{
    struct bench b;
    (void)state;
    begin(&b);
    for (int i = 0; i < SYNC_FLIGHTS && b.fetch[LANE_RECORD] != 0; i++)
        answer(&b, LANE_RECORD, 10 + i, SYNC_BATCH_BYTES);
    assert_int_equal(b.fetch[LANE_RECORD], 0); /* no room for records */
    assert_int_equal(answer(&b, LANE_ALARM, 500, 100).link, SYNC_ALARM);
}

static void more_events_than_a_batch_holds_are_asked_for_again(void **state)
{
    struct bench b;
    struct sync_entry entries[SYNC_BATCH_EVENTS + 2];
    struct sync_batch batch;
    (void)state;
    begin(&b);
    for (size_t i = 0; i < countof(entries); i++)
        entries[i] = (struct sync_entry){(int64_t)i * 2, 10};
    uint32_t id = b.fetch[LANE_RECORD];
    b.fetch[LANE_RECORD] = 0;
    assert_int_equal(
        sync_take(&b.sync, id, entries, countof(entries), 5000, &batch, b.now), 1);
    drain(&b);
    assert_int_equal(batch.count, SYNC_BATCH_EVENTS);
    assert_int_equal(b.from[LANE_RECORD], batch.last + 1);
}

static void an_answer_without_events_moves_on(void **state)
{
    struct bench b;
    struct sync_batch batch;
    (void)state;
    begin(&b);
    uint32_t id = b.fetch[LANE_RECORD];
    b.fetch[LANE_RECORD] = 0;
    assert_int_equal(sync_take(&b.sync, id, NULL, 0, 900, &batch, b.now), 0);
    drain(&b);
    assert_int_equal(b.from[LANE_RECORD], 900);
}

static void an_answer_that_crossed_its_cancel_is_ignored(void **state)
{
    struct bench b;
    struct sync_entry entry = {0, 10};
    struct sync_batch batch;
    (void)state;
    begin(&b);
    uint32_t old = b.fetch[LANE_ALARM];
    sync_down(&b.sync, SYNC_ALARM);
    drain(&b);
    assert_int_equal(sync_take(&b.sync, old, &entry, 1, 1, &batch, b.now), 0);
}

static void an_answer_that_cannot_be_true_is_an_error(void **state)
{
    struct bench b;
    struct sync_entry falling[] = {{5, 10}, {5, 10}};
    struct sync_batch batch;
    (void)state;
    begin(&b);
    assert_int_equal(
        sync_take(&b.sync, b.fetch[LANE_ALARM], falling, 2, 9, &batch, b.now), -EPROTO);
    assert_int_equal(
        sync_take(&b.sync, b.fetch[LANE_RECORD], falling, 1, 5, &batch, b.now), -EPROTO);
}

static void a_puback_is_no_progress(void **state)
{
    struct bench b;
    (void)state;
    begin(&b);
    struct sync_batch batch = answer(&b, LANE_RECORD, 0, 10);
    sync_acked(&b.sync, SYNC_BULK, batch.token, 0, b.now);
    assert_int_equal(b.sync.lanes[LANE_RECORD].mark, -1);
    assert_int_equal(b.sync.lanes[LANE_RECORD].count, 1);
    sync_mark(&b.sync, LANE_RECORD, 0, b.now);
    assert_int_equal(b.sync.lanes[LANE_RECORD].count, 0);
}

static void the_number_of_batches_without_receipt_is_bounded(void **state)
{
    struct bench b;
    int64_t seq = 0;
    (void)state;
    begin(&b);
    while (b.fetch[LANE_ALARM] != 0) {
        struct sync_batch batch = answer(&b, LANE_ALARM, seq++, 10);
        sync_acked(&b.sync, SYNC_ALARM, batch.token, 0, b.now);
        drain(&b);
    }
    assert_int_equal(seq, SYNC_BATCHES);
    sync_mark(&b.sync, LANE_ALARM, 0, b.now);
    drain(&b);
    assert_int_not_equal(b.fetch[LANE_ALARM], 0);
}

static void without_a_receipt_a_lane_goes_back_ever_later(void **state)
{
    struct bench b;
    int64_t wait = SYNC_PATIENCE_MS;
    (void)state;
    begin(&b);
    for (int i = 0; i < 8; i++) {
        struct sync_batch batch = answer(&b, LANE_ALARM, 0, 10);
        assert_int_equal(batch.prev, -1);
        sync_acked(&b.sync, SYNC_ALARM, batch.token, 0, b.now);
        drain(&b);
        assert_int_equal(sync_wait_ms(&b.sync, b.now), wait);
        b.now += wait - 1;
        drain(&b);
        assert_int_equal(b.from[LANE_ALARM], 1);
        b.now += 1;
        drain(&b);
        assert_int_equal(b.from[LANE_ALARM], 0);
        wait = wait * 2 > SYNC_PATIENCE_MOST_MS ? SYNC_PATIENCE_MOST_MS : wait * 2;
    }
}

/* PUBACKs keep coming, receipts do not: the broker takes everything and hands on nothing. */
static void a_steady_flow_does_not_put_off_going_back(void **state)
{
    struct bench b;
    int64_t begun, seq = 0;
    (void)state;
    begin(&b);
    begun = b.now;
    while (b.sync.lanes[LANE_ALARM].went_back == 0) {
        struct sync_batch batch = answer(&b, LANE_ALARM, seq++, 10);
        sync_acked(&b.sync, SYNC_ALARM, batch.token, 0, b.now);
        b.now += SYNC_PATIENCE_MS / (SYNC_BATCHES - 1);
        drain(&b);
    }
    assert_in_range(b.now - begun, SYNC_PATIENCE_MS, SYNC_PATIENCE_MS * 2);
    assert_int_equal(b.from[LANE_ALARM], 0);
}

static void a_receipt_for_a_part_gives_the_rest_new_time(void **state)
{
    struct bench b;
    (void)state;
    begin(&b);
    for (int64_t seq = 0; seq < 2; seq++) {
        struct sync_batch batch = answer(&b, LANE_ALARM, seq, 10);
        sync_acked(&b.sync, SYNC_ALARM, batch.token, 0, b.now);
        drain(&b);
    }
    b.now += SYNC_PATIENCE_MS - 1;
    sync_mark(&b.sync, LANE_ALARM, 0, b.now);
    assert_int_equal(sync_wait_ms(&b.sync, b.now), SYNC_PATIENCE_MS);
    sync_mark(&b.sync, LANE_ALARM, 1, b.now);
    assert_int_equal(sync_wait_ms(&b.sync, b.now), -1);
}

static void a_bulk_lane_without_receipts_sends_one_batch_at_a_time(void **state)
{
    struct bench b;
    (void)state;
    begin(&b);
    struct sync_batch batch = answer(&b, LANE_RECORD, 0, 10);
    sync_acked(&b.sync, SYNC_BULK, batch.token, 0, b.now);
    b.now += SYNC_PATIENCE_MS;
    drain(&b);
    batch = answer(&b, LANE_RECORD, 0, 10);
    drain(&b);
    assert_int_equal(b.fetch[LANE_RECORD], 0);
    sync_acked(&b.sync, SYNC_BULK, batch.token, 0, b.now);
    drain(&b);
    assert_int_equal(b.fetch[LANE_RECORD], 0);
    sync_mark(&b.sync, LANE_RECORD, 0, b.now);
    drain(&b);
    assert_int_equal(b.from[LANE_RECORD], 1);
    assert_int_not_equal(b.fetch[LANE_RECORD], 0);
}

static void what_is_still_on_its_way_is_not_sent_again(void **state)
{
    struct bench b;
    (void)state;
    begin(&b);
    answer(&b, LANE_RECORD, 0, 10);
    b.now += SYNC_PATIENCE_MS * 2;
    drain(&b);
    assert_int_equal(b.from[LANE_RECORD], 1);
}

static void a_link_without_a_sign_of_life_is_reset(void **state)
{
    static const struct {
        enum talk_lane lane;
        int64_t ms;
    } LINKS[] = {{LANE_ALARM, SYNC_SILENCE_ALARM_MS},
                 {LANE_RECORD, SYNC_SILENCE_BULK_MS}};
    (void)state;
    for (size_t i = 0; i < countof(LINKS); i++) {
        struct bench b;
        begin(&b);
        answer(&b, LINKS[i].lane, 0, 10);
        b.now += LINKS[i].ms - 1;
        drain(&b);
        assert_int_equal(b.resets, 0);
        b.now += 1;
        drain(&b);
        assert_int_equal(b.resets, 1);
    }
}

static void a_refused_batch_is_sent_again_after_a_pause(void **state)
{
    static const int REASONS[] = {0x10, 0x80, 0x87, 0x97};
    (void)state;
    for (size_t i = 0; i < countof(REASONS); i++) {
        struct bench b;
        begin(&b);
        struct sync_batch batch = answer(&b, LANE_ALARM, 0, 10);
        sync_acked(&b.sync, SYNC_ALARM, batch.token, REASONS[i], b.now);
        drain(&b);
        assert_int_equal(b.fetch[LANE_ALARM], 0);
        assert_int_equal(sync_wait_ms(&b.sync, b.now), SYNC_PAUSE_MS);
        b.now += SYNC_PAUSE_MS;
        drain(&b);
        assert_int_equal(b.from[LANE_ALARM], 0);
        batch = answer(&b, LANE_ALARM, 0, 10);
        sync_acked(&b.sync, SYNC_ALARM, batch.token, REASONS[i], b.now);
        assert_int_equal(sync_wait_ms(&b.sync, b.now), SYNC_PAUSE_MS * 2);
    }
}

static void a_city_that_begins_often_still_ends_pauses(void **state)
{
    struct bench b;
    (void)state;
    begin(&b);
    sync_began(&b.sync, b.now);
    struct sync_batch batch = answer(&b, LANE_ALARM, 0, 10);
    sync_acked(&b.sync, SYNC_ALARM, batch.token, 0x10, b.now);
    drain(&b);
    assert_int_equal(b.fetch[LANE_ALARM], 0);
    sync_began(&b.sync, b.now);
    drain(&b);
    assert_int_not_equal(b.fetch[LANE_ALARM], 0);
}

static void a_new_connection_goes_on_from_the_mark(void **state)
{
    struct bench b;
    (void)state;
    begin(&b);
    answer(&b, LANE_RECORD, 4, 10);
    answer(&b, LANE_RECORD, 6, 10);
    sync_mark(&b.sync, LANE_RECORD, 4, b.now);
    sync_down(&b.sync, SYNC_BULK);
    drain(&b);
    sync_up(&b.sync, SYNC_BULK, b.now);
    drain(&b);
    assert_int_equal(b.from[LANE_RECORD], 5);
    assert_int_equal(answer(&b, LANE_RECORD, 6, 10).prev, 4);
}

static void a_mark_that_goes_down_takes_the_lane_back(void **state)
{
    struct bench b;
    (void)state;
    begin(&b);
    sync_mark(&b.sync, LANE_RECORD, 80, b.now);
    drain(&b);
    assert_int_equal(b.from[LANE_RECORD], 81);
    sync_mark(&b.sync, LANE_RECORD, 20, b.now);
    drain(&b);
    assert_int_equal(b.from[LANE_RECORD], 21);
    assert_int_equal(answer(&b, LANE_RECORD, 25, 10).prev, 20);
}

static void a_mark_beyond_what_was_sent_skips_it(void **state)
{
    struct bench b;
    (void)state;
    begin(&b);
    answer(&b, LANE_RECORD, 4, 10);
    sync_mark(&b.sync, LANE_RECORD, 90, b.now);
    drain(&b);
    assert_int_equal(b.from[LANE_RECORD], 91);
    assert_int_equal(answer(&b, LANE_RECORD, 95, 10).prev, 90);
}

static void a_city_that_begins_anew_gets_the_rest_again_at_once(void **state)
{
    struct bench b;
    (void)state;
    begin(&b);
    struct sync_batch batch = answer(&b, LANE_ALARM, 0, 10);
    sync_acked(&b.sync, SYNC_ALARM, batch.token, 0, b.now);
    drain(&b);
    sync_began(&b.sync, b.now);
    drain(&b);
    assert_int_equal(b.from[LANE_ALARM], 0);
    batch = answer(&b, LANE_ALARM, 0, 10);
    sync_began(&b.sync, b.now + SYNC_BEGAN_MS - 1); /* too soon to be believed */
    drain(&b);
    assert_int_equal(b.from[LANE_ALARM], 1);
}

static void a_puback_of_before_going_back_is_only_room(void **state)
{
    struct bench b;
    (void)state;
    begin(&b);
    struct sync_batch batch = answer(&b, LANE_RECORD, 0, 10);
    sync_began(&b.sync, b.now);
    drain(&b);
    assert_int_equal(b.sync.roads[SYNC_BULK].flying, 1);
    sync_acked(&b.sync, SYNC_BULK, batch.token, 0x87, b.now);
    assert_int_equal(b.sync.roads[SYNC_BULK].flying, 0);
    assert_int_equal(b.sync.lanes[LANE_RECORD].pause_until_ms, 0);
}

static void whatever_happens_everything_arrives_in_the_end(void **state)
{
    struct world *w = malloc(sizeof(*w));
    (void)state;
    for (unsigned schedule = 0; schedule < SCHEDULES; schedule++) {
        memset(w, 0, sizeof(*w));
        w->seed = 20261121u + schedule * 7919u;
        w->up[SYNC_ALARM] = w->up[SYNC_BULK] = true;
        for (int lane = 0; lane < LANES; lane++)
            w->mark[lane] = -1;
        begin(&w->bench);
        for (int i = 0; i < OPERATIONS; i++)
            operate(w, chance(w, 40));
        heal(w);
        assert_true(all_marked(w));
        for (int64_t seq = 0; seq < w->size; seq++)
            assert_true(w->has[seq]);
    }
    free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lane_is_fetched_behind_its_mark_once_that_is_known),
        cmocka_unit_test(nothing_is_fetched_while_the_link_is_down),
        cmocka_unit_test(a_batch_names_the_event_before_it),
        cmocka_unit_test(a_batch_on_its_way_is_known_by_its_token),
        cmocka_unit_test(alarms_have_a_link_of_their_own),
        cmocka_unit_test(more_events_than_a_batch_holds_are_asked_for_again),
        cmocka_unit_test(an_answer_without_events_moves_on),
        cmocka_unit_test(an_answer_that_crossed_its_cancel_is_ignored),
        cmocka_unit_test(an_answer_that_cannot_be_true_is_an_error),
        cmocka_unit_test(a_puback_is_no_progress),
        cmocka_unit_test(the_number_of_batches_without_receipt_is_bounded),
        cmocka_unit_test(without_a_receipt_a_lane_goes_back_ever_later),
        cmocka_unit_test(a_steady_flow_does_not_put_off_going_back),
        cmocka_unit_test(a_receipt_for_a_part_gives_the_rest_new_time),
        cmocka_unit_test(a_bulk_lane_without_receipts_sends_one_batch_at_a_time),
        cmocka_unit_test(what_is_still_on_its_way_is_not_sent_again),
        cmocka_unit_test(a_link_without_a_sign_of_life_is_reset),
        cmocka_unit_test(a_refused_batch_is_sent_again_after_a_pause),
        cmocka_unit_test(a_city_that_begins_often_still_ends_pauses),
        cmocka_unit_test(a_new_connection_goes_on_from_the_mark),
        cmocka_unit_test(a_mark_that_goes_down_takes_the_lane_back),
        cmocka_unit_test(a_mark_beyond_what_was_sent_skips_it),
        cmocka_unit_test(a_city_that_begins_anew_gets_the_rest_again_at_once),
        cmocka_unit_test(a_puback_of_before_going_back_is_only_room),
        cmocka_unit_test(whatever_happens_everything_arrives_in_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
