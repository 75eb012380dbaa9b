/* Tiles on disk: putting twice is harmless, upper levels follow from lower ones. */
#include "keeper/journal/shelf.h"

#include "keeper/fixture.h"
#include "proof/tree.h"

static char folder[256];
static struct shelf shelf;

static int start(void **state)
{
    (void)state;
    fixture_folder(folder, sizeof(folder));
    shelf_begin(&shelf, folder, suite_named(FIXTURE_SUITE));
    return 0;
}

static int stop(void **state)
{
    (void)state;
    fixture_remove(folder);
    return 0;
}

static bool is_there(const char *name)
{
    char path[512];
    assert_int_equal(file_join(path, sizeof(path), folder, name), 0);
    return file_exists(path);
}

static struct digest leaf_of(uint64_t n)
{
    struct digest leaf;
    suite_leaf(shelf.suite, &leaf, &n, sizeof(n));
    return leaf;
}

static void put_leaves(uint64_t index, unsigned width)
{
    struct digest leaves[TILE_WIDTH];
    for (unsigned i = 0; i < width; i++)
        leaves[i] = leaf_of(index * TILE_WIDTH + i);
    assert_int_equal(shelf_put(&shelf, 0, index, width, leaves, width * DIGEST_BYTES), 0);
}

static void a_tile_is_found_where_tlog_clients_look(void **state)
{
    (void)state;
    put_leaves(0, TILE_WIDTH);
    put_leaves(1234, 7);
    assert_int_equal(shelf_put(&shelf, -1, 1234, TILE_WIDTH, "bundle", 6), 0);
    assert_int_equal(shelf_sync(&shelf), 0);
    assert_true(is_there("tile/0/000"));
    assert_true(is_there("tile/0/x001/234.p/7"));
    assert_true(is_there("tile/entries/x001/234"));
    assert_true(shelf_has(&shelf, 0, 1234, 7));
    assert_false(shelf_has(&shelf, 0, 1234, 8));
}

static void putting_twice_leaves_the_same(void **state)
{
    struct buffer got = {0};
    char path[512];
    (void)state;
    put_leaves(3, 20);
    put_leaves(3, 20);
    assert_int_equal(file_join(path, sizeof(path), folder, "tile/0/003.p/20"), 0);
    assert_int_equal(file_read(&got, path, 10000), 0);
    assert_int_equal(got.length, 20 * DIGEST_BYTES);
    struct digest last = leaf_of(3 * TILE_WIDTH + 19);
    assert_memory_equal(got.bytes + 19 * DIGEST_BYTES, &last, DIGEST_BYTES);
    buffer_free(&got);
}

/* The root of the leaves of one tile of level 0, by the tree. */
static struct digest root_of(uint64_t index)
{
    struct tree tree;
    struct digest root;
    tree_begin(&tree, shelf.suite);
    for (uint64_t i = 0; i < TILE_WIDTH; i++) {
        struct digest leaf = leaf_of(index * TILE_WIDTH + i);
        tree_append(&tree, &leaf);
    }
    tree_root(&tree, &root);
    return root;
}

static void an_upper_tile_appears_when_it_is_full(void **state)
{
    struct buffer got = {0};
    char path[512];
    (void)state;
    for (uint64_t index = 0; index < TILE_WIDTH; index++) {
        put_leaves(index, TILE_WIDTH);
        assert_int_equal(shelf_put_above(&shelf, index), 0);
        assert_int_equal(is_there("tile/1/000"), index == TILE_WIDTH - 1);
    }
    assert_int_equal(file_join(path, sizeof(path), folder, "tile/1/000"), 0);
    assert_int_equal(file_read(&got, path, 10000), 0);
    assert_int_equal(got.length, TILE_WIDTH * DIGEST_BYTES);
    struct digest node = root_of(200);
    assert_memory_equal(got.bytes + 200 * DIGEST_BYTES, &node, DIGEST_BYTES);
    assert_int_equal(shelf_put_partial_above(&shelf, TILE_WIDTH * TILE_WIDTH + 5), 0);
    assert_true(is_there("tile/2/000.p/1"));
    assert_int_equal(shelf_sync(&shelf), 0);
    buffer_free(&got);
}

static void partial_tiles_go_when_another_size_has_none_of_them(void **state)
{
    (void)state;
    for (uint64_t index = 0; index < 3; index++)
        put_leaves(index, TILE_WIDTH);
    put_leaves(3, 10);
    put_leaves(3, 20);
    assert_int_equal(shelf_put_partial_above(&shelf, 3 * TILE_WIDTH + 10), 0);
    assert_true(is_there("tile/1/000.p/3"));
    shelf_remove_partial(&shelf, 3 * TILE_WIDTH + 10, 3 * TILE_WIDTH + 20);
    assert_false(is_there("tile/0/003.p/10"));
    assert_true(is_there("tile/0/003.p/20"));
    assert_true(is_there("tile/1/000.p/3"));
    shelf_remove_partial(&shelf, 3 * TILE_WIDTH + 20, 4 * TILE_WIDTH + 20);
    assert_false(is_there("tile/0/003.p"));
    assert_false(is_there("tile/1/000.p"));
    shelf_remove_partial(&shelf, 0, 20);
}

static void an_upper_tile_needs_whole_ones_below(void **state)
{
    struct digest hashes[2];
    (void)state;
    put_leaves(0, TILE_WIDTH);
    assert_int_equal(shelf_fold(&shelf, hashes, 1, 0, 2), -ENOENT);
    assert_int_equal(shelf_put(&shelf, 0, 1, TILE_WIDTH, "short", 5), 0);
    assert_int_equal(shelf_fold(&shelf, hashes, 1, 0, 2), -EBADMSG);
    put_leaves(1, TILE_WIDTH);
    assert_int_equal(shelf_fold(&shelf, hashes, 1, 0, 2), 0);
    struct digest node = root_of(1);
    assert_true(digest_equal(&hashes[1], &node));
}

static void more_folders_than_it_remembers_are_synced_on_the_way(void **state)
{
    (void)state;
    for (uint64_t index = 0; index < SHELF_FOLDERS_MAX + 10; index++)
        assert_int_equal(shelf_put(&shelf, -1, index * 1000, TILE_WIDTH, "b", 1), 0);
    assert_true(shelf.folder_count > 0 && shelf.folder_count <= SHELF_FOLDERS_MAX);
    assert_int_equal(shelf_sync(&shelf), 0);
    assert_true(is_there("tile/entries/x073/000"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_tile_is_found_where_tlog_clients_look, start,
                                        stop),
        cmocka_unit_test_setup_teardown(putting_twice_leaves_the_same, start, stop),
        cmocka_unit_test_setup_teardown(an_upper_tile_appears_when_it_is_full, start,
                                        stop),
        cmocka_unit_test_setup_teardown(
            partial_tiles_go_when_another_size_has_none_of_them, start, stop),
        cmocka_unit_test_setup_teardown(an_upper_tile_needs_whole_ones_below, start,
                                        stop),
        cmocka_unit_test_setup_teardown(
            more_folders_than_it_remembers_are_synced_on_the_way, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
