/* Bytes on disk as du counts them, without what changes all the time. */
#include "keeper/space/usage.h"

#include <sys/stat.h>

#include "keeper/fixture.h"

static int start(void **state)
{
    struct fixture *here = malloc(sizeof(*here));
    fixture_open(here);
    fixture_fill(here->journal, 600);
    fixture_seal(here);
    *state = here;
    return 0;
}

static int stop(void **state)
{
    fixture_close(*state);
    free(*state);
    return 0;
}

static int64_t bytes_of(const struct fixture *here, const char *name)
{
    struct stat file;
    assert_int_equal(stat(fixture_path(here, name), &file), 0);
    return (int64_t)file.st_blocks * 512;
}

static int64_t du(const struct fixture *here)
{
    char command[512];
    long long bytes = -1;
    snprintf(command, sizeof(command), "du -s --block-size=1 %s", here->folder);
    FILE *answer = popen(command, "r");
    assert_non_null(answer);
    assert_int_equal(fscanf(answer, "%lld", &bytes), 1);
    pclose(answer);
    return bytes;
}

static int64_t count(struct fixture *here)
{
    struct buffer answer = {0};
    int64_t bytes = -1;
    assert_int_equal(usage_count(here->journal, &answer), 0);
    assert_int_equal(answer.length, sizeof(bytes));
    memcpy(&bytes, answer.bytes, sizeof(bytes));
    buffer_free(&answer);
    return bytes;
}

static void all_but_the_tail_and_its_log_is_counted(void **state)
{
    struct fixture *here = *state;
    assert_int_equal(count(here), du(here) - bytes_of(here, "tail.db") -
                                      bytes_of(here, "tail.db-wal"));
}

static void a_sealed_tile_is_its_two_files(void **state)
{
    struct fixture *here = *state;
    assert_int_equal(usage_of_tiles(here->journal, 1, 2),
                     bytes_of(here, "tile/entries/001") + bytes_of(here, "tile/0/001"));
    assert_int_equal(usage_of_tiles(here->journal, 2, 2), 0);
    assert_int_equal(usage_of_tiles(here->journal, 7, 9), 0);
    int64_t before = count(here);
    fixture_fill(here->journal, 256);
    fixture_seal(here);
    assert_int_equal(count(here), before + usage_of_tiles(here->journal, 2, 3));
}

static void new_bundles_that_a_cut_left_are_removed(void **state)
{
    struct fixture *here = *state;
    int64_t before = count(here);
    assert_int_equal(
        file_put(fixture_path(here, "tile/entries/000.0.new"), "left", 4, 0640), 0);
    assert_int_equal(
        file_put(fixture_path(here, "tile/entries/001.0.new.12.new"), "half", 4, 0640),
        0);
    assert_int_equal(count(here), before);
    assert_false(file_exists(fixture_path(here, "tile/entries/000.0.new")));
    assert_false(file_exists(fixture_path(here, "tile/entries/001.0.new.12.new")));
    assert_true(file_exists(fixture_path(here, "tile/entries/000")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_but_the_tail_and_its_log_is_counted, start,
                                        stop),
        cmocka_unit_test_setup_teardown(a_sealed_tile_is_its_two_files, start, stop),
        cmocka_unit_test_setup_teardown(new_bundles_that_a_cut_left_are_removed, start,
                                        stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
