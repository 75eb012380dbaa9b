/* Covers: the fewest aligned subtrees, and with their hashes the same tree as with the leaves. */
#include "proof/cover.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"
#include "base/random.h"
#include "proof/tree.h"

static const struct suite *suite;
static struct digest leaves[COVER_WIDTH];

static int make_leaves(void **state)
{
    (void)state;
    suite = suite_named("sha256+ed25519");
    for (size_t i = 0; i < COVER_WIDTH; i++)
        suite_leaf(suite, &leaves[i], &i, sizeof(i));
    return 0;
}

/* The fewest nodes by another way: from the whole tile down, whatever lies fully inside. */
static unsigned count_inside(unsigned from, unsigned until, unsigned first,
                             unsigned width)
{
    if (until <= first || first + width <= from)
        return 0;
    if (from <= first && first + width <= until)
        return 1;
    return count_inside(from, until, first, width / 2) +
           count_inside(from, until, first + width / 2, width / 2);
}

static void each_run_is_covered_by_the_fewest_aligned_subtrees(void **state)
{
    (void)state;
    unsigned most = 0;
    for (unsigned from = 0; from <= COVER_WIDTH; from++) {
        for (unsigned until = from; until <= COVER_WIDTH; until++) {
            struct cover_node nodes[COVER_RUN_NODES_MAX];
            unsigned count = cover_run(nodes, from, until);
            unsigned at = from;
            for (unsigned i = 0; i < count; i++) {
                assert_int_equal(nodes[i].first, at);
                assert_int_equal(at % (1u << nodes[i].height), 0);
                at += 1u << nodes[i].height;
            }
            assert_int_equal(at, until);
            assert_int_equal(count, count_inside(from, until, 0, COVER_WIDTH));
            most = count > most ? count : most;
        }
    }
    assert_int_equal(most, COVER_RUN_NODES_MAX);
}

static struct cover cover_of(int (*erased)(unsigned position))
{
    struct cover cover = {{0}};
    for (unsigned i = 0; i < COVER_WIDTH; i++)
        if (erased(i))
            cover_put(&cover, i);
    return cover;
}

static int none(unsigned position)
{
    (void)position;
    return 0;
}

static int all(unsigned position)
{
    (void)position;
    return 1;
}

static int every_other(unsigned position)
{
    return position % 2 == 1;
}

static int a_few(unsigned position)
{
    return position == 0 || (position >= 3 && position < 17) || position == 255;
}

static int by_chance(unsigned position)
{
    uint8_t byte;
    (void)position;
    random_bytes(&byte, 1);
    return byte % 3 != 0;
}

static void expect_same_root(const struct cover *cover)
{
    struct cover_node nodes[COVER_NODES_MAX];
    unsigned count = cover_nodes(cover, nodes), next = 0;
    struct tree whole, grafted;
    struct digest a, b, hash;
    tree_begin(&whole, suite);
    tree_begin(&grafted, suite);
    for (unsigned i = 0; i < COVER_WIDTH; i++)
        tree_append(&whole, &leaves[i]);
    while (grafted.size < COVER_WIDTH) {
        if (!cover_has(cover, (unsigned)grafted.size)) {
            tree_append(&grafted, &leaves[grafted.size]);
            continue;
        }
        assert_true(next < count && nodes[next].first == grafted.size);
        cover_hash(suite, &hash, leaves, nodes[next]);
        assert_int_equal(tree_graft(&grafted, nodes[next++].height, &hash), 0);
    }
    assert_int_equal(next, count);
    tree_root(&whole, &a);
    tree_root(&grafted, &b);
    assert_true(digest_equal(&a, &b));
}

static void with_the_hashes_the_tile_has_the_root_of_its_leaves(void **state)
{
    (void)state;
    int (*const patterns[])(unsigned) = {none,  all,       every_other,
                                         a_few, by_chance, by_chance};
    for (size_t i = 0; i < countof(patterns); i++) {
        struct cover cover = cover_of(patterns[i]);
        expect_same_root(&cover);
    }
}

static void a_whole_tile_is_one_hash_and_the_worst_has_as_many_as_the_bound(void **state)
{
    (void)state;
    struct cover_node nodes[COVER_NODES_MAX];
    struct cover cover = cover_of(all);
    assert_int_equal(cover_nodes(&cover, nodes), 1);
    assert_int_equal(nodes[0].first, 0);
    assert_int_equal(nodes[0].height, 8);
    cover = cover_of(every_other);
    assert_int_equal(cover_nodes(&cover, nodes), COVER_NODES_MAX);
    assert_int_equal(cover_count(&cover), 128);
    cover = cover_of(none);
    assert_int_equal(cover_nodes(&cover, nodes), 0);
    assert_int_equal(cover_count(&cover), 0);
}

static void digits_are_read_from_left_to_right(void **state)
{
    (void)state;
    char digits[COVER_DIGITS + 1];
    struct cover cover = cover_of(a_few), read = {{0}};
    cover_print(&cover, digits);
    assert_string_equal(digits, "9fff8000000000000000000000000000"
                                "00000000000000000000000000000001");
    assert_int_equal(cover_parse(&read, digits), 0);
    assert_memory_equal(&read, &cover, sizeof(read));
}

static void what_is_not_64_lower_case_digits_is_refused(void **state)
{
    (void)state;
    struct cover cover = {{7}};
    char digits[] = "00000000000000000000000000000000"
                    "000000000000000000000000000000000";
    assert_int_equal(cover_parse(&cover, digits), -EPROTO);
    digits[COVER_DIGITS - 1] = '\0';
    assert_int_equal(cover_parse(&cover, digits), -EPROTO);
    assert_int_equal(cover_parse(&cover, ""), -EPROTO);
    digits[COVER_DIGITS - 1] = 'A';
    digits[COVER_DIGITS] = '\0';
    assert_int_equal(cover_parse(&cover, digits), -EPROTO);
    assert_int_equal(cover.bits[0], 7);
    digits[COVER_DIGITS - 1] = 'a';
    assert_int_equal(cover_parse(&cover, digits), 0);
    assert_int_equal(cover_count(&cover), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_run_is_covered_by_the_fewest_aligned_subtrees),
        cmocka_unit_test(with_the_hashes_the_tile_has_the_root_of_its_leaves),
        cmocka_unit_test(a_whole_tile_is_one_hash_and_the_worst_has_as_many_as_the_bound),
        cmocka_unit_test(digits_are_read_from_left_to_right),
        cmocka_unit_test(what_is_not_64_lower_case_digits_is_refused),
    };
    return cmocka_run_group_tests(tests, make_leaves, NULL);
}
