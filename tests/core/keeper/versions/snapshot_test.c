/* Folders as they were: taken whole, known by their content, removed when nobody needs them. */
#include "keeper/versions/snapshot.h"

#include <sys/stat.h>

#include "keeper/fixture.h"

static char folder[200];
static char shelf[256];
static char plugin[256];

static const char *path_of(const char *below)
{
    static char path[512];
    assert_int_equal(file_join(path, sizeof(path), folder, below), 0);
    return path;
}

static void write_text(const char *below, const char *text)
{
    fixture_write(folder, below, text);
}

static int start(void **state)
{
    (void)state;
    fixture_folder(folder, sizeof(folder));
    strcpy(shelf, path_of("versions"));
    strcpy(plugin, path_of("band"));
    write_text("band/plugin.lua", "return {}");
    write_text("band/profiles/a.lua", "return 1");
    return 0;
}

static int stop(void **state)
{
    (void)state;
    fixture_remove(folder);
    return 0;
}

static void take(char name[SNAPSHOT_NAME_ROOM])
{
    assert_int_equal(snapshot_take(name, shelf, plugin), 0);
    assert_int_equal(snapshot_check(shelf, name), 0);
}

static void expect_text(const char *name, const char *below, const char *text)
{
    struct buffer bytes = {0};
    char path[900];
    snprintf(path, sizeof(path), "%s/%s/%s", shelf, name, below);
    assert_int_equal(file_read(&bytes, path, 4096), 0);
    assert_string_equal(buffer_text(&bytes), text);
    buffer_free(&bytes);
}

static bool is_on_shelf(const char *name)
{
    char path[900];
    snprintf(path, sizeof(path), "%s/%s", shelf, name);
    return file_exists(path);
}

static void what_was_taken_stays_when_the_folder_changes(void **state)
{
    char first[SNAPSHOT_NAME_ROOM], second[SNAPSHOT_NAME_ROOM];
    (void)state;
    take(first);
    write_text("band/profiles/a.lua", "return 2");
    take(second);
    assert_string_not_equal(first, second);
    assert_string_equal(strchr(first, '/'), "/band");
    expect_text(first, "profiles/a.lua", "return 1");
    expect_text(second, "profiles/a.lua", "return 2");
    expect_text(second, "plugin.lua", "return {}");
}

static void the_name_is_what_sha256sum_says(void **state)
{
    char name[SNAPSHOT_NAME_ROOM], command[900], said[100] = "";
    (void)state;
    take(name);
    snprintf(command, sizeof(command),
             "cd %s && sha256sum plugin.lua profiles/a.lua | sha256sum", plugin);
    FILE *sum = popen(command, "r");
    assert_non_null(fgets(said, sizeof(said), sum));
    assert_int_equal(pclose(sum), 0);
    assert_memory_equal(name, said, SNAPSHOT_HASH_ROOM - 1);
}

static void only_what_a_host_can_load_counts(void **state)
{
    char first[SNAPSHOT_NAME_ROOM], second[SNAPSHOT_NAME_ROOM];
    (void)state;
    take(first);
    write_text("band/README.md", "words");
    write_text("band/test/plugin_test.lua", "return 3");
    write_text("band/.hidden.lua", "return 4");
    take(second);
    assert_string_equal(first, second);
    write_text("band/more.lua", "");
    take(second);
    assert_string_not_equal(first, second);
}

static void the_same_is_taken_once(void **state)
{
    char name[SNAPSHOT_NAME_ROOM], path[900];
    struct stat before, after;
    (void)state;
    take(name);
    snprintf(path, sizeof(path), "%s/%s/plugin.lua", shelf, name);
    assert_int_equal(stat(path, &before), 0);
    take(name);
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
}

static void one_that_was_damaged_is_taken_anew(void **state)
{
    char name[SNAPSHOT_NAME_ROOM], path[900];
    (void)state;
    take(name);
    snprintf(path, sizeof(path), "%s/%s/plugin.lua", shelf, name);
    assert_int_equal(file_put(path, "x", 1, 0600), 0);
    assert_int_equal(snapshot_check(shelf, name), -EBADMSG);
    take(name);
    expect_text(name, "plugin.lua", "return {}");
}

static bool keeps_first(void *owner, const char *hash)
{
    return strncmp(owner, hash, SNAPSHOT_HASH_ROOM - 1) == 0 &&
           strlen(hash) == SNAPSHOT_HASH_ROOM - 1;
}

static void what_nobody_needs_is_removed(void **state)
{
    char first[SNAPSHOT_NAME_ROOM], second[SNAPSHOT_NAME_ROOM];
    (void)state;
    take(first);
    write_text("band/plugin.lua", "return 2");
    take(second);
    write_text("versions/abc.new/band/plugin.lua", "half");
    snapshot_prune(shelf, keeps_first, first);
    assert_true(is_on_shelf(first));
    assert_false(is_on_shelf(second));
    assert_false(is_on_shelf("abc.new"));
    snapshot_prune("/no/such/shelf", keeps_first, first);
}

static void what_is_too_much_is_refused(void **state)
{
    char name[SNAPSHOT_NAME_ROOM], below[64];
    char *large = malloc(SNAPSHOT_BYTES_MAX + 1);
    (void)state;
    memset(large, 'x', SNAPSHOT_BYTES_MAX);
    large[SNAPSHOT_BYTES_MAX] = '\0';
    write_text("band/large.lua", large);
    assert_int_equal(snapshot_take(name, shelf, plugin), -EFBIG);
    unlink(path_of("band/large.lua"));
    write_text("band/1/2/3/4/5/deep.lua", "x");
    assert_int_equal(snapshot_take(name, shelf, plugin), -EFBIG);
    fixture_remove(path_of("band/1"));
    for (int i = 0; i <= SNAPSHOT_FILES_MAX; i++) {
        snprintf(below, sizeof(below), "band/m%d.lua", i);
        write_text(below, "x");
    }
    assert_int_equal(snapshot_take(name, shelf, plugin), -EFBIG);
    assert_false(file_exists(shelf));
    free(large);
}

static void a_folder_that_is_not_there_is_an_error(void **state)
{
    char name[SNAPSHOT_NAME_ROOM];
    (void)state;
    assert_int_equal(snapshot_take(name, shelf, "/no/such/folder"), -ENOENT);
    assert_true(snapshot_check(shelf, "0123/band") < 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_was_taken_stays_when_the_folder_changes),
        CASE(the_name_is_what_sha256sum_says),
        CASE(only_what_a_host_can_load_counts),
        CASE(the_same_is_taken_once),
        CASE(one_that_was_damaged_is_taken_anew),
        CASE(what_nobody_needs_is_removed),
        CASE(what_is_too_much_is_refused),
        CASE(a_folder_that_is_not_there_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
