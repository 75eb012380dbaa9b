/* suite - see suite.h.
 *
 * Each suite keeps one hashing context for ever: making one costs more than hashing an event. */
#include "proof/suite.h"

#include <string.h>

#include "base/base.h"
#include "base/file.h"
#include "proof/algorithm.h"

struct suite {
    const char *name;
    const char *hash;
    const char *signature;
};

static const struct suite SUITES[] = {
    {"sha256+ed25519", "SHA256", "ED25519"},
    {"sm3+sm2", "SM3", "SM2"},
};

const struct suite *suite_named(const char *name)
{
    for (size_t i = 0; i < countof(SUITES); i++)
        if (strcmp(SUITES[i].name, name) == 0)
            return &SUITES[i];
    return NULL;
}

const char *suite_name(const struct suite *suite)
{
    return suite->name;
}

const char *suite_signature(const struct suite *suite)
{
    return suite->signature;
}

static struct algorithm_hash *hash_of(const struct suite *suite)
{
    static struct algorithm_hash *hashes[countof(SUITES)];
    size_t i = (size_t)(suite - SUITES);
    ASSERT(i < countof(SUITES));
    if (hashes[i] == NULL)
        hashes[i] = algorithm_hash_new(suite->hash);
    return hashes[i];
}

void suite_hash(const struct suite *suite, struct digest *out, const void *bytes,
                size_t length)
{
    const struct algorithm_part parts[] = {{bytes, length}};
    algorithm_hash_parts(hash_of(suite), out->bytes, parts, countof(parts));
}

static int add_part(void *hash, const void *bytes, size_t length)
{
    algorithm_hash_add(hash, bytes, length);
    return 0;
}

int suite_hash_file(const struct suite *suite, struct digest *out, const char *path)
{
    struct algorithm_hash *hash = hash_of(suite);
    algorithm_hash_begin(hash);
    int err = file_each_part(path, add_part, hash);
    algorithm_hash_end(hash, out->bytes);
    return err;
}

void suite_leaf(const struct suite *suite, struct digest *out, const void *event,
                size_t length)
{
    const struct algorithm_part parts[] = {{"\0", 1}, {event, length}};
    algorithm_hash_parts(hash_of(suite), out->bytes, parts, countof(parts));
}

void suite_node(const struct suite *suite, struct digest *out, const struct digest *left,
                const struct digest *right)
{
    const struct algorithm_part parts[] = {
        {"\1", 1}, {left->bytes, DIGEST_BYTES}, {right->bytes, DIGEST_BYTES}};
    algorithm_hash_parts(hash_of(suite), out->bytes, parts, countof(parts));
}

bool digest_equal(const struct digest *a, const struct digest *b)
{
    return memcmp(a->bytes, b->bytes, DIGEST_BYTES) == 0;
}
