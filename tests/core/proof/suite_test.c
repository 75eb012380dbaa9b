/* Hashes of both suites against published vectors. */
#include "proof/suite.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/base.h"
#include "base/buffer.h"
#include "base/file.h"
#include "base/hex.h"

static void expect_hash(const char *suite, const char *text, size_t times,
                        const char *expected)
{
    static char bytes[1024];
    struct digest digest;
    char digits[2 * DIGEST_BYTES + 1];
    size_t length = strlen(text);
    for (size_t i = 0; i < times; i++)
        memcpy(bytes + i * length, text, length);
    suite_hash(suite_named(suite), &digest, bytes, times * length);
    hex_encode(digits, digest.bytes, DIGEST_BYTES);
    assert_string_equal(digits, expected);
}

static void sha256_is_that_of_fips_180(void **state)
{
    (void)state;
    expect_hash("sha256+ed25519", "", 1,
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect_hash("sha256+ed25519", "abc", 1,
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void sm3_is_that_of_gb_t_32905(void **state)
{
    (void)state;
    expect_hash("sm3+sm2", "abc", 1,
                "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0");
    expect_hash("sm3+sm2", "abcd", 16,
                "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732");
}

static void leaves_and_nodes_have_their_own_first_byte(void **state)
{
    (void)state;
    static const char *const NAMES[] = {"sha256+ed25519", "sm3+sm2"};
    for (size_t i = 0; i < countof(NAMES); i++) {
        const struct suite *suite = suite_named(NAMES[i]);
        uint8_t bytes[1 + 2 * DIGEST_BYTES] = {0};
        struct digest got, expected, left = {{1}}, right = {{2}};
        suite_hash(suite, &expected, "\0event", 6);
        suite_leaf(suite, &got, "event", 5);
        assert_true(digest_equal(&got, &expected));
        bytes[0] = 1;
        memcpy(bytes + 1, left.bytes, DIGEST_BYTES);
        memcpy(bytes + 1 + DIGEST_BYTES, right.bytes, DIGEST_BYTES);
        suite_hash(suite, &expected, bytes, sizeof(bytes));
        suite_node(suite, &got, &left, &right);
        assert_true(digest_equal(&got, &expected));
    }
}

static void a_node_may_be_written_over_its_own_child(void **state)
{
    (void)state;
    const struct suite *suite = suite_named("sha256+ed25519");
    struct digest left = {{1}}, right = {{2}}, expected;
    suite_node(suite, &expected, &left, &right);
    suite_node(suite, &right, &left, &right);
    assert_true(digest_equal(&right, &expected));
}

/* More than one part, and no whole number of them. */
static void a_file_hashes_as_its_bytes(void **state)
{
    (void)state;
    char path[] = "/tmp/outpost-suite-XXXXXX";
    struct buffer bytes = {0};
    struct digest whole, parts;
    close(mkstemp(path));
    for (int i = 0; i < 40000; i++)
        buffer_printf(&bytes, "%d,", i);
    assert_int_equal(file_put(path, bytes.bytes, bytes.length, 0600), 0);
    suite_hash(suite_named("sm3+sm2"), &whole, bytes.bytes, bytes.length);
    assert_int_equal(suite_hash_file(suite_named("sm3+sm2"), &parts, path), 0);
    assert_true(digest_equal(&whole, &parts));
    unlink(path);
    assert_int_equal(suite_hash_file(suite_named("sm3+sm2"), &parts, path), -ENOENT);
    assert_int_equal(suite_hash_file(suite_named("sm3+sm2"), &parts, "/tmp"), -EINVAL);
    buffer_free(&bytes);
}

static void suites_are_found_by_name_only(void **state)
{
    (void)state;
    assert_null(suite_named("sha256"));
    assert_null(suite_named(""));
    assert_string_equal(suite_name(suite_named("sm3+sm2")), "sm3+sm2");
    assert_string_equal(suite_signature(suite_named("sm3+sm2")), "SM2");
    assert_string_equal(suite_signature(suite_named("sha256+ed25519")), "ED25519");
}

static void digests_differ_in_any_bit(void **state)
{
    (void)state;
    struct digest one = {{0}};
    for (int bit = 0; bit < 8 * DIGEST_BYTES; bit++) {
        struct digest two = {{0}};
        two.bytes[bit / 8] = (uint8_t)(1 << bit % 8);
        assert_false(digest_equal(&one, &two));
    }
    assert_true(digest_equal(&one, &one));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_is_that_of_fips_180),
        cmocka_unit_test(sm3_is_that_of_gb_t_32905),
        cmocka_unit_test(leaves_and_nodes_have_their_own_first_byte),
        cmocka_unit_test(a_node_may_be_written_over_its_own_child),
        cmocka_unit_test(a_file_hashes_as_its_bytes),
        cmocka_unit_test(suites_are_found_by_name_only),
        cmocka_unit_test(digests_differ_in_any_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
