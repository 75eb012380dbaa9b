/* A version is loaded beside what runs: scripts stand for the host. */
#include "keeper/versions/canary.h"

#include <signal.h>

#include "keeper/house.h"
#include "keeper/scripts.h"

static struct house house;
static struct canary canary;
static struct version *version;
static char libexec[300];
static int over, last_err;
static char last_why[CANARY_WHY_MAX + 1];

static int start(void **state)
{
    (void)state;
    house_open(&house);
    strcpy(libexec, fixture_path(&house.fixture, "libexec"));
    assert_int_equal(file_make_folders(libexec), 0);
    assert_int_equal(
        version_open(&version, &house.config->plugins[0], "o", "/band", "/lua", "/state"),
        0);
    canary_open(&canary, house.loop, &house.children, libexec);
    over = 0;
    return 0;
}

static int stop(void **state)
{
    (void)state;
    canary_close(&canary);
    version_drop(version);
    house_close(&house);
    return 0;
}

static void is_over(void *owner, int err, const char *why)
{
    assert_ptr_equal(owner, &house);
    last_err = err;
    snprintf(last_why, sizeof(last_why), "%s", why);
    over++;
}

static void send_out(const char *script)
{
    scripts_put(libexec, "host", true, script);
    assert_int_equal(canary_start(&canary, version, is_over, &house), 0);
    assert_true(canary_is_out(&canary));
}

static void run_until_over(int err, const char *why)
{
    for (int i = 0; i < ENDS_TURNS && over == 0; i++)
        ends_run(house.loop, -1, 10);
    assert_int_equal(over, 1);
    assert_int_equal(last_err, err);
    assert_non_null(strstr(last_why, why));
    assert_false(canary_is_out(&canary));
    assert_int_equal(version->holders, 1);
    over = 0;
}

static void one_that_can_be_loaded_ends_well(void **state)
{
    (void)state;
    send_out("[ \"$1 $2\" = 'trial gate' ] && exit 0; exit 1");
    run_until_over(0, "");
    send_out("exec 3>&-; sleep 0.1; exit 0"); /* its line ends before it does */
    run_until_over(0, "");
}

static void one_that_cannot_says_why(void **state)
{
    (void)state;
    /* HEALTH of {"cannot_start":"no such module"} */
    send_out("printf 'O\\001\\016\\000\\000\\000\\000\\000"
             "\\027\\041\\000\\000{\"cannot_start\":\"no such module\"}' >&3; sleep 0.2; "
             "exit 1");
    run_until_over(-ECHILD, "no such module");
}

static void one_that_crashes_is_told_by_its_end(void **state)
{
    (void)state;
    send_out("ulimit -c 0; kill -SEGV $$");
    run_until_over(-ECHILD, "signal 11");
    send_out("exit 7");
    run_until_over(-ECHILD, "with 7");
}

static void one_that_takes_too_long_is_killed(void **state)
{
    (void)state;
    send_out("exec sleep 100");
    assert_true(loop_timer_is_running(&canary.deadline));
    loop_timer_start(house.loop, &canary.deadline, 20);
    run_until_over(-ECHILD, "within 10 s");
}

static void one_whose_line_ends_is_not_waited_for_long(void **state)
{
    (void)state;
    send_out("exec 3>&-; exec sleep 100");
    run_until_over(-ECHILD, "");
}

static void closing_leaves_nobody_behind(void **state)
{
    (void)state;
    send_out("exec sleep 100");
    pid_t pid = canary.pid;
    canary_close(&canary);
    assert_int_equal(kill(pid, 0), -1);
    assert_int_equal(version->holders, 1);
    ends_run(house.loop, -1, 20);
    assert_int_equal(over, 0);
    canary_close(&canary);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(one_that_can_be_loaded_ends_well),
        CASE(one_that_cannot_says_why),
        CASE(one_that_crashes_is_told_by_its_end),
        CASE(one_that_takes_too_long_is_killed),
        CASE(one_whose_line_ends_is_not_waited_for_long),
        CASE(closing_leaves_nobody_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
