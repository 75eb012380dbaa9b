/* Whole files and folders. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[] = "/tmp/file_test-XXXXXX";
static char path[64];

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    return snprintf(path, sizeof(path), "%s/file", folder) < 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void what_is_put_is_read(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct stat status;
    char bytes[40000];
    memset(bytes, 'x', sizeof(bytes));
    assert_int_equal(file_put(path, bytes, sizeof(bytes), 0600), 0);
    assert_int_equal(file_put_durably(path, "short\0er", 8, 0640), 0);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, 8);
    buffer_append_text(&out, "before ");
    assert_int_equal(file_read(&out, path, 8), 0);
    assert_int_equal(out.length, 15);
    assert_memory_equal(out.bytes, "before short\0er", 15);
    buffer_free(&out);
}

static void what_a_cut_leaves_behind_is_known_by_its_name(void **state)
{
    (void)state;
    static const char *const LEFT[] = {"a.1.new", "checkpoint.4711.new", "x/y.new.2.new"};
    static const char *const OTHERS[] = {"",          ".new",  "new",    "1.new",
                                         ".1.new",    "a.new", "a1.new", "a..new",
                                         "a.1.newer", "a.1.ne"};
    for (size_t i = 0; i < sizeof(LEFT) / sizeof(LEFT[0]); i++)
        assert_true(file_is_unfinished(LEFT[i]));
    for (size_t i = 0; i < sizeof(OTHERS) / sizeof(OTHERS[0]); i++)
        assert_false(file_is_unfinished(OTHERS[i]));
}

static void a_file_beyond_the_bound_is_not_read(void **state)
{
    (void)state;
    struct buffer out = {0};
    assert_int_equal(file_put(path, "123456789", 9, 0600), 0);
    assert_int_equal(file_read(&out, path, 8), -EFBIG);
    assert_int_equal(out.length, 0);
    assert_int_equal(file_read(&out, path, 9), 0);
    buffer_free(&out);
}

static void nothing_stays_beside_a_file_that_cannot_be_put(void **state)
{
    (void)state;
    char inside[96];
    snprintf(inside, sizeof(inside), "%s/none/file", folder);
    assert_int_equal(file_put(inside, "x", 1, 0600), -ENOENT);
    assert_int_equal(file_put(folder, "x", 1, 0600), -EISDIR);
    assert_false(file_exists(inside));
    assert_int_equal(file_sync_folder(inside), -ENOENT);
    assert_int_equal(file_sync_folder(folder), 0);
}

static void folders_are_made_with_those_above(void **state)
{
    (void)state;
    char deep[96], middle[96];
    struct stat status;
    snprintf(middle, sizeof(middle), "%s/a", folder);
    snprintf(deep, sizeof(deep), "%s/a/b", folder);
    assert_int_equal(file_make_folders(deep), 0);
    assert_int_equal(file_make_folders(deep), 0);
    assert_int_equal(stat(deep, &status), 0);
    assert_true(S_ISDIR(status.st_mode) && (status.st_mode & 027) == 0);
    rmdir(deep);
    rmdir(middle);
}

static void a_missing_file_says_so(void **state)
{
    (void)state;
    struct buffer out = {0};
    unlink(path);
    assert_int_equal(file_read(&out, path, 10), -ENOENT);
    assert_false(file_exists(path));
    assert_true(file_exists(folder));
    buffer_free(&out);
}

static void a_path_fits_or_fails(void **state)
{
    (void)state;
    char room[8];
    assert_int_equal(file_join(room, sizeof(room), "abc", "def"), 0);
    assert_string_equal(room, "abc/def");
    assert_int_equal(file_join(room, sizeof(room), "abc", "defg"), -ENAMETOOLONG);
}

/* Asks in a process of its own, as a lock is never in the way of who holds it. */
static bool is_locked_for_others(off_t byte)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0)
        _exit(file_is_locked(path, byte) ? 1 : 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status) == 1;
}

static void a_lock_is_seen_at_its_byte_while_it_is_held(void **state)
{
    (void)state;
    struct flock lock = {
        .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 128, .l_len = 1};
    assert_false(is_locked_for_others(128)); /* there is no such file */
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_false(is_locked_for_others(128));
    assert_int_equal(fcntl(fd, F_SETLK, &lock), 0);
    assert_true(is_locked_for_others(128));
    assert_false(is_locked_for_others(127));
    close(fd);
    assert_false(is_locked_for_others(128));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_put_is_read),
        cmocka_unit_test(what_a_cut_leaves_behind_is_known_by_its_name),
        cmocka_unit_test(a_file_beyond_the_bound_is_not_read),
        cmocka_unit_test(nothing_stays_beside_a_file_that_cannot_be_put),
        cmocka_unit_test(folders_are_made_with_those_above),
        cmocka_unit_test(a_missing_file_says_so),
        cmocka_unit_test(a_path_fits_or_fails),
        cmocka_unit_test(a_lock_is_seen_at_its_byte_while_it_is_held),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
