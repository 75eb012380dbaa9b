/* Which files belong into a journal folder. */
#include "cli/journal/inventory.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/base.h"
#include "base/file.h"

enum { SIZE = 70000, PATH_ROOM = 256 };

static char folder[] = "/tmp/inventory_test-XXXXXX";

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

static void cut_name(char *path)
{
    *strrchr(path, '/') = '\0';
}

static void put_file(const char *name)
{
    char path[PATH_ROOM], above[PATH_ROOM];
    assert_int_equal(file_join(path, sizeof(path), folder, name), 0);
    strcpy(above, path);
    cut_name(above);
    assert_int_equal(file_make_folders(above), 0);
    assert_int_equal(file_put(path, "x", 1, 0600), 0);
}

/* The file and every folder that is empty without it. */
static void remove_file(const char *name)
{
    char path[PATH_ROOM];
    assert_int_equal(file_join(path, sizeof(path), folder, name), 0);
    assert_int_equal(unlink(path), 0);
    for (cut_name(path); strcmp(path, folder) != 0 && rmdir(path) == 0;)
        cut_name(path);
}

static int take(struct inventory *inventory, bool is_closed, struct finding *finding)
{
    *inventory =
        (struct inventory){.size = SIZE, .covered = SIZE, .is_closed = is_closed};
    *finding = (struct finding){.place = ""};
    return inventory_take(inventory, folder, finding);
}

static void expect(const char *name, bool is_closed, int expected)
{
    struct inventory inventory;
    struct finding finding;
    put_file(name);
    int err = take(&inventory, is_closed, &finding);
    if (err != expected)
        print_message("%s: %d\n", name, err);
    assert_int_equal(err, expected);
    if (err)
        assert_string_equal(finding.place, name);
    inventory_free(&inventory);
    remove_file(name);
}

static void tiles_of_the_log_belong(void **state)
{
    (void)state;
    static const char *const NAMES[] = {
        "tail.db",    "checkpoint",      "receipt",        "closed",
        "key.pub",    "tile/0/000",      "tile/0/272",     "tile/0/273.p/112",
        "tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1", "tile/entries/272"};
    for (size_t i = 0; i < countof(NAMES); i++)
        expect(NAMES[i], true, 0);
}

static void other_names_do_not(void **state)
{
    (void)state;
    static const char *const NAMES[] = {
        "notes.txt",
        "tail.db.bak",
        "Checkpoint",
        "tile/0/273",
        "tile/0/0",
        "tile/0/0000",
        "tile/0/x000/001",
        "tile/0/x001/000",
        "tile/00/000",
        "tile/3/000.p/1",
        "tile/0/273.p/113",
        "tile/0/272.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/x",
        "tile/entries/273",
        "tile/entries/273.p/112",
        "tile/8/000",
        "tile/0/abc",
        "tile/1/002",
        "other/file",
        "tile/0/000/001",
        "tile/-1/000",
        "tail.db-journal",
    };
    for (size_t i = 0; i < countof(NAMES); i++)
        expect(NAMES[i], true, -EBADMSG);
}

static void the_databases_log_belongs_while_open_only(void **state)
{
    (void)state;
    expect("tail.db-wal", false, 0);
    expect("tail.db-shm", false, 0);
    expect("tail.db-wal", true, -EBADMSG);
    expect("tail.db-shm", true, -EBADMSG);
}

static void partial_tiles_of_other_checkpoints_too(void **state)
{
    (void)state;
    expect("tile/0/273.p/7", false, 0);
    expect("tile/0/005.p/9", false, 0);
    expect("tile/0/273.p/7", true, -EBADMSG);
    expect("tile/0/005.p/9", true, -EBADMSG);
}

static void leftovers_are_counted_while_open(void **state)
{
    (void)state;
    struct inventory inventory;
    struct finding finding;
    put_file("tile/0/000.4711.new");
    put_file("checkpoint.1.new");
    assert_int_equal(take(&inventory, false, &finding), 0);
    assert_int_equal(inventory.leftovers, 2);
    inventory_free(&inventory);
    remove_file("tile/0/000.4711.new");
    remove_file("checkpoint.1.new");
    expect("checkpoint.1.new", true, -EBADMSG);
    expect("checkpoint.new", false, -EBADMSG);
    expect("checkpoint.x1.new", false, -EBADMSG);
    expect("checkpoint.1.newer", false, -EBADMSG);
}

static void partial_tiles_are_listed(void **state)
{
    (void)state;
    struct inventory inventory;
    struct finding finding;
    put_file("tile/1/001.p/17");
    assert_int_equal(take(&inventory, true, &finding), 0);
    const struct inventory_tile *tile = (const void *)inventory.partial.bytes;
    assert_int_equal(inventory.partial.length, sizeof(*tile));
    assert_int_equal(tile->level, 1);
    assert_int_equal(tile->index, 1);
    assert_int_equal(tile->width, 17);
    inventory_free(&inventory);
    remove_file("tile/1/001.p/17");
}

static void a_link_is_no_file(void **state)
{
    (void)state;
    struct inventory inventory;
    struct finding finding;
    char path[PATH_ROOM];
    assert_int_equal(file_join(path, sizeof(path), folder, "checkpoint"), 0);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    assert_int_equal(take(&inventory, false, &finding), -EBADMSG);
    assert_string_equal(finding.place, "checkpoint");
    inventory_free(&inventory);
    unlink(path);
}

static void the_first_by_name_is_named(void **state)
{
    (void)state;
    struct inventory inventory;
    struct finding finding;
    put_file("b");
    put_file("a");
    assert_int_equal(take(&inventory, false, &finding), -EBADMSG);
    assert_string_equal(finding.place, "a");
    inventory_free(&inventory);
    remove_file("a");
    remove_file("b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tiles_of_the_log_belong),
        cmocka_unit_test(other_names_do_not),
        cmocka_unit_test(the_databases_log_belongs_while_open_only),
        cmocka_unit_test(partial_tiles_of_other_checkpoints_too),
        cmocka_unit_test(leftovers_are_counted_while_open),
        cmocka_unit_test(partial_tiles_are_listed),
        cmocka_unit_test(a_link_is_no_file),
        cmocka_unit_test(the_first_by_name_is_named),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
