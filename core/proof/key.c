/* key - see key.h.
 *
 * Invariant: `verifier` is what the key id is computed from: the algorithm byte and the public
 * key, as in a vkey. Private bytes are wiped from every buffer they pass through. */
#include "proof/key.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/mem.h"
#include "proof/algorithm.h"
#include "proof/base64.h"

enum { KEY_FILE_MAX = 4096, VKEY_MAX = 512, ID_BYTES = 4, ID_DIGITS = 8 };

struct key {
    char name[KEY_NAME_MAX + 1];
    const struct suite *suite;
    struct algorithm_pair *pair;
    bool has_private;
    struct buffer verifier;
    uint8_t id[ID_BYTES];
};

/* What a vkey says before the public key, by suite; SM2's ends with a NUL. */
static const char ED25519_PREFIX[] = {1};
static const char SM2_PREFIX[] = "\xffsm2-with-sm3";

static const struct form {
    const char *suite;
    const char *prefix;
    size_t prefix_length;
} FORMS[] = {
    {"sha256+ed25519", ED25519_PREFIX, sizeof(ED25519_PREFIX)},
    {"sm3+sm2", SM2_PREFIX, sizeof(SM2_PREFIX)},
};

bool key_is_name(const char *name)
{
    size_t length = strlen(name);
    if (length == 0 || length > KEY_NAME_MAX)
        return false;
    for (size_t i = 0; i < length; i++)
        if (name[i] <= ' ' || name[i] > '~' || name[i] == '+')
            return false;
    return true;
}

static const struct form *form_of(const struct suite *suite)
{
    for (size_t i = 0; i < countof(FORMS); i++)
        if (suite_named(FORMS[i].suite) == suite)
            return &FORMS[i];
    ASSERT(suite == NULL);
    return NULL;
}

/* The id is SHA-256 in both suites: it names the key, it proves nothing. */
static void compute_id(struct key *key)
{
    struct buffer text = {0};
    struct digest digest;
    buffer_printf(&text, "%s\n", key->name);
    buffer_append(&text, key->verifier.bytes, key->verifier.length);
    suite_hash(suite_named("sha256+ed25519"), &digest, text.bytes, text.length);
    memcpy(key->id, digest.bytes, ID_BYTES);
    buffer_free(&text);
}

/* Takes over `pair`. */
static struct key *new_key(const struct suite *suite, const char *name,
                           size_t name_length, struct algorithm_pair *pair,
                           bool has_private)
{
    struct key *key = mem_new(struct key);
    const struct form *form = form_of(suite);
    memcpy(key->name, name, name_length);
    key->suite = suite;
    key->pair = pair;
    key->has_private = has_private;
    buffer_append(&key->verifier, form->prefix, form->prefix_length);
    algorithm_pair_print(pair, &key->verifier);
    compute_id(key);
    return key;
}

void key_free(struct key *key)
{
    if (key == NULL)
        return;
    algorithm_pair_free(key->pair);
    buffer_free(&key->verifier);
    mem_free(key);
}

int key_make(struct key **out, const struct suite *suite, const char *name)
{
    if (!key_is_name(name))
        return -EINVAL;
    *out = new_key(suite, name, strlen(name), algorithm_pair_make(suite_signature(suite)),
                   true);
    return 0;
}

static void wipe(struct buffer *secret)
{
    if (secret->bytes != NULL)
        explicit_bzero(secret->bytes, secret->room);
    buffer_free(secret);
}

/* The name is what stands behind "# " on the first line. */
static int read_name(char name[KEY_NAME_MAX + 1], const struct buffer *file)
{
    const char *end = file->length > 0 ? memchr(file->bytes, '\n', file->length) : NULL;
    if (end == NULL || end - file->bytes < 3 || memcmp(file->bytes, "# ", 2) != 0)
        return -EPROTO;
    size_t length = (size_t)(end - file->bytes) - 2;
    if (length > KEY_NAME_MAX)
        return -EPROTO;
    memcpy(name, file->bytes + 2, length);
    name[length] = '\0';
    return strlen(name) == length && key_is_name(name) ? 0 : -EPROTO;
}

static const struct suite *suite_of(const struct algorithm_pair *pair)
{
    for (size_t i = 0; i < countof(FORMS); i++) {
        const struct suite *suite = suite_named(FORMS[i].suite);
        if (algorithm_pair_is(pair, suite_signature(suite)))
            return suite;
    }
    return NULL;
}

static int read_private(struct key **out, const struct buffer *file)
{
    char name[KEY_NAME_MAX + 1];
    int err = read_name(name, file);
    if (err)
        return err;
    struct algorithm_pair *pair = algorithm_pair_load(file->bytes, file->length);
    const struct suite *suite = pair == NULL ? NULL : suite_of(pair);
    if (suite == NULL) {
        algorithm_pair_free(pair);
        return -EPROTO;
    }
    *out = new_key(suite, name, strlen(name), pair, true);
    return 0;
}

int key_load(struct key **out, const char *path)
{
    struct buffer file = {0};
    int err = file_read(&file, path, KEY_FILE_MAX);
    if (!err)
        err = read_private(out, &file);
    wipe(&file);
    return err == -EFBIG ? -EPROTO : err;
}

static int link_new(const char *path, const struct buffer *file)
{
    char beside[4096];
    int length = snprintf(beside, sizeof(beside), "%s.new-key", path);
    if (length < 0 || (size_t)length >= sizeof(beside))
        return -ENAMETOOLONG;
    int err = file_put(beside, file->bytes, file->length, 0600);
    if (!err && link(beside, path) != 0)
        err = -errno;
    unlink(beside);
    return err ? err : file_sync_name(path);
}

int key_save(const struct key *key, const char *path)
{
    ASSERT(key->has_private);
    if (file_exists(path))
        return -EEXIST;
    struct buffer file = {0};
    buffer_printf(&file, "# %s\n", key->name);
    algorithm_pair_save(key->pair, &file);
    int err = link_new(path, &file);
    wipe(&file);
    return err;
}

static int read_verifier_bytes(struct key **out, const char *name, size_t name_length,
                               const struct buffer *verifier)
{
    for (size_t i = 0; i < countof(FORMS); i++) {
        const struct form *form = &FORMS[i];
        if (verifier->length <= form->prefix_length ||
            memcmp(verifier->bytes, form->prefix, form->prefix_length) != 0)
            continue;
        const struct suite *suite = suite_named(form->suite);
        struct algorithm_pair *pair = algorithm_pair_read(
            suite_signature(suite), verifier->bytes + form->prefix_length,
            verifier->length - form->prefix_length);
        if (pair == NULL)
            return -EPROTO;
        *out = new_key(suite, name, name_length, pair, false);
        return 0;
    }
    return -EPROTO;
}

/* Reads name+id+base64 of exactly `length` bytes. */
static int read_vkey(struct key **out, const char *vkey, size_t length)
{
    const char *end = vkey + length;
    const char *id = memchr(vkey, '+', length);
    if (id == NULL || id == vkey || id - vkey > KEY_NAME_MAX || end - id < ID_DIGITS + 3)
        return -EPROTO;
    if (id[1 + ID_DIGITS] != '+')
        return -EPROTO;
    struct buffer verifier = {0};
    const char *text = id + 1 + ID_DIGITS + 1;
    struct key *key = NULL;
    int err = base64_decode(&verifier, text, (size_t)(end - text));
    if (!err)
        err = read_verifier_bytes(&key, vkey, (size_t)(id - vkey), &verifier);
    buffer_free(&verifier);
    if (err)
        return err;
    char digits[ID_DIGITS + 1];
    hex_encode(digits, key->id, ID_BYTES);
    if (!key_is_name(key->name) || memcmp(digits, id + 1, ID_DIGITS) != 0) {
        key_free(key);
        return -EPROTO;
    }
    *out = key;
    return 0;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

int key_read_verifier(struct key **out, const char *vkey)
{
    while (is_space(*vkey))
        vkey++;
    size_t length = strnlen(vkey, VKEY_MAX + 1);
    while (length > 0 && is_space(vkey[length - 1]))
        length--;
    return length > VKEY_MAX ? -EPROTO : read_vkey(out, vkey, length);
}

int key_load_verifier(struct key **out, const char *path)
{
    struct buffer file = {0};
    int err = file_read(&file, path, VKEY_MAX);
    if (!err)
        err = key_read_verifier(out, buffer_text(&file));
    buffer_free(&file);
    return err == -EFBIG ? -EPROTO : err;
}

void key_print_verifier(const struct key *key, struct buffer *out)
{
    char digits[ID_DIGITS + 1];
    hex_encode(digits, key->id, ID_BYTES);
    buffer_printf(out, "%s+%s+", key->name, digits);
    base64_encode(out, key->verifier.bytes, key->verifier.length);
}

const char *key_name(const struct key *key)
{
    return key->name;
}

uint32_t key_id(const struct key *key)
{
    return (uint32_t)key->id[0] << 24 | (uint32_t)key->id[1] << 16 |
           (uint32_t)key->id[2] << 8 | key->id[3];
}

const struct suite *key_suite(const struct key *key)
{
    return key->suite;
}

void key_sign(const struct key *key, struct buffer *signature, const void *text,
              size_t length)
{
    ASSERT(key->has_private);
    algorithm_pair_sign(key->pair, signature, text, length);
}

int key_check(const struct key *key, const void *signature, size_t signature_length,
              const void *text, size_t length)
{
    bool good =
        algorithm_pair_check(key->pair, signature, signature_length, text, length);
    return good ? 0 : -EBADMSG;
}
