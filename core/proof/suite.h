/* suite - the algorithms of a log: how it hashes and how it signs.
 *
 * "sha256+ed25519" (the default) or "sm3+sm2" (GB/T 32905, GB/T 32918). A log keeps its suite for
 * ever. Hashes are those of RFC 9162: leaf = H(0x00 || event), node = H(0x01 || left || right). */
#ifndef PROOF_SUITE_H
#define PROOF_SUITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DIGEST_BYTES = 32 };

struct digest {
    uint8_t bytes[DIGEST_BYTES];
};

struct suite;

/* The suite of that name, or NULL. Suites are constant and never freed. */
const struct suite *suite_named(const char *name);
const char *suite_name(const struct suite *suite);
/* The kind of its key pairs, as algorithm.h names it. */
const char *suite_signature(const struct suite *suite);

void suite_hash(const struct suite *suite, struct digest *out, const void *bytes,
                size_t length);
/* The hash of a file, read a part at a time; a negative errno when it cannot be read. */
int suite_hash_file(const struct suite *suite, struct digest *out, const char *path);
void suite_leaf(const struct suite *suite, struct digest *out, const void *event,
                size_t length);
void suite_node(const struct suite *suite, struct digest *out, const struct digest *left,
                const struct digest *right);
bool digest_equal(const struct digest *a, const struct digest *b);

#endif
