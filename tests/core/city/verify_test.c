/* What the office erased before the city had it: the tree is made with the hashes in its place. */
#include "city/verify.h"

#include "city/audit.h"
#include "city/patch.h"
#include "city/prove.h"
#include "fixture.h"

/* Every tenth is a record, the others telemetry. */
static void fill(struct fixture *f, int64_t size)
{
    while (f->size < size)
        fixture_emit(f, f->size % 10 == 0 ? LANE_RECORD : LANE_TELEMETRY);
}

static struct cover telemetry_of(const struct fixture *f, int64_t n, unsigned from)
{
    struct cover cover = {{0}};
    for (unsigned i = from; i < COVER_WIDTH; i++)
        if (f->lane[n * COVER_WIDTH + i] == LANE_TELEMETRY)
            cover_put(&cover, i);
    return cover;
}

/* Sends the lane's events from `from` to below `until`; `prev` says that nothing lies between. */
static void send_range(struct fixture *f, int lane, int64_t from, int64_t until,
                       int64_t prev)
{
    struct buffer payload = {0};
    char topic[64];
    int64_t last = prev;
    for (int64_t seq = from; seq < until; seq++) {
        if (f->lane[seq] != lane)
            continue;
        buffer_printf(&payload, "%s%s", payload.length == 0 ? "[" : ",", f->bodies[seq]);
        last = seq;
    }
    buffer_append_text(&payload, "]");
    snprintf(topic, sizeof(topic), "outpost/v1/office-1/up/%s",
             talk_lane_name((enum talk_lane)lane));
    fixture_say(f, topic, buffer_text(&payload), "log1",
                talk_lane_name((enum talk_lane)lane), prev, last);
    buffer_free(&payload);
}

static void send_left(struct fixture *f, int lane, int64_t from, int64_t prev)
{
    send_range(f, lane, from, f->size, prev);
}

static int64_t audited(struct fixture *f, struct audit_report *report)
{
    int err = audit_database(report, f->store, f->offices, NULL);
    if (err)
        print_message("event %" PRId64 ": %s\n", report->seq, report->what);
    assert_int_equal(err, 0);
    assert_int_equal(fixture_findings(f), 0);
    return report->verified;
}

static void check_proof(struct fixture *f, int64_t seq)
{
    struct buffer proof = {0};
    assert_int_equal(prove_event(&proof, f->store, "office-1", "log1", seq), 0);
    buffer_free(&proof);
}

/* Tile 1's telemetry is erased by event 600; the city has none of it. */
static int open_thinned(void **state)
{
    fixture_open(state);
    struct fixture *f = *state;
    fixture_show_key(f, f->office_key);
    fill(f, 600);
    struct cover cover = telemetry_of(f, 1, 0);
    fixture_erase(f, 1, &cover, "telemetry");
    fill(f, 700);
    return 0;
}

static void erased_events_are_verified_by_the_hashes_in_their_place(void **state)
{
    struct fixture *f = *state;
    struct audit_report report;
    fixture_send(f, LANE_TELEMETRY, 0, 255);
    send_left(f, LANE_RECORD, 0, -1);
    send_left(f, LANE_TELEMETRY, 512, 255);
    fixture_send_checkpoint(f, NULL);
    fixture_commit(f);
    assert_int_equal(fixture_receipt(f).size, 700);
    assert_int_equal(audited(f, &report), 700 - 230);
    assert_int_equal(report.erased, 230);
    assert_int_equal(report.beneath, 0);
    check_proof(f, 0);
    check_proof(f, 260);
    check_proof(f, 510);
    check_proof(f, 699);
}

static void the_order_may_come_last(void **state)
{
    struct fixture *f = *state;
    struct audit_report report;
    fixture_send_checkpoint(f, NULL);
    fixture_send(f, LANE_TELEMETRY, 0, 255);
    send_left(f, LANE_TELEMETRY, 512, 255);
    fixture_send(f, LANE_RECORD, 0, 599);
    fixture_commit(f);
    assert_false(fixture_receipt(f).has_checkpoint);
    fixture_send(f, LANE_RECORD, 600, 699);
    fixture_commit(f);
    assert_int_equal(fixture_receipt(f).size, 700);
    assert_int_equal(audited(f, &report), 470);
}

static void a_body_that_came_counts(void **state)
{
    struct fixture *f = *state;
    struct audit_report report;
    fixture_send(f, LANE_TELEMETRY, 0, 699);
    fixture_send(f, LANE_RECORD, 0, 699);
    fixture_send_checkpoint(f, NULL);
    fixture_commit(f);
    assert_int_equal(fixture_receipt(f).size, 700);
    assert_int_equal(audited(f, &report), 700);
    assert_int_equal(report.erased, 0);
    check_proof(f, 300);
}

/* Of the run 481 to 489 the first four came: their tree was begun, then it must go back. */
static void a_few_that_came_stand_beneath_the_hash(void **state)
{
    struct fixture *f = *state;
    struct audit_report report;
    struct buffer proof = {0};
    fixture_send(f, LANE_TELEMETRY, 0, 485);
    fixture_send(f, LANE_RECORD, 0, 599);
    fixture_commit(f);
    fixture_send_checkpoint(f, NULL);
    fixture_commit(f); /* the tree waits at 486 */
    send_left(f, LANE_TELEMETRY, 512, 485);
    fixture_send(f, LANE_RECORD, 600, 699);
    fixture_commit(f);
    assert_int_equal(fixture_receipt(f).size, 700);
    int64_t verified = audited(f, &report);
    assert_int_equal(verified + report.erased + report.beneath, 700);
    assert_true(report.beneath > 0);
    assert_int_equal(verified + report.beneath, report.events);
    check_proof(f, 490);
    check_proof(f, 481);
    assert_int_equal(prove_event(&proof, f->store, "office-1", "log1", 484), -ENODATA);
    buffer_free(&proof);
}

/* Two orders for a tile: over the first the tree goes at once, and again when it has to go back. */
static void the_tree_goes_back_over_an_earlier_hash(void **state)
{
    fixture_close(state);
    fixture_open(state);
    struct fixture *f = *state;
    struct audit_report report;
    fixture_show_key(f, f->office_key);
    fill(f, 600);
    struct cover early = telemetry_of(f, 1, 0), late = telemetry_of(f, 1, 44);
    for (size_t i = 0; i < sizeof(early.bits); i++)
        early.bits[i] &= (uint8_t)~late.bits[i];
    fixture_erase(f, 1, &early, "telemetry");
    fixture_send(f, LANE_TELEMETRY, 0, 255);
    send_range(f, LANE_TELEMETRY, 300, 486, 255);
    fixture_send(f, LANE_RECORD, 0, 600);
    fixture_send_checkpoint(f, NULL);
    fixture_commit(f); /* the tree waits at 486 */
    fixture_erase(f, 1, &late, "telemetry");
    send_left(f, LANE_TELEMETRY, 512, 485);
    fixture_send(f, LANE_RECORD, 601, 601);
    fixture_commit(f);
    assert_int_equal(fixture_receipt(f).size, 601);
    audited(f, &report);
    assert_true(report.beneath > 0);
    assert_int_equal(report.events + report.erased, 602);
}

/* 260 of the events were signed, then the office erased what the city had not. */
static void a_checkpoint_within_what_is_erased_is_passed_over(void **state)
{
    fixture_close(state);
    fixture_open(state);
    struct fixture *f = *state;
    struct audit_report report;
    fixture_show_key(f, f->office_key);
    fill(f, 390);
    fixture_send_checkpoint(
        f, NULL); /* no such tree can be made: 381 to 389 will not come */
    fixture_commit(f);
    fill(f, 600);
    struct cover cover = {{0}};
    for (unsigned i = 0; i < COVER_WIDTH; i++)
        cover_put(&cover, i);
    fixture_erase(f, 1, &cover, "telemetry");
    fixture_send(f, LANE_TELEMETRY, 0, 255);
    fixture_send(f, LANE_RECORD, 0, 255);
    send_left(f, LANE_TELEMETRY, 512, 255);
    send_left(f, LANE_RECORD, 512, 250);
    fixture_commit(f);
    fixture_send_checkpoint(f, NULL);
    fixture_commit(f);
    assert_int_equal(fixture_receipt(f).size, 601);
    audited(f, &report);
    assert_int_equal(report.erased, 256);
    check_proof(f, 600);
}

static void verification_goes_on_after_a_restart_within_a_tile(void **state)
{
    struct fixture *f = *state;
    struct audit_report report;
    fixture_send(f, LANE_TELEMETRY, 0, 255);
    send_left(f, LANE_TELEMETRY, 512, 255);
    send_left(f, LANE_RECORD, 0, -1);
    fixture_send_checkpoint(f, NULL);
    fixture_commit(f);
    fixture_close_city(f);
    fixture_open_city(f);
    fill(f, 800);
    struct cover cover = telemetry_of(f, 2, 0);
    fixture_erase(f, 2, &cover, "telemetry");
    fixture_send(f, LANE_RECORD, 700, 800);
    fixture_send(f, LANE_TELEMETRY, 700, 799);
    fixture_send_checkpoint(f, NULL);
    fixture_commit(f);
    assert_int_equal(fixture_receipt(f).size, 801);
    audited(f, &report);
    assert_int_equal(report.erased, 230);
}

static void a_hash_that_is_not_the_trees_breaks_the_log(void **state)
{
    struct fixture *f = *state;
    char *body = f->bodies[300]; /* the order is made from another one */
    fixture_close(state);
    fixture_open(state);
    f = *state;
    (void)body;
    fixture_show_key(f, f->office_key);
    fill(f, 600);
    char *own = f->bodies[301];
    f->bodies[301] = f->bodies[302];
    struct cover cover = telemetry_of(f, 1, 0);
    fixture_erase(f, 1, &cover, "telemetry");
    f->bodies[301] = own;
    fixture_send(f, LANE_TELEMETRY, 0, 255);
    send_left(f, LANE_RECORD, 0, -1);
    send_left(f, LANE_TELEMETRY, 512, 255);
    fixture_send_checkpoint(f, NULL);
    fixture_commit(f);
    assert_int_equal(fixture_findings(f), 1);
    assert_false(fixture_receipt(f).has_checkpoint);
}

static void a_hash_that_contradicts_what_came_is_found_by_the_audit(void **state)
{
    struct fixture *f;
    struct audit_report report;
    fixture_close(state);
    fixture_open(state);
    f = *state;
    fixture_show_key(f, f->office_key);
    fill(f, 600);
    char *own = f->bodies[301];
    f->bodies[301] = f->bodies[302];
    struct cover cover = telemetry_of(f, 1, 0);
    int64_t order = fixture_erase(f, 1, &cover, "telemetry");
    f->bodies[301] = own;
    fixture_send(f, LANE_TELEMETRY, 0, 600);
    fixture_send(f, LANE_RECORD, 0, 600);
    fixture_send_checkpoint(f, NULL);
    fixture_commit(f);
    assert_int_equal(fixture_receipt(f).size, 601);
    assert_int_equal(audit_database(&report, f->store, f->offices, NULL), -EBADMSG);
    assert_int_equal(report.seq, order);
    assert_non_null(strstr(report.what, "not the tree's"));
}

static void an_alarm_erased_for_the_quota_is_a_finding(void **state)
{
    struct fixture *f = *state;
    struct cover cover = telemetry_of(f, 0, 0);
    int64_t order = fixture_erase(f, 0, &cover, "alarm");
    fixture_send(f, LANE_RECORD, order, order);
    fixture_commit(f);
    assert_int_equal(fixture_findings(f), 1);
}

static void an_order_that_cannot_be_read_is_a_finding_and_is_stored(void **state)
{
    struct fixture *f = *state;
    struct buffer body = {0};
    int64_t order = fixture_emit_own(f, LANE_RECORD, "journal.thinned",
                                     "\"reason\":\"quota\",\"tiles\":[{\"n\":-1}]");
    fixture_send(f, LANE_RECORD, order, order);
    fixture_commit(f);
    assert_int_equal(fixture_findings(f), 1);
    assert_int_equal(store_get_body(f->store, "office-1", "log1", order, &body), 0);
    buffer_free(&body);
}

static void what_seemed_missing_is_taken_back_when_it_was_erased(void **state)
{
    struct fixture *f = *state;
    fixture_emit(f, LANE_ALARM);
    fixture_send(f, LANE_ALARM, 700, 700);
    fixture_send(f, LANE_TELEMETRY, 0, 255);
    send_left(f, LANE_TELEMETRY, 512, 255);
    fixture_send(f, LANE_RECORD, 0, 599);
    fixture_send_checkpoint(f, NULL);
    fixture_commit(f);
    assert_int_equal(fixture_findings(f), 1); /* nothing yet says that 257 was erased */
    fixture_send(f, LANE_RECORD, 600, 699);
    fixture_commit(f);
    assert_int_equal(fixture_findings(f), 0);
    assert_int_equal(fixture_receipt(f).size, 701);
}

/* ---- Any history: erasures, deliveries and checkpoints in any order */

enum { RANDOM_EVENTS = 900, RANDOM_SEEDS = 40 };

static unsigned roll(uint64_t *seed, unsigned sides)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(*seed >> 33) % sides;
}

/* Erases up to all telemetry of a tile, in runs, but not what was erased before. */
static void erase_some(struct fixture *f, bool erased[FIXTURE_EVENTS], int64_t n,
                       uint64_t *seed)
{
    struct cover cover = {{0}};
    bool takes = false;
    for (unsigned i = 0; i < COVER_WIDTH; i++) {
        int64_t seq = n * COVER_WIDTH + i;
        takes = roll(seed, 40) == 0 ? !takes : takes;
        if (!takes || f->lane[seq] != LANE_TELEMETRY || erased[seq])
            continue;
        cover_put(&cover, i);
        erased[seq] = true;
    }
    if (cover_count(&cover) > 0)
        fixture_erase(f, n, &cover, "telemetry");
}

/* Sends a lane's events up to `until` in batches, as an office does: what is erased by now is
 * passed over; what went out before is at the city. */
static void send_random(struct fixture *f, const bool gone[FIXTURE_EVENTS], int lane,
                        int64_t *sent, int64_t until, uint64_t *seed)
{
    int64_t seq = *sent + 1, prev = *sent;
    char topic[64];
    snprintf(topic, sizeof(topic), "outpost/v1/office-1/up/%s",
             talk_lane_name((enum talk_lane)lane));
    while (seq < until) {
        struct buffer payload = {0};
        unsigned count = 1 + roll(seed, 90);
        int64_t last = prev;
        for (; seq < until && count > 0; seq++) {
            if (f->lane[seq] != lane || gone[seq])
                continue;
            buffer_printf(&payload, "%s%s", payload.length ? "," : "[", f->bodies[seq]);
            last = seq;
            count--;
        }
        buffer_append_text(&payload, "]");
        if (last > prev)
            fixture_say(f, topic, buffer_text(&payload), "log1",
                        talk_lane_name((enum talk_lane)lane), prev, last);
        prev = last;
        buffer_free(&payload);
    }
    *sent = prev;
}

static void live_a_while(struct fixture *f, uint64_t *seed)
{
    static bool erased[FIXTURE_EVENTS];
    int64_t sent[LANES] = {-1, -1, -1};
    memset(erased, 0, sizeof(erased));
    while (f->size < RANDOM_EVENTS) {
        for (unsigned i = roll(seed, 60); i > 0; i--)
            fixture_emit(f, roll(seed, 12) ? LANE_TELEMETRY : (int)roll(seed, LANES));
        if (f->size > COVER_WIDTH && roll(seed, 3) == 0)
            erase_some(f, erased, roll(seed, (unsigned)(f->size / COVER_WIDTH)), seed);
        int lane = (int)roll(seed, LANES);
        if (roll(seed, 2))
            send_random(f, erased, lane, &sent[lane], f->size, seed);
        if (roll(seed, 3) == 0)
            fixture_send_checkpoint(f, NULL);
        if (roll(seed, 3) == 0)
            fixture_commit(f);
    }
    for (int lane = 0; lane < LANES; lane++)
        send_random(f, erased, lane, &sent[lane], f->size, seed);
    fixture_send_checkpoint(f, NULL);
    fixture_commit(f);
}

static void any_history_of_erasures_verifies(void **state)
{
    for (uint64_t first = 1; first <= RANDOM_SEEDS; first++) {
        uint64_t seed = first;
        struct audit_report report;
        fixture_close(state);
        fixture_open(state);
        struct fixture *f = *state;
        fixture_show_key(f, f->office_key);
        live_a_while(f, &seed);
        struct receipt receipt = fixture_receipt(f);
        if (receipt.size != f->tree.size)
            print_message("seed %" PRIu64 "\n", first);
        assert_int_equal(receipt.size, f->tree.size);
        audited(f, &report);
        assert_int_equal(report.verified + report.beneath, report.events);
        assert_int_equal(report.events + report.erased, f->size);
        check_proof(f, f->size - 1);
    }
}

int main(void)
{
#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_thinned, fixture_close)
    const struct CMUnitTest tests[] = {
        TEST(erased_events_are_verified_by_the_hashes_in_their_place),
        TEST(the_order_may_come_last),
        TEST(a_body_that_came_counts),
        TEST(a_few_that_came_stand_beneath_the_hash),
        TEST(the_tree_goes_back_over_an_earlier_hash),
        TEST(a_checkpoint_within_what_is_erased_is_passed_over),
        TEST(verification_goes_on_after_a_restart_within_a_tile),
        TEST(a_hash_that_is_not_the_trees_breaks_the_log),
        TEST(a_hash_that_contradicts_what_came_is_found_by_the_audit),
        TEST(an_alarm_erased_for_the_quota_is_a_finding),
        TEST(an_order_that_cannot_be_read_is_a_finding_and_is_stored),
        TEST(what_seemed_missing_is_taken_back_when_it_was_erased),
        TEST(any_history_of_erasures_verifies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
