/* The tree against RFC 6962's own examples, and against a tree written straight from the text. */
#include "proof/tree.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"
#include "base/hex.h"

enum { LEAVES = 300 };

/* The leaves of the certificate-transparency reference tests. */
static const struct {
    const char *bytes;
    size_t length;
} INPUTS[] = {
    {"", 0},
    {"\x00", 1},
    {"\x10", 1},
    {"\x20\x21", 2},
    {"\x30\x31", 2},
    {"\x40\x41\x42\x43", 4},
    {"\x50\x51\x52\x53\x54\x55\x56\x57", 8},
    {"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f", 16},
};

static const char *const ROOTS[] = {
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};

/* MTH of RFC 9162 2.1.1, as it is written there. */
static void naive_root(const struct suite *suite, struct digest *root,
                       const struct digest *leaves, size_t count)
{
    if (count == 0) {
        suite_hash(suite, root, "", 0);
        return;
    }
    *root = leaves[0];
    if (count == 1)
        return;
    size_t k = 1;
    while (2 * k < count)
        k *= 2;
    struct digest left, right;
    naive_root(suite, &left, leaves, k);
    naive_root(suite, &right, leaves + k, count - k);
    suite_node(suite, root, &left, &right);
}

static void roots_are_those_of_the_reference_tests(void **state)
{
    (void)state;
    const struct suite *suite = suite_named("sha256+ed25519");
    struct tree tree;
    tree_begin(&tree, suite);
    for (size_t i = 0; i < countof(ROOTS); i++) {
        struct digest root, leaf;
        char digits[2 * DIGEST_BYTES + 1];
        tree_root(&tree, &root);
        hex_encode(digits, root.bytes, DIGEST_BYTES);
        assert_string_equal(digits, ROOTS[i]);
        if (i == countof(INPUTS))
            break;
        suite_leaf(suite, &leaf, INPUTS[i].bytes, INPUTS[i].length);
        tree_append(&tree, &leaf);
    }
}

static void check_every_size(const struct suite *suite)
{
    struct digest leaves[LEAVES];
    struct tree tree;
    tree_begin(&tree, suite);
    for (size_t i = 0; i < LEAVES; i++) {
        struct digest got, expected;
        suite_leaf(suite, &leaves[i], &i, sizeof(i));
        tree_append(&tree, &leaves[i]);
        tree_root(&tree, &got);
        naive_root(suite, &expected, leaves, i + 1);
        assert_true(digest_equal(&got, &expected));
        assert_int_equal(tree.size, i + 1);
    }
}

static void every_size_has_the_root_of_the_definition(void **state)
{
    (void)state;
    check_every_size(suite_named("sha256+ed25519"));
    check_every_size(suite_named("sm3+sm2"));
}

static void a_saved_edge_goes_on_growing(void **state)
{
    (void)state;
    const struct suite *suite = suite_named("sha256+ed25519");
    struct tree tree, other;
    struct buffer edge = {0};
    tree_begin(&tree, suite);
    for (size_t i = 0; i < LEAVES; i++) {
        struct digest leaf, root, other_root;
        buffer_clear(&edge);
        tree_save(&tree, &edge);
        assert_int_equal(tree_load(&other, suite, tree.size, edge.bytes, edge.length), 0);
        suite_leaf(suite, &leaf, &i, sizeof(i));
        tree_append(&tree, &leaf);
        tree_append(&other, &leaf);
        tree_root(&tree, &root);
        tree_root(&other, &other_root);
        assert_true(digest_equal(&root, &other_root));
    }
    buffer_free(&edge);
}

static void an_edge_of_another_size_is_refused(void **state)
{
    (void)state;
    const struct suite *suite = suite_named("sha256+ed25519");
    struct tree tree;
    uint8_t bytes[3 * DIGEST_BYTES] = {0};
    assert_int_equal(tree_load(&tree, suite, 7, bytes, sizeof(bytes)), 0);
    assert_int_equal(tree_load(&tree, suite, 8, bytes, sizeof(bytes)), -EPROTO);
    assert_int_equal(tree_load(&tree, suite, 7, bytes, sizeof(bytes) - 1), -EPROTO);
    assert_int_equal(tree_load(&tree, suite, 0, NULL, 0), 0);
}

/* All ways to grow by whole aligned subtrees: at each size every height that is allowed. */
static void a_grafted_subtree_is_as_good_as_its_leaves(void **state)
{
    (void)state;
    const struct suite *suite = suite_named("sha256+ed25519");
    struct digest leaves[LEAVES], hash, got, expected;
    for (size_t i = 0; i < LEAVES; i++)
        suite_leaf(suite, &leaves[i], &i, sizeof(i));
    for (size_t size = 0; size < LEAVES; size++) {
        for (int height = 0; size + ((size_t)1 << height) <= LEAVES; height++) {
            struct tree tree;
            tree_begin(&tree, suite);
            for (size_t i = 0; i < size; i++)
                tree_append(&tree, &leaves[i]);
            naive_root(suite, &hash, leaves + size, (size_t)1 << height);
            bool aligned = size % ((size_t)1 << height) == 0;
            assert_int_equal(tree_graft(&tree, height, &hash), aligned ? 0 : -EINVAL);
            tree_root(&tree, &got);
            naive_root(suite, &expected, leaves,
                       aligned ? size + ((size_t)1 << height) : size);
            assert_true(digest_equal(&got, &expected));
        }
    }
}

static void a_graft_beyond_what_a_tree_can_hold_is_refused(void **state)
{
    (void)state;
    const struct digest hash = {{0}};
    struct tree tree;
    tree_begin(&tree, suite_named("sha256+ed25519"));
    assert_int_equal(tree_graft(&tree, -1, &hash), -EINVAL);
    assert_int_equal(tree_graft(&tree, TREE_LEVELS, &hash), -EINVAL);
    assert_int_equal(tree_graft(&tree, TREE_LEVELS - 1, &hash), 0);
    assert_int_equal(tree_graft(&tree, TREE_LEVELS - 1, &hash), -EINVAL);
    assert_int_equal(tree.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roots_are_those_of_the_reference_tests),
        cmocka_unit_test(every_size_has_the_root_of_the_definition),
        cmocka_unit_test(a_saved_edge_goes_on_growing),
        cmocka_unit_test(an_edge_of_another_size_is_refused),
        cmocka_unit_test(a_grafted_subtree_is_as_good_as_its_leaves),
        cmocka_unit_test(a_graft_beyond_what_a_tree_can_hold_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
