/* Proofs that are wrong in one thing are refused; tile_test.c has those that are right. */
#include "proof/path.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"
#include "proof/tile.h"
#include "proof/tree.h"

enum { SIZE = 37, FROM = 20, INDEX = 19, PATH_MAX_HASHES = 64 };

static const struct suite *suite;
static struct digest leaves[SIZE];

struct proof {
    uint64_t index, from, size;
    struct digest leaf, old_root, root;
    struct digest path[PATH_MAX_HASHES];
    size_t count;
};

static int read_tile(void *owner, struct buffer *out, int level, uint64_t index,
                     unsigned width)
{
    (void)owner;
    assert_int_equal(level, 0);
    assert_int_equal(index, 0);
    buffer_append(out, leaves, width * DIGEST_BYTES);
    return 0;
}

static void root_of(struct digest *root, size_t size)
{
    struct tree tree;
    tree_begin(&tree, suite);
    for (size_t i = 0; i < size; i++)
        tree_append(&tree, &leaves[i]);
    tree_root(&tree, root);
}

static int make_leaves(void **state)
{
    (void)state;
    suite = suite_named("sha256+ed25519");
    for (size_t i = 0; i < SIZE; i++)
        suite_leaf(suite, &leaves[i], &i, sizeof(i));
    return 0;
}

static struct proof prove(bool growth, uint64_t size)
{
    struct tile_source source = {read_tile, NULL, suite, SIZE, NULL};
    struct proof proof = {
        .index = INDEX, .from = FROM, .size = size, .leaf = leaves[INDEX]};
    struct buffer path = {0};
    root_of(&proof.root, (size_t)size);
    root_of(&proof.old_root, FROM);
    int err = growth ? tile_prove_consistency(&source, &path, FROM, size)
                     : tile_prove_inclusion(&source, &path, INDEX, size);
    assert_int_equal(err, 0);
    proof.count = path.length / DIGEST_BYTES;
    memcpy(proof.path, path.bytes, path.length);
    buffer_free(&path);
    return proof;
}

static int check_inclusion(const struct proof *proof)
{
    return path_check_inclusion(suite, &proof->leaf, proof->index, proof->size,
                                proof->path, proof->count, &proof->root);
}

static int check_growth(const struct proof *proof)
{
    return path_check_consistency(suite, proof->from, &proof->old_root, proof->size,
                                  &proof->root, proof->path, proof->count);
}

static void any_changed_bit_of_an_inclusion_is_refused(void **state)
{
    (void)state;
    struct proof good = prove(false, SIZE);
    assert_int_equal(check_inclusion(&good), 0);
    for (size_t bit = 0; bit < good.count * DIGEST_BYTES * 8; bit += 5) {
        struct proof bad = good;
        bad.path[bit / 256].bytes[bit % 256 / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(check_inclusion(&bad), -EBADMSG);
    }
    struct proof bad = good;
    bad.leaf.bytes[0] ^= 1;
    assert_int_equal(check_inclusion(&bad), -EBADMSG);
    bad = good;
    bad.root.bytes[31] ^= 0x80;
    assert_int_equal(check_inclusion(&bad), -EBADMSG);
}

static void any_other_index_or_length_is_refused(void **state)
{
    (void)state;
    struct proof good = prove(false, SIZE);
    for (uint64_t index = 0; index < 2 * SIZE; index++) {
        struct proof bad = good;
        bad.index = index;
        assert_int_equal(check_inclusion(&bad), index == INDEX ? 0 : -EBADMSG);
    }
    for (size_t count = 0; count < good.count + 3; count++) {
        struct proof bad = good;
        bad.count = count;
        assert_int_equal(check_inclusion(&bad), count == good.count ? 0 : -EBADMSG);
    }
    good.size = 0;
    assert_int_equal(check_inclusion(&good), -EBADMSG);
    good.size = UINT64_MAX;
    assert_int_equal(check_inclusion(&good), -EBADMSG);
}

static void any_changed_bit_of_a_growth_is_refused(void **state)
{
    (void)state;
    struct proof good = prove(true, SIZE);
    assert_int_equal(check_growth(&good), 0);
    for (size_t bit = 0; bit < good.count * DIGEST_BYTES * 8; bit += 5) {
        struct proof bad = good;
        bad.path[bit / 256].bytes[bit % 256 / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(check_growth(&bad), -EBADMSG);
    }
    for (size_t count = 0; count < good.count + 3; count++) {
        struct proof bad = good;
        bad.count = count;
        assert_int_equal(check_growth(&bad), count == good.count ? 0 : -EBADMSG);
    }
}

static void a_log_that_forgot_is_refused(void **state)
{
    (void)state;
    struct proof proof = prove(true, SIZE);
    proof.from = SIZE + 1;
    assert_int_equal(check_growth(&proof), -EBADMSG);
    proof = prove(true, SIZE);
    proof.old_root.bytes[3] ^= 4;
    assert_int_equal(check_growth(&proof), -EBADMSG);
}

static void equal_sizes_need_equal_roots_and_no_path(void **state)
{
    (void)state;
    struct proof proof = {.from = FROM, .size = FROM};
    root_of(&proof.old_root, FROM);
    root_of(&proof.root, FROM);
    assert_int_equal(check_growth(&proof), 0);
    proof.count = 1;
    assert_int_equal(check_growth(&proof), -EBADMSG);
    proof.count = 0;
    root_of(&proof.root, FROM + 1);
    assert_int_equal(check_growth(&proof), -EBADMSG);
}

static void every_log_begins_with_the_empty_one(void **state)
{
    (void)state;
    struct proof proof = {.from = 0, .size = SIZE};
    root_of(&proof.old_root, 0);
    root_of(&proof.root, SIZE);
    assert_int_equal(check_growth(&proof), 0);
    proof.old_root.bytes[0] ^= 1;
    assert_int_equal(check_growth(&proof), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_changed_bit_of_an_inclusion_is_refused),
        cmocka_unit_test(any_other_index_or_length_is_refused),
        cmocka_unit_test(any_changed_bit_of_a_growth_is_refused),
        cmocka_unit_test(a_log_that_forgot_is_refused),
        cmocka_unit_test(equal_sizes_need_equal_roots_and_no_path),
        cmocka_unit_test(every_log_begins_with_the_empty_one),
    };
    return cmocka_run_group_tests(tests, make_leaves, NULL);
}
