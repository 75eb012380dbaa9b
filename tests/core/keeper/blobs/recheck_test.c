/* Stored blobs are read again, each in its turn; what has changed is told once. */
#include "keeper/blobs/recheck.h"

#include "keeper/cellar.h"

static struct cellar cellar;
static struct recheck recheck;

static int start(void **state)
{
    (void)state;
    cellar_open(&cellar);
    recheck_open(&recheck, cellar.house.loop, &cellar.blobs);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    recheck_close(&recheck);
    cellar_close(&cellar);
    return 0;
}

static struct digest keep(const char *text)
{
    struct digest digest = cellar_spool(&cellar, text);
    cellar_keep(&cellar, &digest, "picture", 1000000, false, 0);
    return digest;
}

static void look(void)
{
    assert_int_equal(recheck_look(&recheck), 0);
    while (errand_is_running(&recheck.errand))
        loop_turn(cellar.house.loop);
}

static void all_of_them_take_a_week(void **state)
{
    (void)state;
    assert_int_equal(recheck_pause_ms(0), RECHECK_WEEK_MS);
    assert_int_equal(recheck_pause_ms(7 * 24), 3600 * 1000);
    assert_int_equal(recheck_pause_ms(1000000000), RECHECK_LEAST_MS);
}

static void each_has_its_turn_and_then_the_first_again(void **state)
{
    struct digest seen[6];
    (void)state;
    assert_int_equal(recheck_look(&recheck), -ENOENT);
    keep("one");
    keep("two");
    keep("three");
    for (int i = 0; i < 6; i++) {
        look();
        seen[i] = recheck.at;
    }
    for (int i = 0; i < 3; i++) {
        assert_true(digest_equal(&seen[i], &seen[i + 3]));
        assert_false(digest_equal(&seen[i], &seen[i + 1]));
    }
    assert_int_equal(recheck.looked, 6);
    assert_int_equal(recheck.bad, 0);
}

static void what_has_changed_is_told_once_and_not_read_again(void **state)
{
    static const char *const REASONS[] = {"changed", "missing"};
    (void)state;
    for (int i = 0; i < 2; i++) {
        char path[DEPOT_PATH_MAX];
        struct digest digest = keep(REASONS[i]);
        assert_int_equal(depot_place(&cellar.blobs.depot, path, &digest), 0);
        if (i == 0)
            fixture_flip(path, CASK_HEAD);
        else
            assert_int_equal(unlink(path), 0);
        look();
        assert_int_equal(cellar_events(&cellar, "blob.damaged"), i);
        look(); /* once more, for it might have been a moment */
        assert_int_equal(cellar_events(&cellar, "blob.damaged"), i + 1);
        assert_true(cellar_row(&cellar, &digest).is_damaged);
        assert_int_equal(recheck_look(&recheck), -ENOENT);
    }
    assert_int_equal(recheck.bad, 2);
}

static void what_looks_well_the_second_time_is_not_told(void **state)
{
    char path[DEPOT_PATH_MAX];
    (void)state;
    struct digest digest = keep("a moment");
    assert_int_equal(depot_place(&cellar.blobs.depot, path, &digest), 0);
    fixture_flip(path, CASK_HEAD);
    look();
    fixture_flip(path, CASK_HEAD);
    look();
    assert_int_equal(cellar_events(&cellar, "blob.damaged"), 0);
    assert_int_equal(recheck.looked, 1);
}

static void one_whose_sm3_nobody_knows_is_read_first_and_learned(void **state)
{
    static const char *const TEXTS[] = {"one", "two", "three"};
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct digest digest = keep(TEXTS[i]);
        struct catalog_blob before = cellar_row(&cellar, &digest), row = before;
        assert_int_equal(group_enter(&cellar.house.group), 0);
        row.has_sm3 = false;
        assert_int_equal(catalog_put(cellar.house.fixture.journal->store, &row), 0);
        group_commit(&cellar.house.group);
        assert_int_equal(blobs_count(&cellar.blobs), 0);
        cellar.blobs.has_heirs = false;
        recheck.has_no_sm3 = true; /* as after each start */
        look();
        assert_true(digest_equal(&recheck.at, &digest));
        group_commit(&cellar.house.group);
        row = cellar_row(&cellar, &digest);
        assert_true(row.has_sm3);
        assert_true(digest_equal(&row.sm3, &before.sm3));
        assert_true(cellar.blobs.has_heirs);
    }
    struct catalog_sum sum = cellar.blobs.sum;
    assert_int_equal(blobs_count(&cellar.blobs), 0);
    assert_memory_equal(&sum, &cellar.blobs.sum, sizeof(sum)); /* as the table says */
    look();
    assert_false(recheck.has_no_sm3);
}

static void one_that_has_changed_is_told_and_not_asked_for_its_sm3_again(void **state)
{
    char path[DEPOT_PATH_MAX];
    (void)state;
    struct digest digest = keep("changed");
    struct catalog_blob row = cellar_row(&cellar, &digest);
    assert_int_equal(group_enter(&cellar.house.group), 0);
    row.has_sm3 = false;
    assert_int_equal(catalog_put(cellar.house.fixture.journal->store, &row), 0);
    assert_int_equal(depot_place(&cellar.blobs.depot, path, &digest), 0);
    fixture_flip(path, CASK_HEAD);
    look();
    look();
    assert_int_equal(cellar_events(&cellar, "blob.damaged"), 1);
    assert_int_equal(recheck_look(&recheck), -ENOENT);
    assert_false(recheck.has_no_sm3);
    assert_false(cellar_row(&cellar, &digest).has_sm3);
}

#define in_a_cellar(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_cellar(all_of_them_take_a_week),
        in_a_cellar(each_has_its_turn_and_then_the_first_again),
        in_a_cellar(what_has_changed_is_told_once_and_not_read_again),
        in_a_cellar(one_whose_sm3_nobody_knows_is_read_first_and_learned),
        in_a_cellar(one_that_has_changed_is_told_and_not_asked_for_its_sm3_again),
        in_a_cellar(what_looks_well_the_second_time_is_not_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
