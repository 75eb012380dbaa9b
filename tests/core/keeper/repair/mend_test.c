/* A damaged bundle or hash tile is made whole from what is left, and what is lost is named. */
#include "keeper/repair/mend.h"

#include "base/json.h"
#include "base/mem.h"
#include "keeper/fixture.h"
#include "proof/erasure.h"

struct looked {
    struct mend_tile tile;
    struct buffer names, told;
};

static struct looked look(struct fixture *here, int64_t index)
{
    struct looked looked = {.tile = {.index = index}};
    looked.tile.has_row =
        store_get_tile(here->journal->store, index, &looked.tile.row) == 0;
    assert_int_equal(mend_look(here->journal, &looked.tile, &looked.names, &looked.told),
                     0);
    return looked;
}

static void forget(struct looked *looked)
{
    buffer_free(&looked->names);
    buffer_free(&looked->told);
}

static void put(struct fixture *here, const struct mend_tile *tile)
{
    assert_int_equal(store_begin(here->journal->store), 0);
    assert_int_equal(store_add_tile(here->journal->store, tile->index, &tile->row), 0);
    assert_int_equal(store_commit(here->journal->store), 0);
    assert_int_equal(mend_put(here->journal, tile), 0);
}

static void expect_state(struct fixture *here, int64_t index, enum mend_state state)
{
    struct looked looked = look(here, index);
    assert_int_equal(looked.tile.state, state);
    forget(&looked);
}

static void keep(struct fixture *here, const char *name, struct buffer *bytes)
{
    buffer_clear(bytes);
    assert_int_equal(file_read(bytes, fixture_path(here, name), 1 << 24), 0);
}

static void expect_same(struct fixture *here, const char *name,
                        const struct buffer *before)
{
    struct buffer after = {0};
    keep(here, name, &after);
    assert_int_equal(before->length, after.length);
    assert_memory_equal(before->bytes, after.bytes, after.length);
    buffer_free(&after);
}

static void leaves_of(struct fixture *here, int64_t index,
                      struct digest leaves[TILE_WIDTH])
{
    char name[TILE_PATH_ROOM];
    struct buffer file = {0};
    tile_path(name, 0, (uint64_t)index, TILE_WIDTH);
    keep(here, name, &file);
    assert_int_equal(file.length, TILE_WIDTH * DIGEST_BYTES);
    memcpy(leaves, file.bytes, file.length);
    buffer_free(&file);
}

/* The event says exactly the lost ones, with hashes that fit the tile. */
static void expect_told(struct fixture *here, struct looked *looked)
{
    struct digest leaves[TILE_WIDTH];
    struct erasure *erasure;
    struct json *json;
    struct buffer event = {0};
    buffer_printf(&event,
                  "{\"type\":\"journal.damaged\",\"source\":\"/%s/keeper/keeper\","
                  "\"office\":\"%s\",\"data\":{\"reason\":\"x\",\"tiles\":[%s]}}",
                  FIXTURE_OFFICE, FIXTURE_OFFICE, buffer_text(&looked->told));
    assert_int_equal(json_parse(&json, event.bytes, event.length), 0);
    assert_int_equal(erasure_read(&erasure, json, FIXTURE_OFFICE), 0);
    assert_non_null(erasure);
    assert_memory_equal(&erasure->tiles[0].cover, &looked->tile.lost,
                        sizeof(looked->tile.lost));
    leaves_of(here, looked->tile.index, leaves);
    assert_true(erasure_fits(&erasure->tiles[0], here->journal->suite, leaves));
    mem_free(erasure);
    json_free(json);
    buffer_free(&event);
}

static int start(void **state)
{
    struct fixture *here = malloc(sizeof(*here));
    fixture_open(here);
    fixture_fill(here->journal, 600);
    fixture_seal(here);
    fixture_sign(here);
    *state = here;
    return 0;
}

static int stop(void **state)
{
    fixture_close(*state);
    free(*state);
    return 0;
}

static void what_is_sound_is_left_alone(void **state)
{
    struct fixture *here = *state;
    struct buffer names = {0};
    assert_int_equal(mend_edge(here->journal, &names), 0);
    expect_state(here, 0, MEND_SOUND);
    expect_state(here, 1, MEND_SOUND);
    assert_false(file_exists(fixture_path(here, "damaged")));
    buffer_free(&names);
}

static void of_a_damaged_bundle_the_lost_events_are_told(void **state)
{
    struct fixture *here = *state;
    fixture_flip(fixture_path(here, "tile/entries/001"), -600);
    struct looked looked = look(here, 1);
    assert_int_equal(looked.tile.state, MEND_LOST);
    assert_true(cover_count(&looked.tile.lost) > 0);
    expect_told(here, &looked);
    put(here, &looked.tile);
    expect_state(here, 1, MEND_SOUND);
    assert_true(file_exists(fixture_path(here, "damaged")));
    for (unsigned i = 0; i < TILE_WIDTH; i++)
        assert_int_equal((looked.tile.row.lanes[i] & STORE_ERASED) != 0,
                         cover_has(&looked.tile.lost, i));
    assert_int_equal(fixture_reopen(here), 0);
    forget(&looked);
}

static void a_missing_bundle_is_lost_with_the_lanes_of_its_row(void **state)
{
    struct fixture *here = *state;
    unlink(fixture_path(here, "tile/entries/000"));
    struct looked looked = look(here, 0);
    assert_int_equal(looked.tile.state, MEND_LOST);
    assert_int_equal(cover_count(&looked.tile.lost), TILE_WIDTH);
    assert_int_equal(looked.tile.row.lanes[4], LANE_RECORD | STORE_ERASED);
    expect_told(here, &looked);
    put(here, &looked.tile);
    assert_false(file_exists(fixture_path(here, "tile/entries/000")));
    expect_state(here, 0, MEND_SOUND);
    forget(&looked);
}

/* Event and row are on disk, the bundle is not replaced yet: power fails. */
static void a_cut_before_the_new_bundle_tells_nothing_twice(void **state)
{
    struct fixture *here = *state;
    fixture_flip(fixture_path(here, "tile/entries/001"), -600);
    struct looked looked = look(here, 1);
    assert_int_equal(store_begin(here->journal->store), 0);
    assert_int_equal(store_add_tile(here->journal->store, 1, &looked.tile.row), 0);
    assert_int_equal(store_commit(here->journal->store), 0);
    struct looked again = look(here, 1);
    assert_int_equal(again.tile.state, MEND_BUNDLE);
    assert_int_equal(again.told.length, 0);
    assert_memory_equal(&again.tile.row, &looked.tile.row, sizeof(looked.tile.row));
    put(here, &again.tile);
    expect_state(here, 1, MEND_SOUND);
    forget(&looked);
    forget(&again);
}

static void a_row_that_is_wrong_is_made_from_hash_tile_and_bundle(void **state)
{
    struct fixture *here = *state;
    struct store_tile row;
    assert_int_equal(store_get_tile(here->journal->store, 0, &row), 0);
    fixture_sql(here, "UPDATE tile SET digest = zeroblob(32) WHERE n = 0;"
                      "UPDATE tile SET lanes = zeroblob(256) WHERE n = 1");
    for (int64_t n = 0; n < 2; n++) {
        struct looked looked = look(here, n);
        assert_int_equal(looked.tile.state, MEND_ROW);
        if (n == 0)
            assert_memory_equal(&looked.tile.row, &row, sizeof(row));
        else
            assert_int_equal(looked.tile.row.lanes[1], 257 % LANES);
        forget(&looked);
    }
    fixture_sql(here, "DELETE FROM tile WHERE n = 0");
    struct looked looked = look(here, 0);
    assert_int_equal(looked.tile.state, MEND_ROW);
    assert_memory_equal(&looked.tile.row, &row, sizeof(row));
    forget(&looked);
}

static void an_erasure_that_was_not_finished_is_and_no_copy_stays(void **state)
{
    struct fixture *here = *state;
    struct store_tile row;
    assert_int_equal(store_get_tile(here->journal->store, 0, &row), 0);
    row.lanes[2] |= STORE_ERASED;
    assert_int_equal(store_add_tile(here->journal->store, 0, &row), 0);
    struct looked looked = look(here, 0);
    assert_int_equal(looked.tile.state, MEND_BUNDLE);
    put(here, &looked.tile);
    expect_state(here, 0, MEND_SOUND);
    assert_false(file_exists(fixture_path(here, "damaged")));
    forget(&looked);
}

/* 256 tiles and more: what is not on the edge is checked by the tile above. */
static void fill_more(struct fixture *here)
{
    for (int i = 0; i < 258; i++) {
        fixture_fill(here->journal, 256);
        if (seal_waiting(here->journal) >= SEAL_TILES_MAX)
            fixture_seal(here);
    }
    while (seal_waiting(here->journal) > 0)
        fixture_seal(here);
}

static void behind_the_edge_each_tile_is_made_anew_from_what_it_covers(void **state)
{
    struct fixture *here = *state;
    struct buffer leaf = {0}, upper = {0}, names = {0};
    fill_more(here);
    assert_true(here->journal->sealed.size / TILE_WIDTH >= 258);
    keep(here, "tile/0/003", &leaf);
    keep(here, "tile/1/000", &upper);
    fixture_flip(fixture_path(here, "tile/0/003"), 40);
    assert_int_equal(mend_edge(here->journal, &names), 0);
    struct looked looked = look(here, 3);
    assert_int_equal(looked.tile.state, MEND_SOUND);
    assert_string_equal(buffer_text(&looked.names), "tile/0/003");
    expect_same(here, "tile/0/003", &leaf);
    forget(&looked);
    unlink(fixture_path(here, "tile/1/000"));
    assert_int_equal(mend_edge(here->journal, &names), 1);
    assert_string_equal(buffer_text(&names), "tile/1/000");
    expect_same(here, "tile/1/000", &upper);
    fixture_flip(fixture_path(here, "tile/1/000"), 40);
    assert_int_equal(mend_edge(here->journal, &names), 1);
    expect_same(here, "tile/1/000", &upper);
    buffer_free(&leaf);
    buffer_free(&upper);
    buffer_free(&names);
}

static void without_hash_tile_and_bundle_one_hash_stands_for_all(void **state)
{
    struct fixture *here = *state;
    struct digest leaves[TILE_WIDTH], root;
    fill_more(here);
    leaves_of(here, 3, leaves);
    fixture_flip(fixture_path(here, "tile/0/003"), 40);
    fixture_flip(fixture_path(here, "tile/entries/003"), 100);
    struct looked looked = look(here, 3);
    assert_int_equal(looked.tile.state, MEND_LOST);
    assert_true(looked.tile.is_hash_lost);
    assert_int_equal(cover_count(&looked.tile.lost), TILE_WIDTH);
    cover_hash(here->journal->suite, &root, leaves, (struct cover_node){0, 8});
    struct erasure_tile said;
    assert_int_equal(erasure_set(&said, &looked.tile.lost, &root, DIGEST_BYTES), 0);
    said.n = 3;
    struct buffer expected = {0};
    erasure_print(&expected, &said);
    assert_string_equal(buffer_text(&expected), buffer_text(&looked.told));
    put(here, &looked.tile);
    assert_false(file_exists(fixture_path(here, "tile/entries/003")));
    struct looked again = look(here, 3);
    assert_int_equal(again.tile.state, MEND_SOUND); /* it has been said */
    forget(&looked);
    forget(&again);
    buffer_free(&expected);
}

static void a_tree_that_nobody_can_make_anew_is_said_to_be_lost(void **state)
{
    struct fixture *here = *state;
    struct buffer names = {0};
    fixture_flip(fixture_path(here, "tile/0/001"), 40);
    fixture_flip(fixture_path(here, "tile/entries/001"), 100);
    assert_int_equal(mend_edge(here->journal, &names), -EBADMSG);
    buffer_free(&names);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_is_sound_is_left_alone),
        CASE(of_a_damaged_bundle_the_lost_events_are_told),
        CASE(a_missing_bundle_is_lost_with_the_lanes_of_its_row),
        CASE(a_cut_before_the_new_bundle_tells_nothing_twice),
        CASE(a_row_that_is_wrong_is_made_from_hash_tile_and_bundle),
        CASE(an_erasure_that_was_not_finished_is_and_no_copy_stays),
        CASE(behind_the_edge_each_tile_is_made_anew_from_what_it_covers),
        CASE(without_hash_tile_and_bundle_one_hash_stands_for_all),
        CASE(a_tree_that_nobody_can_make_anew_is_said_to_be_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
