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

/* journald shows what is no UTF-8 as "blob data" only; a terminal obeys U+009B as it does ESC [. */
static void a_line_is_text_that_no_terminal_obeys(void **state)
{
    (void)state;
    log_open("tester");
    log_info("%s", "\xe5\x8f\xb8\xe6\xb3\x95 \xff\xc3 \xc2\x9b"
                   "2J \xe2\x80\xae\xe2\x80\xa8\xe2\x81\xa6 \xf0\x9f\x98\x80 \xc2\xa0");
    hear();
    assert_non_null(strstr(said, ": \xe5\x8f\xb8\xe6\xb3\x95 ?? ?2J ??? \xf0\x9f\x98\x80 "
                                 "\xc2\xa0\n"));
}

static void a_long_line_is_cut_between_letters(void **state)
{
    char text[2000];
    (void)state;
    for (int shift = 0; shift < 3; shift++) {
        memset(text, 'x', (size_t)shift);
        for (size_t i = (size_t)shift; i + 3 < sizeof(text); i += 3)
            memcpy(text + i, "\xe6\xb3\x95", 4);
        log_open("tester");
        log_info("%s", text);
        size_t length = hear();
        assert_true(length > 1015);
        assert_int_equal(said[length - 1], '\n');
        assert_memory_equal(said + length - 4, "\xe6\xb3\x95", 3);
        assert_null(strchr(said, '?'));
        memset(said, 0, sizeof(said));
    }
}

static void another_programs_line_has_its_name_and_level(void **state)
{
    (void)state;
    log_open("tester");
    log_for("host", "error", "gate: %d", 7);
    hear();
    assert_string_equal(said + 26, "Z error host: gate: 7\n");
    assert_string_equal(log_level("warn  host"), "warn");
    assert_null(log_level("fatal host"));
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
        caught(a_line_is_text_that_no_terminal_obeys),
        caught(a_long_line_is_cut_between_letters),
        caught(another_programs_line_has_its_name_and_level),
        caught(what_is_below_the_level_is_not_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
