/* cask - one blob as it lies on disk: encrypted, and so that every change is found.
 *
 *   head     "outblob", version 1; 32 bytes of salt; 8 bytes that name the key         48 bytes
 *   chunks   64 KiB of the blob apiece, the last one less: AES-256-GCM, each with its tag
 *
 * The key of a file comes from the key of the box and its salt (HKDF-SHA256); the nonce of a chunk is
 * its number and whether it is the last (STREAM): cut, swapped, repeated and added chunks are found.
 * An empty blob is one empty chunk. Each chunk can be read without the others.
 *
 * Calls return 0 or a negative errno: -EBADMSG (not what was written), -EKEYREJECTED (of another
 * key), -EPROTONOSUPPORT (another version), or what the disk says. */
#ifndef KEEPER_BLOBS_CASK_H
#define KEEPER_BLOBS_CASK_H

#include <stddef.h>
#include <stdint.h>

#include "proof/cipher.h"

enum {
    CASK_CHUNK = 64 * 1024,
    CASK_SEALED = CASK_CHUNK + CIPHER_TAG_BYTES,
    CASK_SALT = 32,
    CASK_NAME = 8, /* of the key */
    CASK_HEAD = 8 + CASK_SALT + CASK_NAME
};

struct cask_key {
    uint8_t bytes[CIPHER_KEY_BYTES];
};

/* What a blob of so many bytes takes as a file, and back: -EBADMSG when no file is so long. */
int64_t cask_bytes(int64_t size);
int64_t cask_size(int64_t bytes);

/* A new file, which must not be there yet. */
struct cask;
int cask_make(struct cask **out, const char *path, const struct cask_key *key);
int cask_put(struct cask *cask, const void *bytes, size_t length);
/* That was all; on disk when it returns 0. */
int cask_finish(struct cask *cask);

/* One that there is, to be read. */
int cask_open(struct cask **out, const char *path, const struct cask_key *key);
int64_t cask_length(const struct cask *cask);
int64_t cask_chunks(const struct cask *cask);
/* Reads chunk `index` into `plain`, which holds CASK_CHUNK bytes; *length is how many it has. */
int cask_read(struct cask *cask, int64_t index, void *plain, size_t *length);

void cask_close(struct cask *cask);

/* Overwrites the head, without which nobody can read the rest, for good, and removes the file. Fine
 * when there is none. */
int cask_erase(const char *path);

#endif
