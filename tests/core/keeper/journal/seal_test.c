/* Sealing: files first, then the database; cut anywhere and done again, the result is the same. */
#include "keeper/journal/seal.h"

#include "keeper/fixture.h"
#include "proof/bundle.h"

static int start(void **state)
{
    struct fixture *here = malloc(sizeof(*here));
    fixture_open(here);
    *state = here;
    return 0;
}

static int stop(void **state)
{
    fixture_close(*state);
    free(*state);
    return 0;
}

static void nothing_is_sealed_before_a_tile_is_full(void **state)
{
    struct fixture *here = *state;
    struct seal seal = {0};
    fixture_fill(here->journal, 255);
    assert_int_equal(seal_waiting(here->journal), 0);
    assert_int_equal(seal_begin(&seal, here->journal), -ENOENT);
    fixture_fill(here->journal, 1);
    assert_int_equal(seal_waiting(here->journal), 1);
}

static void a_sealed_tile_has_left_the_store_for_its_files(void **state)
{
    struct fixture *here = *state;
    struct buffer file = {0};
    struct bundle bundle;
    struct digest digest;
    struct store_tile tile;
    size_t length;
    fixture_fill(here->journal, 600);
    fixture_seal(here);
    assert_int_equal(fixture_ask(here, "SELECT min(seq) FROM event"), 512);
    assert_int_equal(fixture_ask(here, "SELECT size FROM sealed"), 512);
    assert_int_equal(here->journal->tail.base, 512);
    assert_int_equal(here->journal->size, 600);
    assert_int_equal(
        file_read(&file, fixture_path(here, "tile/entries/001"), 1024 * 1024), 0);
    assert_int_equal(store_get_tile(here->journal->store, 1, &tile), 0);
    suite_hash(suite_named("sha256+ed25519"), &digest, file.bytes, file.length);
    assert_true(digest_equal(&digest, &tile.file));
    assert_int_equal(tile.lanes[0], 256 % LANES);
    assert_int_equal(bundle_open(&bundle, file.bytes, file.length), 0);
    assert_int_equal(bundle.count, 256);
    const char *body = bundle_entry(&bundle, 44, &length);
    assert_non_null(memmem(body, length, "{\"n\":300}", 9));
    bundle_close(&bundle);
    buffer_free(&file);
}

static void the_hash_tile_holds_the_leaves(void **state)
{
    struct fixture *here = *state;
    struct digest leaf;
    struct buffer tile = {0};
    fixture_fill(here->journal, 256);
    leaf = *tail_leaf(&here->journal->tail, 100);
    fixture_seal(here);
    assert_int_equal(file_read(&tile, fixture_path(here, "tile/0/000"), 10000), 0);
    assert_int_equal(tile.length, 256 * DIGEST_BYTES);
    assert_memory_equal(tile.bytes + 100 * DIGEST_BYTES, &leaf, DIGEST_BYTES);
    buffer_free(&tile);
}

static void behind_so_many_bytes_no_further_tile_is_taken(void **state)
{
    struct fixture *here = *state;
    static char data[SEAL_BYTES_MAX / TILE_WIDTH + 1];
    memset(data, 'x', sizeof(data) - 1);
    memcpy(data, "{\"a\":\"", 6);
    memcpy(data + sizeof(data) - 3, "\"}", 2);
    assert_int_equal(journal_begin(here->journal), 0);
    for (int i = 0; i < 2 * TILE_WIDTH; i++)
        fixture_append(here->journal, LANE_RECORD, "band.seen", data);
    assert_int_equal(journal_commit(here->journal), 0);
    fixture_seal(here);
    assert_int_equal(here->journal->sealed.size, TILE_WIDTH);
    fixture_seal(here);
    assert_int_equal(here->journal->sealed.size, 2 * TILE_WIDTH);
}

static void only_so_many_tiles_are_sealed_at_once(void **state)
{
    struct fixture *here = *state;
    fixture_fill(here->journal, (SEAL_TILES_MAX + 2) * 256);
    fixture_seal(here);
    assert_int_equal(here->journal->sealed.size, SEAL_TILES_MAX * 256);
    fixture_seal(here);
    assert_int_equal(here->journal->sealed.size, (SEAL_TILES_MAX + 2) * 256);
    assert_int_equal(fixture_reopen(here), 0);
    assert_int_equal(here->journal->size, (SEAL_TILES_MAX + 2) * 256);
}

static void begin_and_write(struct fixture *here, struct seal *seal, struct buffer *out)
{
    assert_int_equal(seal_begin(seal, here->journal), 0);
    assert_int_equal(seal_work(seal, out), 0);
}

static void
cut_between_files_and_database_it_is_done_again_with_the_same_files(void **state)
{
    struct fixture *here = *state;
    struct seal seal = {0};
    struct buffer first = {0}, second = {0};
    fixture_fill(here->journal, 300);
    begin_and_write(here, &seal, &first);
    seal_free(&seal);
    assert_int_equal(fixture_reopen(here), 0);
    assert_int_equal(here->journal->sealed.size, 0);
    begin_and_write(here, &seal, &second);
    assert_int_equal(first.length, second.length);
    assert_memory_equal(first.bytes, second.bytes, first.length);
    assert_int_equal(seal_end(&seal, &second), 0);
    seal_free(&seal);
    assert_int_equal(fixture_reopen(here), 0);
    assert_int_equal(here->journal->sealed.size, 256);
    assert_int_equal(here->journal->size, 300);
    buffer_free(&first);
    buffer_free(&second);
}

static void events_that_come_while_it_is_written_stay_in_the_tail(void **state)
{
    struct fixture *here = *state;
    struct seal seal = {0};
    struct buffer digests = {0};
    fixture_fill(here->journal, 256);
    begin_and_write(here, &seal, &digests);
    fixture_fill(here->journal, 300);
    assert_int_equal(seal_end(&seal, &digests), 0);
    seal_free(&seal);
    assert_int_equal(here->journal->sealed.size, 256);
    assert_int_equal(here->journal->tail.count, 300);
    assert_int_equal(fixture_reopen(here), 0);
    assert_int_equal(here->journal->size, 556);
    buffer_free(&digests);
}

static void a_result_of_another_length_changes_nothing(void **state)
{
    struct fixture *here = *state;
    struct seal seal = {0};
    struct buffer digests = {0};
    fixture_fill(here->journal, 256);
    begin_and_write(here, &seal, &digests);
    digests.length--;
    assert_int_equal(seal_end(&seal, &digests), -ECHILD);
    seal_free(&seal);
    assert_int_equal(here->journal->sealed.size, 0);
    assert_int_equal(here->journal->tail.count, 256);
    buffer_free(&digests);
}

static void a_row_that_changed_since_is_not_sealed(void **state)
{
    struct fixture *here = *state;
    struct seal seal = {0};
    fixture_fill(here->journal, 256);
    struct buffer digests = {0};
    fixture_sql(here, "UPDATE event SET body = x'00' WHERE seq = 99");
    assert_int_equal(seal_begin(&seal, here->journal), 0);
    assert_int_equal(seal_work(&seal, &digests), -EBADMSG);
    seal_free(&seal);
    buffer_free(&digests);
}

/* That is no damage to the rows: the keeper goes on and tries again. */
static void a_hash_tile_that_cannot_be_folded_is_not_called_a_damaged_row(void **state)
{
    struct fixture *here = *state;
    struct seal seal = {0};
    struct buffer result = {0};
    fixture_fill(here->journal, TILE_WIDTH * TILE_WIDTH);
    for (int i = 1; i < TILE_WIDTH / SEAL_TILES_MAX; i++)
        fixture_seal(here);
    assert_int_equal(truncate(fixture_path(here, "tile/0/000"), 100), 0);
    assert_int_equal(seal_begin(&seal, here->journal), 0);
    assert_int_equal(seal_work(&seal, &result), -EIO);
    seal_free(&seal);
    buffer_free(&result);
}

static void a_row_that_is_missing_is_not_sealed_over(void **state)
{
    struct fixture *here = *state;
    struct seal seal = {0};
    fixture_fill(here->journal, 600);
    fixture_sql(here, "DELETE FROM event WHERE seq = 99");
    assert_int_equal(seal_begin(&seal, here->journal), -EBADMSG);
    seal_free(&seal);
}

static void rows_missing_at_the_end_are_not_sealed_over(void **state)
{
    struct fixture *here = *state;
    struct seal seal = {0};
    fixture_fill(here->journal, 600);
    fixture_sql(here, "DELETE FROM event WHERE seq > 255");
    assert_int_equal(seal_begin(&seal, here->journal), -EBADMSG);
    seal_free(&seal);
}

static void a_folder_that_cannot_be_written_is_an_error(void **state)
{
    struct fixture *here = *state;
    struct seal seal = {0};
    struct buffer digests = {0};
    fixture_fill(here->journal, 256);
    assert_int_equal(file_put(fixture_path(here, "tile"), "x", 1, 0600), 0);
    assert_int_equal(seal_begin(&seal, here->journal), 0);
    assert_true(seal_work(&seal, &digests) < 0);
    seal_free(&seal);
    buffer_free(&digests);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_sealed_before_a_tile_is_full, start,
                                        stop),
        cmocka_unit_test_setup_teardown(a_sealed_tile_has_left_the_store_for_its_files,
                                        start, stop),
        cmocka_unit_test_setup_teardown(the_hash_tile_holds_the_leaves, start, stop),
        cmocka_unit_test_setup_teardown(behind_so_many_bytes_no_further_tile_is_taken,
                                        start, stop),
        cmocka_unit_test_setup_teardown(only_so_many_tiles_are_sealed_at_once, start,
                                        stop),
        cmocka_unit_test_setup_teardown(
            cut_between_files_and_database_it_is_done_again_with_the_same_files, start,
            stop),
        cmocka_unit_test_setup_teardown(
            events_that_come_while_it_is_written_stay_in_the_tail, start, stop),
        cmocka_unit_test_setup_teardown(a_result_of_another_length_changes_nothing, start,
                                        stop),
        cmocka_unit_test_setup_teardown(a_row_that_changed_since_is_not_sealed, start,
                                        stop),
        cmocka_unit_test_setup_teardown(
            a_hash_tile_that_cannot_be_folded_is_not_called_a_damaged_row, start, stop),
        cmocka_unit_test_setup_teardown(a_row_that_is_missing_is_not_sealed_over, start,
                                        stop),
        cmocka_unit_test_setup_teardown(rows_missing_at_the_end_are_not_sealed_over,
                                        start, stop),
        cmocka_unit_test_setup_teardown(a_folder_that_cannot_be_written_is_an_error,
                                        start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
