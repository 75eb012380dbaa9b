/* Sealing and deriving against published vectors; whatever is changed is found. */
#include "proof/cipher.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/hex.h"

static void expect_hex(const void *bytes, size_t length, const char *expected)
{
    char text[256];
    hex_encode(text, bytes, length);
    assert_string_equal(text, expected);
}

static void deriving_is_that_of_rfc_5869(void **state)
{
    (void)state;
    uint8_t secret[22], salt[13], key[CIPHER_KEY_BYTES];
    memset(secret, 0x0b, sizeof(secret));
    for (uint8_t i = 0; i < sizeof(salt); i++)
        salt[i] = i;
    cipher_derive(key, secret, sizeof(secret), salt, sizeof(salt),
                  "\xf0\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9");
    expect_hex(key, sizeof(key),
               "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf");
}

static void another_salt_or_purpose_is_another_key(void **state)
{
    (void)state;
    uint8_t one[CIPHER_KEY_BYTES], other[CIPHER_KEY_BYTES];
    cipher_derive(one, "secret", 6, "salt", 4, "purpose");
    cipher_derive(other, "secret", 6, "salt", 4, "purpose");
    assert_memory_equal(one, other, sizeof(one));
    cipher_derive(other, "secret", 6, "salT", 4, "purpose");
    assert_memory_not_equal(one, other, sizeof(one));
    cipher_derive(other, "secret", 6, "salt", 4, "another");
    assert_memory_not_equal(one, other, sizeof(one));
}

/* Test cases 13 and 14 of the GCM specification. */
static void sealing_is_that_of_the_gcm_specification(void **state)
{
    (void)state;
    static const uint8_t key[CIPHER_KEY_BYTES], nonce[CIPHER_NONCE_BYTES], plain[16];
    uint8_t sealed[16 + CIPHER_TAG_BYTES], back[16];
    struct cipher *cipher = cipher_new(key);
    cipher_seal(cipher, nonce, "", 0, sealed);
    expect_hex(sealed, CIPHER_TAG_BYTES, "530f8afbc74536b9a963b4f1c4cb738b");
    assert_int_equal(cipher_unseal(cipher, nonce, sealed, CIPHER_TAG_BYTES, back), 0);
    cipher_seal(cipher, nonce, plain, sizeof(plain), sealed);
    expect_hex(sealed, sizeof(sealed),
               "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
    assert_int_equal(cipher_unseal(cipher, nonce, sealed, sizeof(sealed), back), 0);
    assert_memory_equal(back, plain, sizeof(plain));
    cipher_free(cipher);
}

static void every_changed_bit_is_found(void **state)
{
    (void)state;
    uint8_t key[CIPHER_KEY_BYTES] = {1}, nonce[CIPHER_NONCE_BYTES] = {2};
    uint8_t sealed[5 + CIPHER_TAG_BYTES], back[5];
    struct cipher *cipher = cipher_new(key);
    cipher_seal(cipher, nonce, "hello", 5, sealed);
    for (size_t bit = 0; bit < 8 * sizeof(sealed); bit++) {
        sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(cipher_unseal(cipher, nonce, sealed, sizeof(sealed), back),
                         -EBADMSG);
        sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    nonce[0]++;
    assert_int_equal(cipher_unseal(cipher, nonce, sealed, sizeof(sealed), back),
                     -EBADMSG);
    nonce[0]--;
    assert_int_equal(cipher_unseal(cipher, nonce, sealed, sizeof(sealed) - 1, back),
                     -EBADMSG);
    assert_int_equal(cipher_unseal(cipher, nonce, sealed, CIPHER_TAG_BYTES - 1, back),
                     -EBADMSG);
    assert_int_equal(cipher_unseal(cipher, nonce, sealed, sizeof(sealed), back), 0);
    assert_memory_equal(back, "hello", 5);
    cipher_free(cipher);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deriving_is_that_of_rfc_5869),
        cmocka_unit_test(another_salt_or_purpose_is_another_key),
        cmocka_unit_test(sealing_is_that_of_the_gcm_specification),
        cmocka_unit_test(every_changed_bit_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
