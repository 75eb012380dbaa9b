/* algorithm - see algorithm.h.
 *
 * Rule of this file: what OpenSSL refuses because of foreign bytes is an answer, and its error
 * queue is emptied; what it refuses of ours is a broken library, and aborts. */
#include "proof/algorithm.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/base.h"
#include "base/mem.h"

static const char SM2_ID[] =
    "1234567812345678"; /* GM/T 0009: the id when none was agreed on */

enum { ED25519_BYTES = 32, SM2_POINT_BYTES = 65, SM2_UNCOMPRESSED = 4 };

struct algorithm_hash {
    EVP_MD *function;
    EVP_MD_CTX *context;
};

/* An EVP_PKEY by another name. */
static EVP_PKEY *inside(const struct algorithm_pair *pair)
{
    return (EVP_PKEY *)(uintptr_t)pair;
}

static struct algorithm_pair *outside(EVP_PKEY *key)
{
    return (struct algorithm_pair *)key;
}

struct algorithm_hash *algorithm_hash_new(const char *name)
{
    struct algorithm_hash *hash = mem_new(struct algorithm_hash);
    hash->function = EVP_MD_fetch(NULL, name, NULL);
    hash->context = EVP_MD_CTX_new();
    ASSERT(hash->function != NULL && hash->context != NULL);
    ASSERT(EVP_MD_get_size(hash->function) == ALGORITHM_HASH_BYTES);
    return hash;
}

void algorithm_hash_free(struct algorithm_hash *hash)
{
    EVP_MD_CTX_free(hash->context);
    EVP_MD_free(hash->function);
    mem_free(hash);
}

void algorithm_hash_begin(struct algorithm_hash *hash)
{
    int good = EVP_DigestInit_ex(hash->context, hash->function, NULL);
    ASSERT(good == 1);
}

void algorithm_hash_add(struct algorithm_hash *hash, const void *bytes, size_t length)
{
    int good = EVP_DigestUpdate(hash->context, bytes, length);
    ASSERT(good == 1);
}

void algorithm_hash_end(struct algorithm_hash *hash, uint8_t out[ALGORITHM_HASH_BYTES])
{
    int good = EVP_DigestFinal_ex(hash->context, out, NULL);
    ASSERT(good == 1);
}

void algorithm_hash_parts(struct algorithm_hash *hash, uint8_t out[ALGORITHM_HASH_BYTES],
                          const struct algorithm_part *parts, size_t count)
{
    algorithm_hash_begin(hash);
    for (size_t i = 0; i < count; i++)
        algorithm_hash_add(hash, parts[i].bytes, parts[i].length);
    algorithm_hash_end(hash, out);
}

struct algorithm_pair *algorithm_pair_make(const char *name)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, name);
    ASSERT(key != NULL);
    return outside(key);
}

void algorithm_pair_free(struct algorithm_pair *pair)
{
    EVP_PKEY_free(inside(pair));
}

bool algorithm_pair_is(const struct algorithm_pair *pair, const char *name)
{
    return EVP_PKEY_is_a(inside(pair), name) == 1;
}

void algorithm_pair_print(const struct algorithm_pair *pair, struct buffer *out)
{
    unsigned char *bytes = NULL;
    size_t length = EVP_PKEY_get1_encoded_public_key(inside(pair), &bytes);
    if (length > 0) {
        buffer_append(out, bytes, length);
        OPENSSL_free(bytes);
        return;
    }
    ERR_clear_error();
    length = ED25519_BYTES;
    int good = EVP_PKEY_get_raw_public_key(
        inside(pair), (unsigned char *)buffer_grow(out, length), &length);
    ASSERT(good == 1 && length == ED25519_BYTES);
}

static EVP_PKEY *read_sm2(const unsigned char *point, size_t length)
{
    char group[] = "SM2";
    OSSL_PARAM parts[] = {
        OSSL_PARAM_construct_utf8_string("group", group, 0),
        OSSL_PARAM_construct_octet_string("pub", (void *)(uintptr_t)point, length),
        OSSL_PARAM_construct_end(),
    };
    if (length != SM2_POINT_BYTES || point[0] != SM2_UNCOMPRESSED)
        return NULL;
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "SM2", NULL);
    ASSERT(context != NULL && EVP_PKEY_fromdata_init(context) == 1);
    if (EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parts) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(context);
    return key;
}

struct algorithm_pair *algorithm_pair_read(const char *name, const void *bytes,
                                           size_t length)
{
    EVP_PKEY *key = strcmp(name, "SM2") == 0
                        ? read_sm2(bytes, length)
                        : EVP_PKEY_new_raw_public_key_ex(NULL, name, NULL, bytes, length);
    ERR_clear_error();
    return outside(key);
}

void algorithm_pair_save(const struct algorithm_pair *pair, struct buffer *out)
{
    char *text = NULL;
    BIO *memory = BIO_new(BIO_s_secmem());
    ASSERT(memory != NULL);
    int good =
        PEM_write_bio_PKCS8PrivateKey(memory, inside(pair), NULL, NULL, 0, NULL, NULL);
    long length = BIO_get_mem_data(memory, &text);
    ASSERT(good == 1 && length > 0);
    buffer_append(out, text, (size_t)length);
    BIO_free(memory);
}

static int no_password(char *text, int room, int writing, void *owner)
{
    (void)text;
    (void)room;
    (void)writing;
    (void)owner;
    return -1;
}

struct algorithm_pair *algorithm_pair_load(const void *pem, size_t length)
{
    ASSERT(length < INT32_MAX);
    BIO *memory = BIO_new_mem_buf(pem, (int)length);
    ASSERT(memory != NULL);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(memory, NULL, no_password, NULL);
    BIO_free(memory);
    ERR_clear_error();
    return outside(key);
}

/* A context for one signature. SM2 hashes the signer's id first; Ed25519 knows no id. */
static EVP_MD_CTX *open_signing(const struct algorithm_pair *pair,
                                EVP_PKEY_CTX **parameters)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    *parameters = EVP_PKEY_CTX_new_from_pkey(NULL, inside(pair), NULL);
    ASSERT(context != NULL && *parameters != NULL);
    EVP_MD_CTX_set_pkey_ctx(context, *parameters);
    return context;
}

static const char *digest_name(const struct algorithm_pair *pair)
{
    return algorithm_pair_is(pair, "SM2") ? "SM3" : NULL;
}

static void put_id(const struct algorithm_pair *pair, EVP_PKEY_CTX *parameters)
{
    if (!algorithm_pair_is(pair, "SM2"))
        return;
    int good = EVP_PKEY_CTX_set1_id(parameters, SM2_ID, (int)strlen(SM2_ID));
    ASSERT(good == 1);
}

void algorithm_pair_sign(const struct algorithm_pair *pair, struct buffer *out,
                         const void *text, size_t length)
{
    EVP_PKEY_CTX *parameters;
    EVP_MD_CTX *context = open_signing(pair, &parameters);
    put_id(pair, parameters);
    int good = EVP_DigestSignInit_ex(context, NULL, digest_name(pair), NULL, NULL,
                                     inside(pair), NULL);
    size_t signed_length = ALGORITHM_SIGNATURE_MAX;
    unsigned char signature[ALGORITHM_SIGNATURE_MAX];
    good &= EVP_DigestSign(context, signature, &signed_length, text, length);
    ASSERT(good == 1);
    buffer_append(out, signature, signed_length);
    EVP_MD_CTX_free(context);
    EVP_PKEY_CTX_free(parameters);
}

bool algorithm_pair_check(const struct algorithm_pair *pair, const void *signature,
                          size_t signature_length, const void *text, size_t length)
{
    EVP_PKEY_CTX *parameters;
    EVP_MD_CTX *context = open_signing(pair, &parameters);
    put_id(pair, parameters);
    int good = EVP_DigestVerifyInit_ex(context, NULL, digest_name(pair), NULL, NULL,
                                       inside(pair), NULL);
    ASSERT(good == 1);
    good = EVP_DigestVerify(context, signature, signature_length, text, length);
    EVP_MD_CTX_free(context);
    EVP_PKEY_CTX_free(parameters);
    ERR_clear_error();
    return good == 1;
}
