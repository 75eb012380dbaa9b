/* When what a ring holds is kept, and when it is only counted. */
#include "keeper/captures/reel.h"

#include <errno.h>

#include "keeper/captures/freezer.h"
#include "keeper/house.h"
#include "wire/ring.h"

static struct house house;
static struct freezer freezer;
static struct reel reel;

static int start(void **state)
{
    (void)state;
    house_open(&house);
    freezer_open(&freezer, house.loop, &house.children, "/nowhere");
    reel_open(&reel, &freezer, "band", "gate");
    return 0;
}

static int stop(void **state)
{
    (void)state;
    reel_close(&reel);
    freezer_close(&freezer);
    house_close(&house);
    return 0;
}

static void put(void)
{
    struct ring *ring;
    assert_int_equal(ring_open(&ring, reel.ring), 0);
    ring_put(ring, ring_name(ring, "tcp://a"), RING_IN, 1, "x", 1);
    ring_close(ring);
}

static void nothing_is_kept_of_nothing(void **state)
{
    struct reel closed = {0};
    (void)state;
    assert_int_equal(reel_freeze(&closed, "alarm", NULL), -ENODATA);
    reel_renew(&closed);
    reel_close(&closed);
    assert_int_equal(reel_freeze(&reel, "alarm", NULL), -ENODATA); /* no process yet */
    reel_renew(&reel);
    assert_int_equal(reel_freeze(&reel, "alarm", NULL), -ENODATA);
    assert_int_equal(reel.suppressed, 0);
    assert_int_equal(freezer.count, 0);
}

static void one_is_kept_a_minute_and_the_others_are_counted(void **state)
{
    (void)state;
    reel_renew(&reel);
    put();
    assert_int_equal(reel_freeze(&reel, "alarm", NULL), 0);
    assert_int_equal(reel_freeze(&reel, "error", NULL), -EAGAIN);
    assert_int_equal(reel_freeze(&reel, "error", NULL), -EAGAIN);
    reel.frozen_us -= (REEL_PAUSE_MS - 1000) * 1000LL;
    assert_int_equal(reel_freeze(&reel, "error", NULL), -EAGAIN);
    reel.frozen_us -= 1000 * 1000LL;
    assert_int_equal(reel_freeze(&reel, "alarm", NULL), 0);
    assert_int_equal(freezer.count, 2);
    assert_non_null(strstr(buffer_text(&freezer.orders[1].start), "\"suppressed\":3"));
    assert_int_equal(reel.suppressed, 0);
}

static void a_new_process_has_an_empty_ring_and_the_old_one_is_kept(void **state)
{
    (void)state;
    reel_renew(&reel);
    put();
    assert_int_equal(reel_freeze(&reel, "crash", NULL), 0);
    reel_renew(&reel);
    assert_true(ring_is_empty(reel.ring));
    assert_false(ring_is_empty(freezer.orders[0].ring));
}

static void what_finds_no_place_is_counted(void **state)
{
    (void)state;
    reel_renew(&reel);
    put();
    for (int i = 0; i < FREEZER_MAX; i++)
        assert_int_equal(freezer_add(&freezer, &reel, "alarm", NULL), 0);
    assert_int_equal(reel_freeze(&reel, "alarm", NULL), -EBUSY);
    assert_int_equal(reel.suppressed, 1);
}

/* Also within the minute: somebody waits for it. */
static void what_was_asked_for_is_kept_when_its_time_is_over(void **state)
{
    (void)state;
    reel_renew(&reel);
    put();
    assert_int_equal(reel_freeze(&reel, "alarm", NULL), 0);
    reel_freeze_after(&reel, 20, "wang");
    freezer.is_out = true; /* so that nobody begins */
    ends_run(house.loop, -1, 100);
    freezer.is_out = false;
    assert_int_equal(freezer.count, 2);
    assert_non_null(strstr(buffer_text(&freezer.orders[1].start),
                           "\"reason\":\"asked\",\"suppressed\":0,\"who\":\"wang\""));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(nothing_is_kept_of_nothing),
        CASE(one_is_kept_a_minute_and_the_others_are_counted),
        CASE(a_new_process_has_an_empty_ring_and_the_old_one_is_kept),
        CASE(what_finds_no_place_is_counted),
        CASE(what_was_asked_for_is_kept_when_its_time_is_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
