/* algorithm - what a suite is made of: a hash function and key pairs, by OpenSSL's names.
 *
 * The door to OpenSSL, with cipher.h: no other file of this room includes its headers. Names are "SHA256" and
 * "SM3" for hashes, "ED25519" and "SM2" (digest SM3, the standard's default id) for key pairs. */
#ifndef PROOF_ALGORITHM_H
#define PROOF_ALGORITHM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

enum { ALGORITHM_HASH_BYTES = 32, ALGORITHM_SIGNATURE_MAX = 72 };

/* A hash function that is looked up once and used again and again, by one thread. */
struct algorithm_hash;
struct algorithm_hash *algorithm_hash_new(const char *name);
void algorithm_hash_free(struct algorithm_hash *hash);

/* Hashes `count` parts as if they were one text. */
struct algorithm_part {
    const void *bytes;
    size_t length;
};
void algorithm_hash_parts(struct algorithm_hash *hash, uint8_t out[ALGORITHM_HASH_BYTES],
                          const struct algorithm_part *parts, size_t count);

/* The same for a text that comes in pieces: begin, add ..., end; nothing else is hashed meanwhile. */
void algorithm_hash_begin(struct algorithm_hash *hash);
void algorithm_hash_add(struct algorithm_hash *hash, const void *bytes, size_t length);
void algorithm_hash_end(struct algorithm_hash *hash, uint8_t out[ALGORITHM_HASH_BYTES]);

/* A key pair, or only its public half. */
struct algorithm_pair;
struct algorithm_pair *algorithm_pair_make(const char *name);
void algorithm_pair_free(struct algorithm_pair *pair);
bool algorithm_pair_is(const struct algorithm_pair *pair, const char *name);

/* The public half as bytes (Ed25519: 32; SM2: the uncompressed point, 65), and back: NULL when the
 * bytes are no such key. */
void algorithm_pair_print(const struct algorithm_pair *pair, struct buffer *out);
struct algorithm_pair *algorithm_pair_read(const char *name, const void *bytes,
                                           size_t length);

/* The whole pair as PKCS#8 PEM, and back: NULL when the text holds none. Passwords are not asked
 * for. */
void algorithm_pair_save(const struct algorithm_pair *pair, struct buffer *out);
struct algorithm_pair *algorithm_pair_load(const void *pem, size_t length);

/* Appends the signature. */
void algorithm_pair_sign(const struct algorithm_pair *pair, struct buffer *out,
                         const void *text, size_t length);
bool algorithm_pair_check(const struct algorithm_pair *pair, const void *signature,
                          size_t signature_length, const void *text, size_t length);

#endif
