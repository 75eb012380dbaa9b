/* The folder of an export until it is whole: whose it is, and what becomes of it. */
#include "cli/export/halfway.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"

enum { ROOM = 128 };

static char home[] = "/tmp/halfway_test-XXXXXX";
static char folder[ROOM];

static int make_home(void **state)
{
    (void)state;
    if (mkdtemp(home) == NULL)
        return -1;
    return snprintf(folder, sizeof(folder), "%s/export", home) < 0;
}

static int remove_home(void **state)
{
    char command[ROOM];
    (void)state;
    snprintf(command, sizeof(command), "rm -rf %s", home);
    return system(command);
}

static int clear(void **state)
{
    char command[ROOM];
    (void)state;
    snprintf(command, sizeof(command), "rm -rf %s/*", home);
    return system(command);
}

static char *path_of(const char *name)
{
    static char path[2 * ROOM];
    snprintf(path, sizeof(path), "%s/%s", home, name);
    return path;
}

static void put(const char *name)
{
    assert_int_equal(file_put(path_of(name), "x", 1, 0640), 0);
}

static void leave_what_a_killed_one_leaves(void)
{
    assert_int_equal(mkdir(path_of("export.part"), 0750), 0);
    assert_int_equal(mkdir(path_of("export.part/file"), 0750), 0);
    assert_int_equal(mkdir(path_of("export.part/events"), 0750), 0);
    put("export.part/file/part");
    put("export.part/events/7.json");
    put("export.part/index.html.4711.new");
    put("export.part/SHA256SUMS");
}

static void what_is_whole_has_its_name(void **state)
{
    struct halfway halfway;
    (void)state;
    assert_int_equal(halfway_open(&halfway, folder), 0);
    assert_string_equal(halfway.path, path_of("export.part"));
    put("export.part/index.html");
    assert_int_equal(halfway_finish(&halfway, folder), 0);
    halfway_close(&halfway);
    assert_true(file_exists(path_of("export/index.html")));
    assert_false(file_exists(path_of("export.part")));
    assert_int_equal(halfway_open(&halfway, folder), -ECANCELED); /* it is there */
}

static void what_is_not_whole_goes(void **state)
{
    struct halfway halfway;
    (void)state;
    assert_int_equal(halfway_open(&halfway, folder), 0);
    put("export.part/index.html");
    halfway_close(&halfway);
    assert_false(file_exists(path_of("export.part")));
}

static void what_a_killed_export_has_left_goes_with_the_next(void **state)
{
    struct halfway halfway;
    (void)state;
    leave_what_a_killed_one_leaves();
    assert_int_equal(halfway_open(&halfway, folder), 0);
    assert_false(file_exists(path_of("export.part/file")));
    assert_false(file_exists(path_of("export.part/events")));
    assert_false(file_exists(path_of("export.part/SHA256SUMS")));
    assert_int_equal(halfway_finish(&halfway, folder), 0);
}

static void what_is_somebody_elses_stays(void **state)
{
    struct halfway halfway;
    (void)state;
    leave_what_a_killed_one_leaves();
    put("export.part/notes.txt");
    assert_int_equal(halfway_open(&halfway, folder), -ECANCELED);
    halfway_close(&halfway);
    assert_true(file_exists(path_of("export.part/notes.txt")));
    assert_true(file_exists(path_of("export.part/file/part")));
}

static void a_name_that_leads_elsewhere_is_not_followed(void **state)
{
    struct halfway halfway;
    (void)state;
    assert_int_equal(mkdir(path_of("elsewhere"), 0750), 0);
    put("elsewhere/SHA256SUMS");
    assert_int_equal(symlink("elsewhere", path_of("export.part")), 0);
    assert_int_equal(halfway_open(&halfway, folder), -ECANCELED);
    assert_true(file_exists(path_of("elsewhere/SHA256SUMS")));
}

static void one_that_is_being_made_is_not_touched(void **state)
{
    struct halfway one, two;
    (void)state;
    assert_int_equal(halfway_open(&one, folder), 0);
    put("export.part/SHA256SUMS");
    assert_int_equal(halfway_open(&two, folder), -ECANCELED);
    halfway_close(&two);
    assert_true(file_exists(path_of("export.part/SHA256SUMS")));
    halfway_close(&one);
    assert_int_equal(halfway_open(&two, folder), 0);
    halfway_close(&two);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, clear)
    const struct CMUnitTest tests[] = {
        TEST(what_is_whole_has_its_name),
        TEST(what_is_not_whole_goes),
        TEST(what_a_killed_export_has_left_goes_with_the_next),
        TEST(what_is_somebody_elses_stays),
        TEST(a_name_that_leads_elsewhere_is_not_followed),
        TEST(one_that_is_being_made_is_not_touched),
    };
    return cmocka_run_group_tests(tests, make_home, remove_home);
}
