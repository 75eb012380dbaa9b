/* SIGHUP starts `outpost reload` with what this keeper was started with; once more for one that comes
 * meanwhile. A script stands in for outpost. */
#include "keeper/versions/hangup.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/base.h"
#include "base/buffer.h"
#include "base/file.h"

static char folder[] = "/tmp/hangup-test-XXXXXX";
static char program[64], told[64];
static struct loop *loop;
static struct hangup hangup;

static int start(void **state)
{
    (void)state;
    strcpy(folder + sizeof(folder) - 7, "XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(program, sizeof(program), "%s/outpost", folder);
    snprintf(told, sizeof(told), "%s/told", folder);
    assert_int_equal(loop_open(&loop), 0);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    hangup_stop(&hangup);
    loop_close(loop);
    unlink(program);
    unlink(told);
    return rmdir(folder);
}

static void put_program(const char *end)
{
    char text[300];
    snprintf(text, sizeof(text), "#!/bin/sh\nsleep 0.1\necho \"$@\" >>%s\n%s\n", told,
             end);
    assert_int_equal(file_put(program, text, strlen(text), 0700), 0);
}

static void signal_and_run(int times)
{
    hangup_start(&hangup, loop, program, "/etc/o.lua", "/var/o");
    for (int i = 0; i < times; i++) {
        kill(getpid(), SIGHUP);
        while (!errand_is_running(&hangup.errand) || (i > 0 && !hangup.again))
            loop_turn(loop);
    }
    while (errand_is_running(&hangup.errand))
        loop_turn(loop);
}

static void expect_told(const char *text)
{
    struct buffer read = {0};
    assert_int_equal(file_read(&read, told, 10000), 0);
    assert_string_equal(buffer_text(&read), text);
    buffer_free(&read);
}

#define ONCE "reload --no-wait --config /etc/o.lua --state /var/o\n"

static void outpost_reload_is_run_with_what_the_keeper_was_started_with(void **state)
{
    (void)state;
    put_program("exit 0");
    signal_and_run(1);
    expect_told(ONCE);
}

static void more_that_come_meanwhile_are_one_more(void **state)
{
    (void)state;
    put_program("exit 0");
    signal_and_run(3);
    expect_told(ONCE ONCE);
}

static void one_that_fails_is_no_end(void **state)
{
    (void)state;
    put_program("exit 1");
    signal_and_run(1);
    unlink(program);
    kill(getpid(), SIGHUP);
    while (!errand_is_running(&hangup.errand))
        loop_turn(loop);
    while (errand_is_running(&hangup.errand))
        loop_turn(loop);
    expect_told(ONCE);
}

static void who_knows_no_configuration_survives_the_signal(void **state)
{
    (void)state;
    put_program("exit 0");
    hangup_start(&hangup, loop, program, NULL, "/var/o");
    kill(getpid(), SIGHUP);
    loop_turn(loop);
    assert_false(errand_is_running(&hangup.errand));
    assert_false(file_exists(told));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(outpost_reload_is_run_with_what_the_keeper_was_started_with),
        CASE(more_that_come_meanwhile_are_one_more),
        CASE(one_that_fails_is_no_end),
        CASE(who_knows_no_configuration_survives_the_signal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
