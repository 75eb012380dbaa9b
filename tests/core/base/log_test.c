/* A line of the log is one line, whatever stands in it. */
#include "base/log.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static int kept;
static int fds[2];
static char said[8192];

/* From here on standard error is read by the test. */
static int catch_errors(void **state)
{
    (void)state;
    memset(said, 0, sizeof(said));
    kept = dup(STDERR_FILENO);
    return pipe2(fds, O_NONBLOCK) || dup2(fds[1], STDERR_FILENO) < 0;
}

static int release_errors(void **state)
{
    (void)state;
    dup2(kept, STDERR_FILENO);
    close(kept);
    close(fds[0]);
    return close(fds[1]);
}

static size_t hear(void)
{
    ssize_t length = read(fds[0], said, sizeof(said) - 1);
    return length > 0 ? (size_t)length : 0;
}

static void a_line_says_when_how_bad_who_and_what(void **state)
{
    (void)state;
    log_open("tester");
    log_warn("city: %d messages wait", 214);
    size_t length = hear();
    assert_int_equal(said[4], '-');
    assert_string_equal(said + 26, "Z warn  tester: city: 214 messages wait\n");
    assert_int_equal(said[length - 1], '\n');
}

static void control_characters_cannot_make_lines(void **state)
{
    (void)state;
    log_open("tester");
    log_error("one\ntwo\x1b[31m\x7f");
    hear();
    assert_non_null(strstr(said, "one?two?[31m?\n"));
    assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
}

static void a_long_line_is_cut(void **state)
{
    (void)state;
    char text[4000];
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    log_open("tester");
    log_info("%s", text);
    size_t length = hear();
    assert_true(length <= 1024 && length > 1000);
    assert_int_equal(said[length - 1], '\n');
}

static void what_is_below_the_level_is_not_said(void **state)
{
    (void)state;
    log_open("tester");
    log_debug("quiet");
    assert_int_equal(hear(), 0);
    setenv("OUTPOST_LOG", "error", 1);
    log_open("tester");
    log_warn("quiet");
    assert_int_equal(hear(), 0);
    setenv("OUTPOST_LOG", "debug", 1);
    log_open("tester");
    log_debug("loud");
    assert_true(hear() > 0);
    unsetenv("OUTPOST_LOG");
}

#define caught(test) cmocka_unit_test_setup_teardown(test, catch_errors, release_errors)

int main(void)
{
    const struct CMUnitTest tests[] = {
        caught(a_line_says_when_how_bad_who_and_what),
        caught(control_characters_cannot_make_lines),
        caught(a_long_line_is_cut),
        caught(what_is_below_the_level_is_not_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
