/* The room inside the journal's own files: made in steps, used without a new block, made again. */
#include "keeper/space/reserve.h"

#include <sys/stat.h>

#include "keeper/fixture.h"

enum { MB = 1024 * 1024, RESERVE = 8 * MB, PLENTY = 1024 * MB, STEPS_MOST = 100 };

static struct fixture *here;
static struct reserve reserve;

static int start(void **state)
{
    (void)state;
    here = malloc(sizeof(*here));
    fixture_open(here);
    reserve_open(&reserve, here->journal, RESERVE);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    fixture_close(here);
    free(here);
    return 0;
}

static void fill(void)
{
    int steps = 0;
    while (reserve_fill(&reserve, PLENTY))
        assert_true(++steps < STEPS_MOST);
    assert_true(reserve_is_whole(&reserve));
}

static int64_t length_of(const char *name)
{
    struct stat file;
    assert_int_equal(stat(fixture_path(here, name), &file), 0);
    return (int64_t)file.st_size;
}

static void it_is_made_in_steps_beside_the_rows(void **state)
{
    (void)state;
    assert_false(reserve_is_whole(&reserve));
    fill();
    assert_true(reserve_bytes(&reserve) >= RESERVE - 2 * MB);
    assert_true(length_of("tail.db") >= RESERVE - 4 * MB);
    assert_int_equal(fixture_ask(here, "SELECT count(*) FROM kv"), 0);
    assert_false(reserve_fill(&reserve, PLENTY));
}

static void events_go_in_without_a_new_block(void **state)
{
    (void)state;
    fill();
    int64_t file = length_of("tail.db"), ahead = length_of("tail.db-wal");
    for (int i = 0; i < 400; i++) {
        fixture_fill(here->journal, 10);
        assert_int_equal(
            store_checkpoint(here->journal->store, reserve_ahead_pages(&reserve, 3000)),
            0);
    }
    assert_int_equal(length_of("tail.db"), file);
    assert_int_equal(length_of("tail.db-wal"), ahead);
    assert_int_equal(here->journal->size, 4000);
}

static void what_was_used_comes_back_when_the_tail_is_sealed(void **state)
{
    (void)state;
    fill();
    int64_t before = reserve_bytes(&reserve);
    fixture_fill(here->journal, 4096);
    assert_int_equal(reserve_measure(&reserve), 0);
    assert_true(reserve_bytes(&reserve) < before);
    fixture_seal(here);
    assert_int_equal(reserve_measure(&reserve), 0);
    assert_true(reserve_bytes(&reserve) >= before - MB);
}

static void on_a_disk_without_room_nothing_is_begun(void **state)
{
    (void)state;
    assert_false(reserve_fill(&reserve, MB));
    assert_false(reserve_is_whole(&reserve));
}

static void it_takes_no_page_of_the_tail_and_frees_none(void **state)
{
    (void)state;
    int64_t pages = fixture_ask(here, "PRAGMA page_count");
    fill();
    assert_int_equal(fixture_ask(here, "PRAGMA page_count"), pages);
    assert_int_equal(fixture_ask(here, "PRAGMA freelist_count"), 0);
    assert_int_equal(store_check(here->journal->store), 0);
}

static void what_was_made_is_there_after_a_cut(void **state)
{
    (void)state;
    fill();
    int64_t file = length_of("tail.db");
    fixture_fill(here->journal, 100);
    assert_int_equal(fixture_reopen(here), 0);
    reserve_open(&reserve, here->journal, RESERVE);
    fixture_fill(here->journal, 100);
    assert_int_equal(store_checkpoint(here->journal->store, 1), 0);
    assert_int_equal(length_of("tail.db"), file);
    assert_true(reserve_bytes(&reserve) >= RESERVE - 2 * MB);
}

/* However many pages there are, the file ends with the last of them when it needs more room than
 * it was given, and has no hole. */
static void a_tail_that_outgrows_it_takes_what_it_needs(void **state)
{
    (void)state;
    fill();
    struct store *store = here->journal->store;
    struct stat file;
    fixture_fill(here->journal, 30000);
    int64_t had = length_of("tail.db");
    assert_int_equal(store_checkpoint(store, 1), 0);
    assert_true(length_of("tail.db") > had);
    assert_int_equal(length_of("tail.db"), fixture_ask(here, "PRAGMA page_count") * 4096);
    assert_int_equal(stat(fixture_path(here, "tail.db"), &file), 0);
    assert_true(file.st_blocks * 512 >= file.st_size);
    assert_int_equal(store_check(store), 0);
}

/* One step of the room may be lacking. */
static void the_log_ahead_is_copied_before_its_room_ends(void **state)
{
    (void)state;
    assert_int_equal(reserve_ahead_pages(&reserve, 3000),
                     (3 * MB - MB / 4) / 4120 * 3 / 4);
    assert_int_equal(reserve_ahead_pages(&reserve, 100), 100);
    reserve_open(&reserve, here->journal, 1024LL * MB);
    assert_int_equal(reserve_ahead_pages(&reserve, 9999),
                     (16 * MB - MB / 4) / 4120 * 3 / 4);
}

#define EACH(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(it_is_made_in_steps_beside_the_rows),
        EACH(it_takes_no_page_of_the_tail_and_frees_none),
        EACH(events_go_in_without_a_new_block),
        EACH(what_was_used_comes_back_when_the_tail_is_sealed),
        EACH(on_a_disk_without_room_nothing_is_begun),
        EACH(what_was_made_is_there_after_a_cut),
        EACH(a_tail_that_outgrows_it_takes_what_it_needs),
        EACH(the_log_ahead_is_copied_before_its_room_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
