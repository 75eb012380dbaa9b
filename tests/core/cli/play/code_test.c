/* Lua of a folder as one hash. */
#include "cli/play/code.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "base/file.h"

static char folder[64];

static int set_up(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/outpost-code-XXXXXX");
    assert_non_null(mkdtemp(folder));
    return 0;
}

static int tear_down(void **state)
{
    char command[100];
    (void)state;
    snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command);
}

static void put(const char *name, const char *text)
{
    char path[200];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    assert_int_equal(file_put(path, text, strlen(text), 0600), 0);
}

static void make(const char *name)
{
    char path[200];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    assert_int_equal(mkdir(path, 0700), 0);
}

static struct digest hash(void)
{
    struct digest digest;
    assert_int_equal(code_hash(&digest, folder), 0);
    return digest;
}

static void only_code_that_a_host_loads_counts(void **state)
{
    (void)state;
    put("plugin.lua", "return 1");
    make("bands");
    put("bands/one.lua", "return 1");
    struct digest before = hash(), after;
    put("README.md", "text");
    put(".hidden.lua", "return 1");
    make("test");
    put("test/plugin_test.lua", "return 1");
    after = hash();
    assert_true(digest_equal(&before, &after));
    put("bands/one.lua", "return 2");
    after = hash();
    assert_false(digest_equal(&before, &after));
}

static void a_name_counts_too(void **state)
{
    char from[200], to[200];
    (void)state;
    put("a.lua", "return 1");
    struct digest before = hash();
    snprintf(from, sizeof(from), "%s/a.lua", folder);
    snprintf(to, sizeof(to), "%s/b.lua", folder);
    assert_int_equal(rename(from, to), 0);
    struct digest after = hash();
    assert_false(digest_equal(&before, &after));
}

static void there_is_an_end_to_it(void **state)
{
    struct digest digest;
    char name[100];
    (void)state;
    for (int i = 0; i <= 256; i++) {
        snprintf(name, sizeof(name), "m%d.lua", i);
        put(name, "");
    }
    assert_int_equal(code_hash(&digest, folder), -EFBIG);
    assert_int_equal(code_hash(&digest, "/nothing/there"), -ENOENT);
}

static void and_to_how_deep_it_goes(void **state)
{
    struct digest digest;
    (void)state;
    make("a");
    make("a/b");
    make("a/b/c");
    make("a/b/c/d");
    assert_int_equal(code_hash(&digest, folder), 0);
    make("a/b/c/d/e");
    assert_int_equal(code_hash(&digest, folder), -EFBIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_code_that_a_host_loads_counts, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_name_counts_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(there_is_an_end_to_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(and_to_how_deep_it_goes, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
