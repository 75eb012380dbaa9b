/* Files below named folders: what is read, and that nothing leads out. */
#include "host/files/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/base.h"

static char top[] = "/tmp/folder-test-XXXXXX";
static char root[100];
static const char *roots[] = {root, NULL};
static struct folder_entry entry;

static const char *in_root(const char *name)
{
    static char path[5000];
    snprintf(path, sizeof(path), "%s/%s", root, name);
    return path;
}

static void put(const char *path, const char *text)
{
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

static void run(const char *command)
{
    char text[300];
    snprintf(text, sizeof(text), "cd %s && %s", top, command);
    assert_int_equal(system(text), 0);
}

/* A root with a clip in a folder, beside a secret, and links to both. */
static int make_all(void **state)
{
    (void)state;
    if (mkdtemp(top) == NULL)
        return -1;
    snprintf(root, sizeof(root), "%s/dock", top);
    run("mkdir -p dock/DCIM dock/empty && mkfifo dock/pipe && printf secret > secret && "
        "ln -s ../secret dock/link && ln -s .. dock/up && ln -s dock mounted");
    put(in_root("DCIM/a.mp4"), "0123456789");
    run("touch -d 2026-11-21T03:04:05Z dock/DCIM/a.mp4");
    return 0;
}

static int remove_all(void **state)
{
    (void)state;
    run("rm -rf dock secret mounted");
    return rmdir(top);
}

/* How it ends. */
static int opens(const char *path, int64_t from)
{
    struct folder_file *file = NULL;
    int err = folder_open(&file, roots, path, from, &entry);
    folder_close(file);
    return err;
}

static int lists(const char *path)
{
    struct folder_listing *listing = NULL;
    int err = folder_list(&listing, roots, path);
    folder_end(listing);
    return err;
}

static void a_file_is_read_from_where_it_is_asked_for(void **state)
{
    struct folder_file *file;
    char bytes[20];
    size_t got;
    (void)state;
    assert_int_equal(folder_open(&file, roots, in_root("DCIM/a.mp4"), 4, &entry), 0);
    assert_int_equal(entry.kind, FOLDER_FILE);
    assert_int_equal(entry.size, 10);
    assert_int_equal(entry.time_s, 1795230245);
    assert_int_equal(folder_read(file, bytes, 4, &got), 0);
    assert_memory_equal(bytes, "4567", 4);
    assert_int_equal(folder_read(file, bytes, sizeof(bytes), &got), 0);
    assert_int_equal(got, 2);
    assert_int_equal(folder_read(file, bytes, sizeof(bytes), &got), 0);
    assert_int_equal(got, 0);
    folder_close(file);
    assert_int_equal(opens(in_root("DCIM/a.mp4"), 10), 0);
    assert_int_equal(opens(in_root("DCIM/a.mp4"), 11), -ESPIPE);
}

static void a_folder_tells_each_name_and_what_it_is(void **state)
{
    static const struct {
        const char *name;
        enum folder_kind kind;
    } WANTED[] = {{"DCIM", FOLDER_FOLDER},
                  {"empty", FOLDER_FOLDER},
                  {"link", FOLDER_LINK},
                  {"pipe", FOLDER_OTHER},
                  {"up", FOLDER_LINK}};
    struct folder_listing *listing;
    size_t found = 0;
    int count = 0;
    (void)state;
    assert_int_equal(folder_list(&listing, roots, root), 0);
    for (; folder_next(listing, &entry) == 0; count++)
        for (size_t i = 0; i < countof(WANTED); i++)
            found += strcmp(WANTED[i].name, entry.name) == 0 &&
                     WANTED[i].kind == entry.kind && entry.size == 0;
    folder_end(listing);
    assert_int_equal(count, countof(WANTED));
    assert_int_equal(found, countof(WANTED));
}

static void no_link_is_followed_below_a_root(void **state)
{
    (void)state;
    assert_int_equal(opens(in_root("link"), 0), -ELOOP);
    assert_int_equal(opens(in_root("up/secret"), 0), -ELOOP);
    assert_int_equal(lists(in_root("up")), -ELOOP);
    assert_int_equal(folder_stat(roots, in_root("up/secret"), &entry), -ELOOP);
    assert_int_equal(folder_stat(roots, in_root("link"), &entry), 0);
    assert_int_equal(entry.kind, FOLDER_LINK);
}

static void what_lies_below_no_root_is_not_reached(void **state)
{
    char path[200];
    (void)state;
    snprintf(path, sizeof(path), "%s/secret", top);
    assert_int_equal(opens(path, 0), -EXDEV);
    assert_int_equal(lists(top), -EXDEV);
    snprintf(path, sizeof(path), "%sage", root); /* begins like the root */
    assert_int_equal(opens(path, 0), -EXDEV);
    static const char *const NONE[] = {NULL};
    assert_int_equal(folder_stat(NONE, root, &entry), -EXDEV);
}

static void paths_that_make_no_sense_are_refused(void **state)
{
    static const char *const NAMES[] = {"..", "../secret", "DCIM/..",    "./DCIM",
                                        ".",  "DCIM/",     "DCIM//a.mp4"};
    char path[FOLDER_PATH_MAX + 10];
    (void)state;
    for (size_t i = 0; i < countof(NAMES); i++)
        assert_int_equal(lists(in_root(NAMES[i])), -EINVAL);
    assert_int_equal(lists("DCIM"), -EINVAL);
    assert_int_equal(lists(""), -EINVAL);
    memset(path, 'x', sizeof(path));
    path[0] = '/';
    path[FOLDER_NAME_MAX + 2] = '\0';
    assert_int_equal(lists(path), -EINVAL);
    path[FOLDER_NAME_MAX + 1] = '\0';
    assert_int_equal(lists(path), -EXDEV); /* the longest name */
    size_t at = (size_t)snprintf(path, sizeof(path), "%s", root);
    for (int i = 0; i < FOLDER_DEPTH_MAX; i++)
        at += (size_t)snprintf(path + at, sizeof(path) - at, "/x");
    assert_int_equal(lists(path), -EINVAL);
}

static void what_is_no_ordinary_file_is_not_opened(void **state)
{
    (void)state;
    assert_int_equal(opens(in_root("pipe"), 0), -ENXIO);
    assert_int_equal(opens(in_root("DCIM"), 0), -EISDIR);
    assert_int_equal(opens(in_root("nothing"), 0), -ENOENT);
    assert_int_equal(opens(in_root("nowhere/a"), 0), -ENOENT);
    assert_int_equal(opens(in_root("DCIM/a.mp4/b"), 0), -ENOTDIR);
    assert_int_equal(lists(in_root("DCIM/a.mp4")), -ENOTDIR);
}

static void a_root_may_be_a_link_end_in_slashes_or_be_a_file(void **state)
{
    char mounted[100], named[100], path[200];
    const char *two[] = {mounted, named, NULL};
    (void)state;
    snprintf(mounted, sizeof(mounted), "%s/mounted//", top);
    snprintf(named, sizeof(named), "%s/secret", top);
    snprintf(path, sizeof(path), "%s/mounted/DCIM/a.mp4", top);
    assert_int_equal(folder_stat(two, path, &entry), 0);
    assert_int_equal(entry.size, 10);
    assert_int_equal(folder_stat(two, named, &entry), 0);
    assert_int_equal(entry.size, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_read_from_where_it_is_asked_for),
        cmocka_unit_test(a_folder_tells_each_name_and_what_it_is),
        cmocka_unit_test(no_link_is_followed_below_a_root),
        cmocka_unit_test(what_lies_below_no_root_is_not_reached),
        cmocka_unit_test(paths_that_make_no_sense_are_refused),
        cmocka_unit_test(what_is_no_ordinary_file_is_not_opened),
        cmocka_unit_test(a_root_may_be_a_link_end_in_slashes_or_be_a_file),
    };
    return cmocka_run_group_tests(tests, make_all, remove_all);
}
