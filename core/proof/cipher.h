/* cipher - bytes that nobody reads or changes without the key: AES-256-GCM, and HKDF-SHA256 for the
 * many keys out of one.
 *
 * A nonce is used once under a key: the caller counts. */
#ifndef PROOF_CIPHER_H
#define PROOF_CIPHER_H

#include <stddef.h>
#include <stdint.h>

enum { CIPHER_KEY_BYTES = 32, CIPHER_NONCE_BYTES = 12, CIPHER_TAG_BYTES = 16 };

/* Another key for each salt and purpose; who has it knows neither the secret nor another one. */
void cipher_derive(uint8_t key[CIPHER_KEY_BYTES], const void *secret,
                   size_t secret_length, const void *salt, size_t salt_length,
                   const char *purpose);

struct cipher;
struct cipher *cipher_new(const uint8_t key[CIPHER_KEY_BYTES]);
void cipher_free(struct cipher *cipher);

/* Writes length + CIPHER_TAG_BYTES bytes, not over `plain`. */
void cipher_seal(struct cipher *cipher, const uint8_t nonce[CIPHER_NONCE_BYTES],
                 const void *plain, size_t length, void *sealed);

/* Writes length - CIPHER_TAG_BYTES bytes, which count only when it returns 0; -EBADMSG when they
 * are not what was sealed with that key and nonce. */
int cipher_unseal(struct cipher *cipher, const uint8_t nonce[CIPHER_NONCE_BYTES],
                  const void *sealed, size_t length, void *plain);

#endif
