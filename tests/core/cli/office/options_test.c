/* What stands behind a command: values in their places, and what is said of anything else. */
#include "cli/office/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"

enum { WORDS_MOST = 8 };

static const char *state, *reason;
static bool json;

static const struct option_place PLACES[] = {
    {"state", .text = &state}, {"reason", .text = &reason}, {"json", .flag = &json}};

typedef int reader(const struct option_place *places, size_t count, const char *usage,
                   int argc, char **argv);

/* `line`: words with one space between them. */
static int read_line(reader *read, const char *line)
{
    static char text[128];
    static char *argv[WORDS_MOST + 1];
    char *rest = strcpy(text, line);
    int argc = 0;
    state = "default", reason = NULL, json = false, optind = 0;
    while (argc < WORDS_MOST && (argv[argc] = strsep(&rest, " ")) != NULL)
        argc++;
    return read(PLACES, countof(PLACES), "", argc, argv);
}

static void each_value_is_put_in_its_place(void **unused)
{
    (void)unused;
    assert_int_equal(read_line(options_read, "c --state a --json --reason=b"), 0);
    assert_string_equal(state, "a");
    assert_string_equal(reason, "b");
    assert_true(json);
}

static void what_is_not_said_stays_as_it_was(void **unused)
{
    (void)unused;
    assert_int_equal(read_line(options_read, "c"), 0);
    assert_string_equal(state, "default");
    assert_null(reason);
    assert_false(json);
}

static void words_are_left_for_the_command(void **unused)
{
    (void)unused;
    assert_int_equal(read_line(options_read, "c one --json two"), 0);
    assert_int_equal(optind, 2);
    assert_true(json);
    assert_int_equal(read_line(options_alone, "c --json"), 0);
    assert_int_equal(read_line(options_alone, "c --json one"), 3);
}

static void help_ends_well_and_what_is_not_known_does_not(void **unused)
{
    (void)unused;
    assert_int_equal(read_line(options_read, "c --help"), 1);
    assert_int_equal(read_line(options_alone, "c --help"), 1);
    assert_int_equal(read_line(options_read, "c --nothing"), 3);
    assert_int_equal(read_line(options_read, "c -j"), 3);
    assert_int_equal(read_line(options_read, "c --state"), 3);
    assert_int_equal(read_line(options_read, "c --json=yes"), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_value_is_put_in_its_place),
        cmocka_unit_test(what_is_not_said_stays_as_it_was),
        cmocka_unit_test(words_are_left_for_the_command),
        cmocka_unit_test(help_ends_well_and_what_is_not_known_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
