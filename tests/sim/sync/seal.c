/* seal - stands in for proof/key.c: keys by name alone, and a signature that is a checksum.
 *
 * Two Ed25519 signatures a receipt would take most of the time of a simulation in which nobody
 * forges. Whoever changes a byte, or takes another name's key, is still found out. */
#include "proof/key.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/mem.h"

static const char PREFIX[] = "/keys/"; /* of the paths that name a key */

struct key {
    char name[KEY_NAME_MAX + 1];
};

static uint64_t sum(uint64_t sum, const void *bytes, size_t length)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < length; i++)
        sum = (sum ^ at[i]) * 0x100000001b3u;
    return sum;
}

bool key_is_name(const char *name)
{
    return name[0] != '\0' && strlen(name) <= KEY_NAME_MAX && strchr(name, '+') == NULL;
}

int key_make(struct key **out, const struct suite *suite, const char *name)
{
    (void)suite;
    *out = mem_new(struct key);
    snprintf((*out)->name, sizeof((*out)->name), "%s", name);
    return 0;
}

int key_load(struct key **out, const char *path)
{
    ASSERT(strncmp(path, PREFIX, strlen(PREFIX)) == 0);
    return key_make(out, NULL, path + strlen(PREFIX));
}

int key_load_verifier(struct key **out, const char *path)
{
    return key_load(out, path);
}

int key_read_verifier(struct key **out, const char *vkey)
{
    size_t length = strcspn(vkey, "+");
    char name[KEY_NAME_MAX + 1];
    if (length == 0 || length > KEY_NAME_MAX || strcmp(vkey + length, "+sim") != 0)
        return -EPROTO;
    memcpy(name, vkey, length);
    name[length] = '\0';
    return key_make(out, NULL, name);
}

void key_print_verifier(const struct key *key, struct buffer *out)
{
    buffer_append_text(out, key->name);
    buffer_append_text(out, "+sim");
}

void key_free(struct key *key)
{
    mem_free(key);
}

const char *key_name(const struct key *key)
{
    return key->name;
}

uint32_t key_id(const struct key *key)
{
    return (uint32_t)sum(7, key->name, strlen(key->name));
}

const struct suite *key_suite(const struct key *key)
{
    (void)key;
    return suite_named("sha256+ed25519");
}

static uint64_t signature_of(const struct key *key, const void *text, size_t length)
{
    return sum(sum(14695981039346656037u, key->name, strlen(key->name)), text, length);
}

void key_sign(const struct key *key, struct buffer *signature, const void *text,
              size_t length)
{
    uint64_t made = signature_of(key, text, length);
    buffer_append(signature, &made, sizeof(made));
}

int key_check(const struct key *key, const void *signature, size_t signature_length,
              const void *text, size_t length)
{
    uint64_t made = signature_of(key, text, length);
    return signature_length == sizeof(made) && memcmp(&made, signature, sizeof(made)) == 0
               ? 0
               : -EBADMSG;
}
