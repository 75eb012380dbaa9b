/* digest - see digest.h.
 *
 * The library is loaded by hand (library.h): whoever takes a digest pays 60 KB for it, and the others
 * nothing. */
#include "host/module/digest.h"

#include <errno.h>
#include <nettle/hmac.h>
#include <nettle/md5.h>
#include <nettle/nettle-meta.h>
#include <nettle/sha2.h>
#include <nettle/sm3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/base.h"
#include "host/module/library.h"

static const char LIBRARY[] = "libnettle.so.8";

static struct nettle {
    const struct nettle_hash *kinds[DIGEST_SHA512_256 + 1];
    __typeof__(&nettle_hmac_sha256_set_key) hmac_set_key;
    __typeof__(&nettle_hmac_sha256_update) hmac_update;
    __typeof__(&nettle_hmac_sha256_digest) hmac_digest;
    bool is_open;
} nettle;

static const struct library_symbol SYMBOLS[] = {
    {"nettle_sha256", offsetof(struct nettle, kinds[DIGEST_SHA256])},
    {"nettle_sm3", offsetof(struct nettle, kinds[DIGEST_SM3])},
    {"nettle_md5", offsetof(struct nettle, kinds[DIGEST_MD5])},
    {"nettle_sha512_256", offsetof(struct nettle, kinds[DIGEST_SHA512_256])},
    {"nettle_hmac_sha256_set_key", offsetof(struct nettle, hmac_set_key)},
    {"nettle_hmac_sha256_update", offsetof(struct nettle, hmac_update)},
    {"nettle_hmac_sha256_digest", offsetof(struct nettle, hmac_digest)},
};

int digest_open(void)
{
    if (nettle.is_open)
        return 0;
    int err = library_load(LIBRARY, SYMBOLS, countof(SYMBOLS), &nettle);
    nettle.is_open = err == 0;
    return err;
}

size_t digest_take(unsigned char out[DIGEST_BYTES_MAX], enum digest_kind kind,
                   const void *bytes, size_t length)
{
    union {
        struct sha256_ctx sha256;
        struct sm3_ctx sm3;
        struct md5_ctx md5;
        struct sha512_256_ctx sha512_256;
    } so_far;
    ASSERT(nettle.is_open);
    const struct nettle_hash *hash = nettle.kinds[kind];
    ASSERT(hash->context_size <= sizeof(so_far) && hash->digest_size <= DIGEST_BYTES_MAX);
    hash->init(&so_far);
    hash->update(&so_far, length, bytes);
    hash->digest(&so_far, hash->digest_size, out);
    return hash->digest_size;
}

size_t digest_hmac_sha256(unsigned char out[DIGEST_BYTES_MAX], const void *key,
                          size_t key_length, const void *bytes, size_t length)
{
    struct hmac_sha256_ctx so_far;
    ASSERT(nettle.is_open);
    nettle.hmac_set_key(&so_far, key_length, key);
    nettle.hmac_update(&so_far, length, bytes);
    nettle.hmac_digest(&so_far, SHA256_DIGEST_SIZE, out);
    return SHA256_DIGEST_SIZE;
}
