/* digest - what names bytes: SHA-256, SM3 and MD5, and HMAC-SHA256 for what only a key's holder may name.
 *
 * MD5 is there for devices that send one; it proves nothing. SHA-512/256 is there for logins. */
#ifndef HOST_MODULE_DIGEST_H
#define HOST_MODULE_DIGEST_H

#include <stddef.h>

enum { DIGEST_BYTES_MAX = 32 };

enum digest_kind { DIGEST_SHA256, DIGEST_SM3, DIGEST_MD5, DIGEST_SHA512_256 };

/* Loads the library; a second time does nothing. 0 or a negative errno. Before everything else. */
int digest_open(void);

/* Writes the digest and returns its length. */
size_t digest_take(unsigned char out[DIGEST_BYTES_MAX], enum digest_kind kind,
                   const void *bytes, size_t length);

size_t digest_hmac_sha256(unsigned char out[DIGEST_BYTES_MAX], const void *key,
                          size_t key_length, const void *bytes, size_t length);

#endif
