/* What rings hold goes to processes of their own, one after the other: scripts stand for the host. */
#include "keeper/captures/freezer.h"

#include <errno.h>
#include <signal.h>

#include "keeper/house.h"
#include "keeper/scripts.h"
#include "wire/ring.h"

static struct house house;
static struct freezer freezer;
static struct reel reel;
static char libexec[300], told[320];

static int start(void **state)
{
    (void)state;
    house_open(&house);
    strcpy(libexec, fixture_path(&house.fixture, "libexec"));
    snprintf(told, sizeof(told), "%s/told", libexec);
    assert_int_equal(file_make_folders(libexec), 0);
    freezer_open(&freezer, house.loop, &house.children, libexec);
    reel_open(&reel, &freezer, "band", "gate");
    reel_renew(&reel);
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

static void put(const char *bytes)
{
    struct ring *ring;
    assert_int_equal(ring_open(&ring, reel.ring), 0);
    ring_put(ring, ring_name(ring, "tcp://a"), RING_IN, 1, bytes, strlen(bytes));
    ring_close(ring);
}

/* Says what it was called, and whether there is a ring at its descriptor 4. */
static void put_script(const char *and_then)
{
    char text[600];
    snprintf(text, sizeof(text), "echo \"$1 $2 $(head -c 4 <&4)\" >>%s\n%s", told,
             and_then);
    scripts_put(libexec, "host", true, text);
}

static void run_until_idle(void)
{
    for (int i = 0; i < ENDS_TURNS && (freezer.is_out || freezer.count > 0); i++)
        ends_run(house.loop, -1, 10);
    assert_false(freezer.is_out);
    assert_int_equal(freezer.count, 0);
}

static void expect_told(const char *text)
{
    struct buffer out = {0};
    if (file_exists(told))
        assert_int_equal(file_read(&out, told, 4096), 0);
    assert_string_equal(buffer_text(&out), text);
    buffer_free(&out);
}

static void what_a_ring_holds_goes_to_a_process_of_its_own(void **state)
{
    (void)state;
    put_script("exit 0");
    put("bytes");
    assert_int_equal(freezer_add(&freezer, &reel, "alarm", NULL), 0);
    expect_told(""); /* from the loop only */
    run_until_idle();
    expect_told("freeze gate ring\n");
}

static void its_start_says_whose_it_is_and_why(void **state)
{
    (void)state;
    put_script("exit 0");
    reel.suppressed = 3;
    assert_int_equal(freezer_add(&freezer, &reel, "asked", "wang \"x\""), 0);
    assert_string_equal(buffer_text(&freezer.orders[0].start),
                        "{\"instance\":\"gate\",\"plugin\":\"band\",\"reason\":\"asked\","
                        "\"suppressed\":3,\"who\":\"wang \\\"x\\\"\"}");
    run_until_idle();
}

static void it_may_commit_its_event_and_no_other(void **state)
{
    (void)state;
    put_script("sleep 5");
    freezer_add(&freezer, &reel, "alarm", NULL);
    ends_run(house.loop, -1, 50);
    assert_int_equal(freezer.peer.plugin->event_count, 1);
    assert_string_equal(freezer.peer.plugin->events[0].type, "capture.recorded");
    assert_int_equal(freezer.peer.role, PEER_FREEZER);
}

/* Each keeps the ring that there was. */
static void those_that_wait_go_one_after_the_other(void **state)
{
    (void)state;
    put_script("exit 0");
    for (int i = 0; i < FREEZER_MAX; i++) {
        assert_int_equal(freezer_add(&freezer, &reel, "error", NULL), 0);
        reel_renew(&reel);
    }
    assert_int_equal(freezer_add(&freezer, &reel, "error", NULL), -EBUSY);
    run_until_idle();
    struct buffer out = {0};
    assert_int_equal(file_read(&out, told, 4096), 0);
    assert_int_equal(out.length, FREEZER_MAX * strlen("freeze gate ring\n"));
    buffer_free(&out);
}

static void one_that_hangs_is_killed_and_the_next_goes(void **state)
{
    (void)state;
    put_script("exec sleep 100");
    freezer_add(&freezer, &reel, "alarm", NULL);
    for (int i = 0; i < ENDS_TURNS && !file_exists(told); i++)
        ends_run(house.loop, -1, 10);
    assert_true(loop_timer_is_running(&freezer.deadline));
    put_script("exit 1");
    reel_renew(&reel); /* what has read of one goes on where the last did */
    freezer_add(&freezer, &reel, "alarm", NULL);
    loop_timer_start(house.loop, &freezer.deadline, 10);
    run_until_idle();
    expect_told("freeze gate ring\nfreeze gate ring\n");
}

static void closing_leaves_nobody_behind(void **state)
{
    (void)state;
    put_script("exec sleep 100");
    freezer_add(&freezer, &reel, "alarm", NULL);
    freezer_add(&freezer, &reel, "alarm", NULL);
    for (int i = 0; i < ENDS_TURNS && freezer.pid == 0; i++)
        ends_run(house.loop, -1, 10);
    pid_t pid = freezer.pid;
    assert_true(pid > 0);
    freezer_close(&freezer);
    assert_int_equal(kill(pid, 0), -1);
    freezer_close(&freezer);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_a_ring_holds_goes_to_a_process_of_its_own),
        CASE(its_start_says_whose_it_is_and_why),
        CASE(it_may_commit_its_event_and_no_other),
        CASE(those_that_wait_go_one_after_the_other),
        CASE(one_that_hangs_is_killed_and_the_next_goes),
        CASE(closing_leaves_nobody_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
