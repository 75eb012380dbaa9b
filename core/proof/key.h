/* key - a named signing key, or only its public half (a verifier).
 *
 * On disk: private keys as PKCS#8 PEM (mode 0600) headed by a comment line with the name; public
 * ones as one line, the "vkey" of C2SP signed-note: name+<key id, 8 hex digits>+<base64 of the
 * algorithm byte and the public key>. Ed25519 is algorithm 0x01; SM2 is 0xff, followed by the text
 * "sm2-with-sm3" NUL and the public key (65 bytes, uncompressed point). */
#ifndef PROOF_KEY_H
#define PROOF_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "proof/suite.h"

enum { KEY_NAME_MAX = 128, KEY_SIGNATURE_MAX = 128 };

struct key;

/* A name has 1 to KEY_NAME_MAX printable ASCII letters without space and '+'. */
bool key_is_name(const char *name);

/* A new random key pair for the suite's signature. 0 or -EINVAL (name). */
int key_make(struct key **out, const struct suite *suite, const char *name);

/* Reads a private key file. 0, the errno of reading, -EPROTO (not such a file). */
int key_load(struct key **out, const char *path);
/* Writes it durably, mode 0600; never over an existing file (-EEXIST). */
int key_save(const struct key *key, const char *path);

/* Reads a vkey line (white space around it is fine). 0 or -EPROTO. */
int key_read_verifier(struct key **out, const char *vkey);
int key_load_verifier(struct key **out, const char *path);
/* Appends the vkey, without a newline. */
void key_print_verifier(const struct key *key, struct buffer *out);

void key_free(struct key *key);
const char *key_name(const struct key *key);
uint32_t key_id(const struct key *key);
const struct suite *key_suite(const struct key *key);

/* Appends the signature; the key must have its private half. */
void key_sign(const struct key *key, struct buffer *signature, const void *text,
              size_t length);
/* 0 or -EBADMSG. */
int key_check(const struct key *key, const void *signature, size_t signature_length,
              const void *text, size_t length);

#endif
