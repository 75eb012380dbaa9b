/* Tiles: paths, widths, and proofs for every size against the recursive text of RFC 9162. */
#include "proof/tile.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"
#include "base/hex.h"
#include "proof/path.h"

/* Sizes all of which are tried, and one of three tile levels. */
enum { LEAVES = 300, MANY = 256 * 256 + 700 };

static struct digest *leaves; /* MANY */
static const struct suite *suite;

static void naive_root(struct digest *root, size_t start, size_t end)
{
    if (end - start <= 1) {
        *root = leaves[start];
        return;
    }
    size_t k = 1;
    while (2 * k < end - start)
        k *= 2;
    struct digest left, right;
    naive_root(&left, start, start + k);
    naive_root(&right, start + k, end);
    suite_node(suite, root, &left, &right);
}

static void put_naive(struct buffer *proof, size_t start, size_t end)
{
    struct digest root;
    naive_root(&root, start, end);
    buffer_append(proof, root.bytes, DIGEST_BYTES);
}

/* PATH(m, D_n) */
static void naive_path(struct buffer *proof, size_t m, size_t start, size_t end)
{
    size_t k = 1;
    if (end - start == 1)
        return;
    while (2 * k < end - start)
        k *= 2;
    if (m < k) {
        naive_path(proof, m, start, start + k);
        put_naive(proof, start + k, end);
    } else {
        naive_path(proof, m - k, start + k, end);
        put_naive(proof, start, start + k);
    }
}

/* SUBPROOF(m, D_n, b) */
static void naive_growth(struct buffer *proof, size_t m, size_t start, size_t end, bool b)
{
    size_t k = 1;
    if (m == end - start) {
        if (!b)
            put_naive(proof, start, end);
        return;
    }
    while (2 * k < end - start)
        k *= 2;
    if (m <= k) {
        naive_growth(proof, m, start, start + k, b);
        put_naive(proof, start + k, end);
    } else {
        naive_growth(proof, m - k, start + k, end, false);
        put_naive(proof, start, start + k);
    }
}

/* Tiles made from the leaves on the spot. */
static int read_tile(void *owner, struct buffer *out, int level, uint64_t index,
                     unsigned width)
{
    (void)owner;
    size_t span = (size_t)1 << 8 * level;
    for (unsigned i = 0; i < width; i++) {
        struct digest node;
        size_t start = ((size_t)index * TILE_WIDTH + i) * span;
        naive_root(&node, start, start + span);
        buffer_append(out, node.bytes, DIGEST_BYTES);
    }
    return 0;
}

static int start_leaves(void **state)
{
    (void)state;
    suite = suite_named("sha256+ed25519");
    leaves = calloc(MANY, sizeof(*leaves));
    for (size_t i = 0; i < MANY; i++)
        suite_leaf(suite, &leaves[i], &i, sizeof(i));
    return 0;
}

static int stop_leaves(void **state)
{
    (void)state;
    free(leaves);
    return 0;
}

static void paths_are_those_of_tlog_tiles(void **state)
{
    (void)state;
    static const struct {
        int level;
        uint64_t index;
        unsigned width;
        const char *path;
    } CASES[] = {
        {0, 0, 256, "tile/0/000"},
        {0, 5, 1, "tile/0/005.p/1"},
        {1, 999, 256, "tile/1/999"},
        {0, 1000, 256, "tile/0/x001/000"},
        {0, 1234, 256, "tile/0/x001/234"},
        {0, 1234067, 255, "tile/0/x001/x234/067.p/255"},
        {-1, 1234, 256, "tile/entries/x001/234"},
        {-1, 0, 17, "tile/entries/000.p/17"},
        {7, UINT64_MAX, 1, "tile/7/x018/x446/x744/x073/x709/x551/615.p/1"},
    };
    for (size_t i = 0; i < countof(CASES); i++) {
        char path[TILE_PATH_ROOM];
        tile_path(path, CASES[i].level, CASES[i].index, CASES[i].width);
        assert_string_equal(path, CASES[i].path);
    }
}

static void widths_follow_from_the_size(void **state)
{
    (void)state;
    assert_int_equal(tile_width(0, 0, 0), 0);
    assert_int_equal(tile_width(0, 0, 1), 1);
    assert_int_equal(tile_width(0, 0, 256), 256);
    assert_int_equal(tile_width(0, 1, 256), 0);
    assert_int_equal(tile_width(-1, 1, 300), 44);
    assert_int_equal(tile_width(1, 0, 255), 0);
    assert_int_equal(tile_width(1, 0, 70000), 256);
    assert_int_equal(tile_width(1, 1, 70000), 17);
    assert_int_equal(tile_width(2, 0, 70000), 1);
    assert_int_equal(tile_width(8, 0, UINT64_MAX), 0);
}

static void check_size(size_t size)
{
    struct tile_source source = {read_tile, NULL, suite, size, NULL};
    struct digest root, expected;
    assert_int_equal(tile_root(&source, &root, size), 0);
    naive_root(&expected, 0, size);
    assert_true(digest_equal(&root, &expected));
}

static void roots_come_out_of_tiles(void **state)
{
    (void)state;
    for (size_t size = 1; size <= LEAVES; size++)
        check_size(size);
    check_size(65535);
    check_size(65536);
    check_size(MANY);
    struct tile_source source = {read_tile, NULL, suite, 0, NULL};
    struct digest root, nothing;
    assert_int_equal(tile_root(&source, &root, 0), 0);
    suite_hash(suite, &nothing, "", 0);
    assert_true(digest_equal(&root, &nothing));
}

static void check_inclusion(const struct tile_source *source, size_t index, size_t size)
{
    struct buffer proof = {0}, expected = {0};
    struct digest root;
    naive_root(&root, 0, size);
    naive_path(&expected, index, 0, size);
    assert_int_equal(tile_prove_inclusion(source, &proof, index, size), 0);
    assert_int_equal(proof.length, expected.length);
    if (proof.length > 0)
        assert_memory_equal(proof.bytes, expected.bytes, proof.length);
    const struct digest *path = (const struct digest *)(const void *)proof.bytes;
    size_t count = proof.length / DIGEST_BYTES;
    assert_int_equal(
        path_check_inclusion(suite, &leaves[index], index, size, path, count, &root), 0);
    buffer_free(&proof);
    buffer_free(&expected);
}

static void every_leaf_of_every_size_is_proven(void **state)
{
    (void)state;
    struct tile_source source = {read_tile, NULL, suite, LEAVES, NULL};
    for (size_t size = 1; size <= LEAVES; size += size < 70 ? 1 : 23)
        for (size_t index = 0; index < size; index++)
            check_inclusion(&source, index, size);
    struct tile_source big = {read_tile, NULL, suite, MANY, NULL};
    check_inclusion(&big, 0, MANY);
    check_inclusion(&big, 65536, MANY);
    check_inclusion(&big, MANY - 1, MANY);
}

static void check_growth(const struct tile_source *source, size_t from, size_t size)
{
    struct buffer proof = {0}, expected = {0};
    struct digest old_root, root;
    naive_root(&old_root, 0, from);
    naive_root(&root, 0, size);
    naive_growth(&expected, from, 0, size, true);
    assert_int_equal(tile_prove_consistency(source, &proof, from, size), 0);
    assert_int_equal(proof.length, expected.length);
    if (proof.length > 0)
        assert_memory_equal(proof.bytes, expected.bytes, proof.length);
    const struct digest *path = (const struct digest *)(const void *)proof.bytes;
    size_t count = proof.length / DIGEST_BYTES;
    assert_int_equal(
        path_check_consistency(suite, from, &old_root, size, &root, path, count), 0);
    buffer_free(&proof);
    buffer_free(&expected);
}

static void growth_between_all_sizes_is_proven(void **state)
{
    (void)state;
    struct tile_source source = {read_tile, NULL, suite, LEAVES, NULL};
    for (size_t size = 1; size <= LEAVES; size += size < 70 ? 1 : 23)
        for (size_t from = 1; from <= size; from++)
            check_growth(&source, from, size);
    struct tile_source big = {read_tile, NULL, suite, MANY, NULL};
    check_growth(&big, 65535, MANY);
    check_growth(&big, 65537, MANY);
}

/* The proofs of the certificate-transparency reference tests, for their tree of eight leaves. */
static void proofs_are_those_of_the_reference_tests(void **state)
{
    (void)state;
    static const char *const EXPECTED[] = {
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    };
    static const char *const INPUTS[] = {
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    };
    struct digest kept[8];
    memcpy(kept, leaves, sizeof(kept));
    for (size_t i = 0; i < countof(INPUTS); i++) {
        uint8_t bytes[16];
        size_t length = strlen(INPUTS[i]) / 2;
        assert_int_equal(hex_decode(bytes, length, INPUTS[i]), 0);
        suite_leaf(suite, &leaves[i], bytes, length);
    }
    struct tile_source source = {read_tile, NULL, suite, 8, NULL};
    struct buffer proof = {0};
    assert_int_equal(tile_prove_inclusion(&source, &proof, 0, 8), 0);
    assert_int_equal(proof.length, countof(EXPECTED) * DIGEST_BYTES);
    for (size_t i = 0; i < countof(EXPECTED); i++) {
        char digits[2 * DIGEST_BYTES + 1];
        hex_encode(digits, proof.bytes + i * DIGEST_BYTES, DIGEST_BYTES);
        assert_string_equal(digits, EXPECTED[i]);
    }
    buffer_free(&proof);
    memcpy(leaves, kept, sizeof(kept));
}

static int read_short(void *owner, struct buffer *out, int level, uint64_t index,
                      unsigned width)
{
    read_tile(owner, out, level, index, width);
    out->length--;
    return 0;
}

static int read_nothing(void *owner, struct buffer *out, int level, uint64_t index,
                        unsigned width)
{
    (void)owner;
    (void)out;
    (void)level;
    (void)index;
    (void)width;
    return -ENOENT;
}

static void a_short_or_missing_tile_is_an_error(void **state)
{
    (void)state;
    struct buffer proof = {0};
    struct digest root;
    struct tile_source cut = {read_short, NULL, suite, 10, NULL};
    struct tile_source missing = {read_nothing, NULL, suite, 10, NULL};
    assert_int_equal(tile_root(&cut, &root, 10), -EBADMSG);
    assert_int_equal(tile_root(&missing, &root, 10), -ENOENT);
    assert_int_equal(tile_prove_inclusion(&cut, &proof, 3, 10), -EBADMSG);
    assert_int_equal(tile_prove_consistency(&missing, &proof, 3, 10), -ENOENT);
    buffer_free(&proof);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_those_of_tlog_tiles),
        cmocka_unit_test(widths_follow_from_the_size),
        cmocka_unit_test(roots_come_out_of_tiles),
        cmocka_unit_test(every_leaf_of_every_size_is_proven),
        cmocka_unit_test(growth_between_all_sizes_is_proven),
        cmocka_unit_test(proofs_are_those_of_the_reference_tests),
        cmocka_unit_test(a_short_or_missing_tile_is_an_error),
    };
    return cmocka_run_group_tests(tests, start_leaves, stop_leaves);
}
