/* cipher - see cipher.h.
 *
 * Rule of this file: what OpenSSL refuses of ours is a broken library, and aborts; only the tag may
 * be wrong. */
#include "proof/cipher.h"

#include <errno.h>
#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <string.h>

#include "base/base.h"
#include "base/mem.h"

struct cipher {
    EVP_CIPHER *function;
    EVP_CIPHER_CTX *seals;
    EVP_CIPHER_CTX *unseals;
};

static OSSL_PARAM part(const char *name, const void *bytes, size_t length)
{
    return OSSL_PARAM_construct_octet_string(name, (void *)(uintptr_t)bytes, length);
}

void cipher_derive(uint8_t key[CIPHER_KEY_BYTES], const void *secret,
                   size_t secret_length, const void *salt, size_t salt_length,
                   const char *purpose)
{
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        part(OSSL_KDF_PARAM_KEY, secret, secret_length),
        part(OSSL_KDF_PARAM_SALT, salt, salt_length),
        part(OSSL_KDF_PARAM_INFO, purpose, strlen(purpose)), OSSL_PARAM_construct_end()};
    EVP_KDF *function = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(function);
    ASSERT(context != NULL);
    int good = EVP_KDF_derive(context, key, CIPHER_KEY_BYTES, params);
    ASSERT(good == 1);
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(function);
}

struct cipher *cipher_new(const uint8_t key[CIPHER_KEY_BYTES])
{
    struct cipher *cipher = mem_new(struct cipher);
    cipher->function = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    cipher->seals = EVP_CIPHER_CTX_new();
    cipher->unseals = EVP_CIPHER_CTX_new();
    ASSERT(cipher->function != NULL && cipher->seals != NULL && cipher->unseals != NULL);
    int good = EVP_EncryptInit_ex2(cipher->seals, cipher->function, key, NULL, NULL);
    if (good == 1)
        good = EVP_DecryptInit_ex2(cipher->unseals, cipher->function, key, NULL, NULL);
    ASSERT(good == 1);
    return cipher;
}

void cipher_free(struct cipher *cipher)
{
    if (cipher == NULL)
        return;
    EVP_CIPHER_CTX_free(cipher->seals);
    EVP_CIPHER_CTX_free(cipher->unseals);
    EVP_CIPHER_free(cipher->function);
    mem_free(cipher);
}

void cipher_seal(struct cipher *cipher, const uint8_t nonce[CIPHER_NONCE_BYTES],
                 const void *plain, size_t length, void *sealed)
{
    uint8_t *out = sealed;
    int count = 0, end = 0;
    ASSERT(length < INT_MAX);
    int good = EVP_EncryptInit_ex2(cipher->seals, NULL, NULL, nonce, NULL);
    if (good == 1)
        good = EVP_EncryptUpdate(cipher->seals, out, &count, plain, (int)length);
    if (good == 1)
        good = EVP_EncryptFinal_ex(cipher->seals, out + count, &end);
    if (good == 1)
        good = EVP_CIPHER_CTX_ctrl(cipher->seals, EVP_CTRL_AEAD_GET_TAG, CIPHER_TAG_BYTES,
                                   out + length);
    ASSERT(good == 1 && (size_t)(count + end) == length);
}

int cipher_unseal(struct cipher *cipher, const uint8_t nonce[CIPHER_NONCE_BYTES],
                  const void *sealed, size_t length, void *plain)
{
    const uint8_t *in = sealed;
    uint8_t tag[CIPHER_TAG_BYTES];
    int count = 0, end = 0;
    if (length < CIPHER_TAG_BYTES || length >= INT_MAX)
        return -EBADMSG;
    size_t inside = length - CIPHER_TAG_BYTES;
    memcpy(tag, in + inside, sizeof(tag));
    int good = EVP_DecryptInit_ex2(cipher->unseals, NULL, NULL, nonce, NULL);
    if (good == 1)
        good =
            EVP_CIPHER_CTX_ctrl(cipher->unseals, EVP_CTRL_AEAD_SET_TAG, sizeof(tag), tag);
    if (good == 1)
        good = EVP_DecryptUpdate(cipher->unseals, plain, &count, in, (int)inside);
    ASSERT(good == 1);
    uint8_t none;
    return EVP_DecryptFinal_ex(cipher->unseals, &none, &end) == 1 ? 0 : -EBADMSG;
}
