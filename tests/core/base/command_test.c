/* A program of several words. */
#include "base/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"

static int heard_count;
static char heard_name[80], heard_last[80];

static int hear(int argc, char **argv)
{
    heard_count = argc;
    strcpy(heard_name, argv[0]);
    strcpy(heard_last, argv[argc - 1]);
    return 7;
}

static const struct command COMMANDS[] = {
    {"check", NULL, "never run here"},
    {"hear", hear, "takes what comes"},
};

static int say(const char *first, const char *second)
{
    char *argv[] = {(char *)(uintptr_t) "x", (char *)(uintptr_t)first,
                    (char *)(uintptr_t)second, NULL};
    int argc = first == NULL ? 1 : second == NULL ? 2 : 3;
    return command_run("program", COMMANDS, countof(COMMANDS), argc, argv);
}

static void the_named_command_runs_under_both_words(void **state)
{
    (void)state;
    assert_int_equal(say("hear", "--loudly"), 7);
    assert_int_equal(heard_count, 2);
    assert_string_equal(heard_name, "program hear");
    assert_string_equal(heard_last, "--loudly");
}

static void help_and_version_are_answered_well(void **state)
{
    (void)state;
    assert_int_equal(say("--help", NULL), 0);
    assert_int_equal(say("help", NULL), 0);
    assert_int_equal(say("--version", NULL), 0);
}

static void no_word_or_an_unknown_one_is_wrong_usage(void **state)
{
    (void)state;
    assert_int_equal(say(NULL, NULL), 2);
    assert_int_equal(say("hea", NULL), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_named_command_runs_under_both_words),
        cmocka_unit_test(help_and_version_are_answered_well),
        cmocka_unit_test(no_word_or_an_unknown_one_is_wrong_usage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
