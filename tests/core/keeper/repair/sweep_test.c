/* What a keeper that was cut off has left goes; everything else stays. */
#include "keeper/repair/sweep.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/base.h"
#include "base/file.h"

enum { PATH_ROOM = 256 };

static char folder[] = "/tmp/sweep_test-XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static void path_of(char path[PATH_ROOM], const char *name)
{
    assert_int_equal(file_join(path, PATH_ROOM, folder, name), 0);
}

static void put_file(const char *name)
{
    char path[PATH_ROOM], above[PATH_ROOM];
    path_of(path, name);
    strcpy(above, path);
    *strrchr(above, '/') = '\0';
    assert_int_equal(file_make_folders(above), 0);
    assert_int_equal(file_put(path, "x", 1, 0600), 0);
}

static bool is_there(const char *name)
{
    char path[PATH_ROOM];
    path_of(path, name);
    return file_exists(path);
}

static void remove_file(const char *name)
{
    char path[PATH_ROOM];
    path_of(path, name);
    unlink(path);
    *strrchr(path, '/') = '\0';
    while (strcmp(path, folder) != 0 && (rmdir(path) == 0 || errno == ENOENT))
        *strrchr(path, '/') = '\0';
}

/* Puts the files, sweeps at `size`, and expects the first `stay` to be there, the rest not. */
static void check(uint64_t size, const char *const *names, size_t count, size_t stay)
{
    for (size_t i = 0; i < count; i++)
        put_file(names[i]);
    sweep_journal(folder, size);
    for (size_t i = 0; i < count; i++) {
        if (is_there(names[i]) != (i < stay))
            print_message("%s\n", names[i]);
        assert_int_equal(is_there(names[i]), i < stay);
    }
    for (size_t i = 0; i < count; i++)
        remove_file(names[i]);
}

static void only_the_newest_checkpoints_partial_tiles_stay(void **state)
{
    (void)state;
    static const char *const NAMES[] = {
        "tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1", "tile/0/273",
        "tile/0/272",       "tile/1/000",      "tile/0/273.p/9", "tile/0/003.p/112",
        "tile/0/274.p/1",   "tile/1/000.p/9",  "tile/2/001.p/1", "tile/3/000.p/1",
    };
    check(70000, NAMES, countof(NAMES), 6);
}

static void files_half_written_go(void **state)
{
    (void)state;
    static const char *const NAMES[] = {
        "tail.db",
        "checkpoint",
        "notes.new",
        "tile/entries/003",
        "tile/0/003",
        "checkpoint.123.new",
        "receipt.4711.new",
        "tile/entries/003.9.new",
        "tile/0/003.12.new",
        "tile/0/003.p/5.12.new",
        "tile/1/000.p/3.1.new",
    };
    check(1000, NAMES, countof(NAMES), 5);
}

static void without_a_checkpoint_no_partial_tile_stays(void **state)
{
    (void)state;
    static const char *const NAMES[] = {"tile/0/000", "tile/0/001.p/4", "tile/1/000.p/1"};
    check(0, NAMES, countof(NAMES), 1);
}

static void the_folders_before_and_behind_are_swept_too(void **state)
{
    (void)state;
    static const char *const NAMES[] = {
        "tile/0/x002/000",       "tile/0/x002/000.p/5",   "tile/0/x002/001.p/5",
        "tile/0/x001/999.p/200", "tile/0/x001/998.8.new", "tile/0/x003/000.p/1",
    };
    check(2000 * 256 + 5, NAMES, countof(NAMES), 2);
}

static void a_folder_that_is_not_there_is_swept(void **state)
{
    (void)state;
    sweep_journal("/nonexistent", 300);
    sweep_journal(folder, UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_newest_checkpoints_partial_tiles_stay),
        cmocka_unit_test(files_half_written_go),
        cmocka_unit_test(without_a_checkpoint_no_partial_tile_stays),
        cmocka_unit_test(the_folders_before_and_behind_are_swept_too),
        cmocka_unit_test(a_folder_that_is_not_there_is_swept),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
