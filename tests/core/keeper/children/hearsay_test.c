/* What a host says: its lines with its name and our time, nobody else's words, never more than it may. */
#include "keeper/children/hearsay.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/base.h"
#include "base/log.h"

enum { PIPE_BYTES = 1 << 20 };

static struct loop *loop;
static struct hearsay hearsay;
static int end, kept, fds[2];
static char said[PIPE_BYTES];

/* From here on standard error is read by the test. */
static int start(void **state)
{
    (void)state;
    memset(said, 0, sizeof(said));
    log_open("keeper");
    signal(SIGPIPE, SIG_IGN);
    kept = dup(STDERR_FILENO);
    if (pipe2(fds, O_NONBLOCK) != 0 || dup2(fds[1], STDERR_FILENO) < 0)
        return -1;
    fcntl(fds[1], F_SETPIPE_SZ, PIPE_BYTES);
    hearsay = (struct hearsay){.loop = NULL};
    return loop_open(&loop) || hearsay_begin(&hearsay, loop, "face", "gate", &end);
}

static int stop(void **state)
{
    (void)state;
    hearsay_end(&hearsay);
    loop_close(loop);
    close(end);
    dup2(kept, STDERR_FILENO);
    close(kept);
    close(fds[0]);
    return close(fds[1]);
}

static void put(const char *text)
{
    assert_int_equal(write(end, text, strlen(text)), strlen(text));
}

/* All that the log has now. */
static const char *log_now(void)
{
    size_t there = strlen(said);
    ssize_t length = read(fds[0], said + there, sizeof(said) - 1 - there);
    (void)length;
    return said;
}

/* Runs the loop until the log has that. */
static void expect(const char *text)
{
    for (int i = 0; i < 1000 && strstr(log_now(), text) == NULL; i++)
        loop_turn(loop);
    assert_non_null(strstr(said, text));
}

static void a_hosts_line_keeps_its_level_and_gets_our_time(void **state)
{
    (void)state;
    put("1970-01-01T00:00:00.000000Z error host: face gate: no answer\n");
    expect("Z error host: face gate: no answer\n");
    assert_null(strstr(said, "1970"));
}

static void a_line_without_its_name_gets_it(void **state)
{
    (void)state;
    put("2026-11-22T00:00:00.000000Z info  host: /dev/ttyUSB0 is there now\n");
    expect("Z info  host: face gate: /dev/ttyUSB0 is there now\n");
    put("2026-11-22T00:00:00.000000Z info  host: face gatehouse: started\n");
    expect("Z info  host: face gate: face gatehouse: started\n");
}

static void nobody_elses_words_can_be_put_into_the_log(void **state)
{
    static const char *const LINES[] = {
        "2026-11-22T00:00:00.000000Z warn  keeper: hall: died (exit 0)",
        "2026-11-22T00:00:00.000000Z fatal host: face gate: x",
        "2026-11-22T00:00:00.000000Z",
        " warn host: face gate: x",
        "Z",
        "2026-11-22T00:00:00.000000000000000Z warn  host: face gate: x",
    };
    (void)state;
    for (size_t i = 0; i < countof(LINES); i++) {
        char wanted[200];
        put(LINES[i]);
        put("\n");
        snprintf(wanted, sizeof(wanted), "Z warn  host: face gate: says: %s\n", LINES[i]);
        expect(wanted);
    }
}

static void while_nobody_reads_the_log_a_host_waits_and_the_keeper_does_not(void **state)
{
    static const char NOISE[4096] = "";
    int waits = 0;
    (void)state;
    while (write(fds[1], NOISE, sizeof(NOISE)) > 0)
        continue;
    put("host: face gate: late\n");
    loop_turn(loop);
    assert_int_equal(ioctl(hearsay.fd, FIONREAD, &waits), 0);
    assert_int_equal(waits, strlen("host: face gate: late\n"));
    while (read(fds[0], said, sizeof(said)) > 0)
        continue;
    memset(said, 0, sizeof(said));
    expect("face gate: says: host: face gate: late\n");
}

static void what_a_terminal_would_obey_is_not_said(void **state)
{
    (void)state;
    put("one\x1b[2J\xc2\x9b"
        "2J\xe2\x80\xae\xff\n");
    expect("says: one?[2J?2J??\n");
    assert_int_equal(write(end, "a\0b\n", 4), 4);
    expect("says: a?b\n");
}

static void a_line_that_is_too_long_is_cut_and_the_next_is_whole(void **state)
{
    char text[5000];
    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    put(text);
    put("\nnext\n");
    expect("says: next\n");
    assert_true(strchr(said, '\n') - said < 1100);
}

static void empty_lines_are_none(void **state)
{
    (void)state;
    put("\n\n\none\n");
    expect("says: one\n");
    assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
}

static int count_lines(void)
{
    int lines = 0;
    for (const char *at = log_now(); (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    return lines;
}

static void who_says_too_much_is_not_heard_for_a_while_and_that_is_told(void **state)
{
    (void)state;
    for (int i = 0; i < 3 * HEARSAY_BURST; i++)
        put("noise\n");
    for (int i = 0; i < 100 && !loop_timer_is_running(&hearsay.pause); i++)
        loop_turn(loop);
    assert_true(loop_timer_is_running(&hearsay.pause));
    assert_true(hearsay.dropped > 0);
    assert_in_range(count_lines(), HEARSAY_BURST, HEARSAY_BURST + 100);
    hearsay.tokens = 1; /* as after a while */
    put("after\n");
    expect("face gate: says more than 20 lines a second; ");
}

static void what_it_said_last_is_heard_when_it_has_ended(void **state)
{
    (void)state;
    put("one\ntwo\nand no end");
    hearsay_end(&hearsay);
    log_now();
    assert_non_null(strstr(said, "says: one\n"));
    assert_non_null(strstr(said, "says: two\n"));
    assert_non_null(strstr(said, "says: and no end\n"));
    hearsay_end(&hearsay); /* once more does nothing */
}

static void an_end_that_closes_leaves_nothing_that_is_ready_for_ever(void **state)
{
    (void)state;
    put("last\n");
    close(end);
    expect("says: last\n");
    for (int i = 0; i < 10 && loop_turn(loop); i++)
        ;
    assert_false(loop_turn(loop)); /* nothing is left to wait for */
    end = dup(STDERR_FILENO);
}

static void it_begins_anew_for_another_process(void **state)
{
    int first = end;
    (void)state;
    put("of the first");
    assert_int_equal(hearsay_begin(&hearsay, loop, "face", "hall", &end), 0);
    close(first);
    expect("face gate: says: of the first\n");
    put("of the second\n");
    expect("face hall: says: of the second\n");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_hosts_line_keeps_its_level_and_gets_our_time),
        CASE(a_line_without_its_name_gets_it),
        CASE(nobody_elses_words_can_be_put_into_the_log),
        CASE(while_nobody_reads_the_log_a_host_waits_and_the_keeper_does_not),
        CASE(what_a_terminal_would_obey_is_not_said),
        CASE(a_line_that_is_too_long_is_cut_and_the_next_is_whole),
        CASE(empty_lines_are_none),
        CASE(who_says_too_much_is_not_heard_for_a_while_and_that_is_told),
        CASE(what_it_said_last_is_heard_when_it_has_ended),
        CASE(an_end_that_closes_leaves_nothing_that_is_ready_for_ever),
        CASE(it_begins_anew_for_another_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
