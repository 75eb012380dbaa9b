/* The door to OpenSSL: RFC 8032's signatures, and keys that are none. */
#include "proof/algorithm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"
#include "base/hex.h"

/* RFC 8032 7.1, test 2. */
static const char PUBLIC[] =
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
static const char SIGNATURE[] =
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";

static void ed25519_is_that_of_rfc_8032(void **state)
{
    (void)state;
    uint8_t key[32], signature[64];
    assert_int_equal(hex_decode(key, sizeof(key), PUBLIC), 0);
    assert_int_equal(hex_decode(signature, sizeof(signature), SIGNATURE), 0);
    struct algorithm_pair *pair = algorithm_pair_read("ED25519", key, sizeof(key));
    assert_non_null(pair);
    assert_true(algorithm_pair_check(pair, signature, sizeof(signature), "\x72", 1));
    assert_false(algorithm_pair_check(pair, signature, sizeof(signature), "\x73", 1));
    assert_false(algorithm_pair_check(pair, signature, sizeof(signature) - 1, "\x72", 1));
    assert_false(algorithm_pair_check(pair, signature, 0, "\x72", 1));
    algorithm_pair_free(pair);
}

static void check_round_trip(const char *name, size_t public_length)
{
    struct buffer public_bytes = {0}, pem = {0}, signature = {0};
    struct algorithm_pair *pair = algorithm_pair_make(name);
    algorithm_pair_print(pair, &public_bytes);
    algorithm_pair_save(pair, &pem);
    assert_int_equal(public_bytes.length, public_length);
    struct algorithm_pair *loaded = algorithm_pair_load(pem.bytes, pem.length);
    struct algorithm_pair *verifier =
        algorithm_pair_read(name, public_bytes.bytes, public_bytes.length);
    assert_true(loaded != NULL && verifier != NULL);
    assert_true(algorithm_pair_is(loaded, name) && algorithm_pair_is(verifier, name));
    algorithm_pair_sign(loaded, &signature, "text", 4);
    assert_true(signature.length <= ALGORITHM_SIGNATURE_MAX);
    assert_true(
        algorithm_pair_check(verifier, signature.bytes, signature.length, "text", 4));
    assert_false(
        algorithm_pair_check(verifier, signature.bytes, signature.length, "next", 4));
    algorithm_pair_free(pair);
    algorithm_pair_free(loaded);
    algorithm_pair_free(verifier);
    buffer_free(&public_bytes);
    buffer_free(&pem);
    buffer_free(&signature);
}

static void what_a_saved_pair_signs_its_public_half_checks(void **state)
{
    (void)state;
    check_round_trip("ED25519", 32);
    check_round_trip("SM2", 65);
}

static void points_off_the_curve_are_no_keys(void **state)
{
    (void)state;
    uint8_t point[65] = {4, 1, 2, 3};
    assert_null(algorithm_pair_read("SM2", point, sizeof(point)));
    assert_null(algorithm_pair_read("SM2", point, 33));
    assert_null(algorithm_pair_read("ED25519", point, 31));
    assert_null(algorithm_pair_load("nonsense", 8));
    assert_null(algorithm_pair_load("", 0));
}

static void parts_hash_like_one_text(void **state)
{
    (void)state;
    struct algorithm_hash *hash = algorithm_hash_new("SHA256");
    uint8_t one[ALGORITHM_HASH_BYTES], many[ALGORITHM_HASH_BYTES];
    const struct algorithm_part whole[] = {{"abcdef", 6}};
    const struct algorithm_part parts[] = {{"ab", 2}, {"", 0}, {"cdef", 4}};
    algorithm_hash_parts(hash, one, whole, countof(whole));
    algorithm_hash_parts(hash, many, parts, countof(parts));
    assert_memory_equal(one, many, sizeof(one));
    algorithm_hash_free(hash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ed25519_is_that_of_rfc_8032),
        cmocka_unit_test(what_a_saved_pair_signs_its_public_half_checks),
        cmocka_unit_test(points_off_the_curve_are_no_keys),
        cmocka_unit_test(parts_hash_like_one_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
