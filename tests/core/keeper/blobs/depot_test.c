/* The folder of blobs: its names, its key, and moves that can be done again. */
#include "keeper/blobs/depot.h"

#include <dirent.h>
#include <sys/stat.h>

#include "keeper/fixture.h"

static char state_folder[256];
static struct depot depot;
static const struct digest DIGEST = {{0xab, 0xcd, 0xef}}, OTHER = {{0x01}};

static int start(void **state)
{
    (void)state;
    fixture_folder(state_folder, sizeof(state_folder));
    return depot_open(&depot, state_folder);
}

static int stop(void **state)
{
    (void)state;
    fixture_remove(state_folder);
    return 0;
}

static const char *below(const char *name)
{
    static char path[DEPOT_PATH_MAX];
    assert_int_equal(file_join(path, sizeof(path), state_folder, name), 0);
    return path;
}

static void make_sealed(const struct digest *digest, int64_t number)
{
    char path[DEPOT_PATH_MAX];
    assert_int_equal(depot_sealed(&depot, path, digest, number), 0);
    assert_int_equal(file_put(path, "sealed", 6, 0600), 0);
}

static int count_one(void *owner, const struct digest *digest, int64_t number)
{
    int *count = owner;
    (void)digest;
    (void)number;
    ++*count;
    return 0;
}

static int count_new(void)
{
    int count = 0;
    assert_int_equal(depot_each_new(&depot, count_one, &count), 0);
    return count;
}

static void the_key_is_made_once_and_is_nobody_elses_to_read(void **state)
{
    struct depot again;
    struct stat file;
    (void)state;
    assert_true(depot.is_new_key);
    assert_int_equal(stat(below("keys/blobs.key"), &file), 0);
    assert_int_equal(file.st_mode & 0777, 0600);
    assert_int_equal(depot_open(&again, state_folder), 0);
    assert_false(again.is_new_key);
    assert_memory_equal(again.key.bytes, depot.key.bytes, sizeof(depot.key.bytes));
}

static void a_key_that_cannot_be_read_is_set_aside_and_not_lost(void **state)
{
    struct depot again;
    static const char *const BAD[] = {
        "", "short\n",
        "zz23456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n",
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef "};
    (void)state;
    for (size_t i = 0; i < countof(BAD); i++) {
        fixture_write(state_folder, "keys/blobs.key", BAD[i]);
        assert_int_equal(depot_open(&again, state_folder), 0);
        assert_true(again.is_new_key);
        assert_memory_not_equal(again.key.bytes, depot.key.bytes,
                                sizeof(depot.key.bytes));
    }
    int count = 0;
    DIR *folder = opendir(below("keys"));
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        count += strncmp(entry->d_name, "blobs.key-damaged-", 18) == 0;
    closedir(folder);
    assert_int_equal(count, countof(BAD));
}

static void a_blob_goes_to_the_place_of_its_hash(void **state)
{
    char path[DEPOT_PATH_MAX];
    (void)state;
    make_sealed(&DIGEST, 3);
    assert_false(depot_has(&depot, &DIGEST));
    assert_int_equal(depot_settle(&depot, &DIGEST, 3), 0);
    assert_true(depot_has(&depot, &DIGEST));
    assert_int_equal(depot_place(&depot, path, &DIGEST), 0);
    assert_string_equal(path, below("blobs/ab/cdef000000000000000000000000000000000000"
                                    "0000000000000000000000"));
    assert_int_equal(depot_settle(&depot, &DIGEST, 3), -ENOENT);
    assert_true(depot_has(&depot, &DIGEST)); /* it stays where it is */
}

/* What was in its place before is erased like everything else. */
static void one_that_comes_again_sends_the_old_one_to_be_erased(void **state)
{
    int64_t left;
    (void)state;
    for (int64_t i = 0; i < 2; i++) {
        make_sealed(&DIGEST, i);
        assert_int_equal(depot_settle(&depot, &DIGEST, i), 0);
    }
    assert_true(depot_has(&depot, &DIGEST));
    assert_int_equal(rmdir(below("blobs/old")), -1);
    assert_int_equal(depot_erase(&depot, &left), 0);
    assert_int_equal(left, 0);
    assert_int_equal(rmdir(below("blobs/old")), 0);
    assert_int_equal(depot_erase(&depot, &left), -ENOENT);
}

static void what_cannot_be_erased_is_counted_and_the_others_go(void **state)
{
    int64_t left;
    (void)state;
    make_sealed(&DIGEST, 1);
    assert_int_equal(depot_drop(&depot, 1), 0);
    assert_int_equal(mkdir(below("blobs/old/0-no-file"), 0700), 0);
    assert_int_equal(depot_erase(&depot, &left), 0);
    assert_int_equal(left, 1);
    assert_int_equal(rmdir(below("blobs/old/0-no-file")), 0);
    assert_int_equal(rmdir(below("blobs/old")), 0);
}

static void dropping_takes_all_of_one_spool_and_nothing_of_another(void **state)
{
    char path[DEPOT_PATH_MAX];
    (void)state;
    make_sealed(&DIGEST, 3);
    make_sealed(&DIGEST, 33);
    make_sealed(&OTHER, 3);
    assert_int_equal(depot_new(&depot, path, 3), 0);
    assert_int_equal(file_put(path, "x", 1, 0600), 0);
    assert_int_equal(count_new(), 4);
    assert_int_equal(depot_drop(&depot, 3), 0);
    assert_int_equal(count_new(), 1);
    assert_int_equal(depot_drop(&depot, 3), 0);
    assert_int_equal(depot_drop(&depot, 33), 0);
    assert_int_equal(count_new(), 0);
    assert_int_equal(depot_retire(&depot, &DIGEST), 0); /* there is none */
}

static int expect_placed(void *owner, const struct digest *digest, int64_t bytes)
{
    int *count = owner;
    assert_true(digest_equal(digest, &DIGEST));
    assert_int_equal(bytes, 6);
    ++*count;
    return 0;
}

static void only_names_of_ours_are_told(void **state)
{
    int count = 0;
    (void)state;
    make_sealed(&DIGEST, 3);
    assert_int_equal(depot_settle(&depot, &DIGEST, 3), 0);
    fixture_write(depot.folder, "ab/short", "x");
    fixture_write(depot.folder, "new/12x", "x");
    fixture_write(depot.folder, "new/-1", "x");
    fixture_write(depot.folder, "new/99999999999999999999", "x");
    fixture_write(depot.folder, "zz/nothing", "x");
    assert_int_equal(depot_each(&depot, expect_placed, &count), 0);
    assert_int_equal(count, 1);
    assert_int_equal(count_new(), 0);
}

static void the_mark_can_be_made_before_there_is_a_depot(void **state)
{
    struct depot another;
    (void)state;
    assert_false(depot_is_marked(&depot));
    fixture_remove(depot.folder);
    assert_int_equal(depot_mark(state_folder, NULL), 0);
    assert_int_equal(depot_open(&another, state_folder), 0);
    assert_true(depot_is_marked(&another));
    assert_int_equal(depot_unmark(&another), 0);
    assert_false(depot_is_marked(&another));
    assert_int_equal(depot_unmark(&another), 0);
}

static void the_mark_names_all_that_was_set_aside_since(void **state)
{
    struct buffer folders = {0};
    (void)state;
    assert_int_equal(depot_read_mark(&depot, &folders), -ENOENT);
    assert_int_equal(depot_mark(state_folder, "journal-damaged-2"), 0);
    assert_int_equal(depot_mark(state_folder, NULL), 0);
    assert_int_equal(depot_mark(state_folder, "journal-damaged-1"), 0);
    assert_int_equal(depot_read_mark(&depot, &folders), 0);
    assert_string_equal(buffer_text(&folders), "journal-damaged-2\njournal-damaged-1\n");
    buffer_free(&folders);
}

#define in_a_depot(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_depot(the_key_is_made_once_and_is_nobody_elses_to_read),
        in_a_depot(a_key_that_cannot_be_read_is_set_aside_and_not_lost),
        in_a_depot(a_blob_goes_to_the_place_of_its_hash),
        in_a_depot(one_that_comes_again_sends_the_old_one_to_be_erased),
        in_a_depot(what_cannot_be_erased_is_counted_and_the_others_go),
        in_a_depot(dropping_takes_all_of_one_spool_and_nothing_of_another),
        in_a_depot(only_names_of_ours_are_told),
        in_a_depot(the_mark_can_be_made_before_there_is_a_depot),
        in_a_depot(the_mark_names_all_that_was_set_aside_since),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
