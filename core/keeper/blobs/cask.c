/* cask - see cask.h.
 *
 * Invariant: while a file is written, `plain` holds what is not sealed yet, of which nobody knows
 * whether it is the end; `sealed` holds whole chunks that are not written yet. */
#include "keeper/blobs/cask.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "base/mem.h"
#include "base/random.h"

static const uint8_t MAGIC[8] = {'o', 'u', 't', 'b', 'l', 'o', 'b', 1};

enum {
    AT_VERSION = 7,
    AT_SALT = 8,
    AT_NAME = AT_SALT + CASK_SALT,
    BATCH = 8,               /* chunks written at once */
    WINDOW = 2 * 1024 * 1024 /* bytes that may wait in memory for the disk */
};

struct cask {
    int fd;
    struct cipher *cipher;
    int64_t chunks; /* sealed so far; of a file that is read: all */
    int64_t length;
    size_t fill;
    size_t waiting;    /* bytes in `sealed` */
    int64_t written;   /* bytes in the file */
    int64_t announced; /* of them the disk has been told to take */
    uint8_t plain[CASK_CHUNK];
    uint8_t sealed[BATCH * CASK_SEALED];
};

int64_t cask_bytes(int64_t size)
{
    int64_t chunks = size == 0 ? 1 : (size + CASK_CHUNK - 1) / CASK_CHUNK;
    return CASK_HEAD + size + chunks * CIPHER_TAG_BYTES;
}

int64_t cask_size(int64_t bytes)
{
    int64_t inside = bytes - CASK_HEAD;
    int64_t chunks = (inside + CASK_SEALED - 1) / CASK_SEALED;
    int64_t size = inside - chunks * CIPHER_TAG_BYTES;
    return inside > 0 && size >= 0 && cask_bytes(size) == bytes ? size : -EBADMSG;
}

static void name_key(uint8_t name[CASK_NAME], const struct cask_key *key)
{
    uint8_t derived[CIPHER_KEY_BYTES];
    cipher_derive(derived, key->bytes, sizeof(key->bytes), "", 0,
                  "outpost blob: name of the key");
    memcpy(name, derived, CASK_NAME);
}

static struct cipher *cipher_of(const struct cask_key *key, const uint8_t *salt)
{
    uint8_t derived[CIPHER_KEY_BYTES];
    cipher_derive(derived, key->bytes, sizeof(key->bytes), salt, CASK_SALT,
                  "outpost blob 1");
    struct cipher *cipher = cipher_new(derived);
    explicit_bzero(derived, sizeof(derived));
    return cipher;
}

static void make_nonce(uint8_t nonce[CIPHER_NONCE_BYTES], int64_t index, bool is_last)
{
    memset(nonce, 0, CIPHER_NONCE_BYTES);
    for (int i = 0; i < 8; i++)
        nonce[3 + i] = (uint8_t)((uint64_t)index >> (56 - 8 * i));
    nonce[CIPHER_NONCE_BYTES - 1] = is_last;
}

/* ---- Writing */

static int write_all(int fd, const uint8_t *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(fd, bytes, length);
        if (written < 0 && errno != EINTR)
            return -errno;
        bytes += written > 0 ? written : 0;
        length -= written > 0 ? (size_t)written : 0;
    }
    return 0;
}

/* The disk is kept at work, a little at a time: a long file at once would hold up whoever commits to
 * the journal meanwhile. What is on disk need not stay in memory. */
static void push(struct cask *cask)
{
    if (cask->written - cask->announced < WINDOW)
        return;
    sync_file_range(cask->fd, cask->announced, cask->written - cask->announced,
                    SYNC_FILE_RANGE_WRITE);
    if (cask->announced >= WINDOW) {
        sync_file_range(cask->fd, 0, cask->announced, SYNC_FILE_RANGE_WAIT_BEFORE);
        posix_fadvise(cask->fd, 0, cask->announced, POSIX_FADV_DONTNEED);
    }
    cask->announced = cask->written;
}

static int write_waiting(struct cask *cask)
{
    int err = write_all(cask->fd, cask->sealed, cask->waiting);
    cask->written += (int64_t)cask->waiting;
    cask->waiting = 0;
    push(cask);
    return err;
}

static int seal_chunk(struct cask *cask, const void *bytes, size_t length, bool is_last)
{
    uint8_t nonce[CIPHER_NONCE_BYTES];
    make_nonce(nonce, cask->chunks++, is_last);
    cipher_seal(cask->cipher, nonce, bytes, length, cask->sealed + cask->waiting);
    cask->waiting += length + CIPHER_TAG_BYTES;
    cask->length += (int64_t)length;
    return is_last || cask->waiting == sizeof(cask->sealed) ? write_waiting(cask) : 0;
}

int cask_make(struct cask **out, const char *path, const struct cask_key *key)
{
    struct cask *cask = mem_new(struct cask);
    uint8_t *head = cask->sealed;
    cask->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (cask->fd < 0) {
        int err = -errno;
        cask_close(cask);
        return err;
    }
    memcpy(head, MAGIC, sizeof(MAGIC));
    random_bytes(head + AT_SALT, CASK_SALT);
    name_key(head + AT_NAME, key);
    cask->cipher = cipher_of(key, head + AT_SALT);
    cask->waiting = CASK_HEAD;
    int err = write_waiting(cask);
    if (err)
        cask_close(cask);
    else
        *out = cask;
    return err;
}

/* A full chunk is sealed once more comes: then it is not the last. */
int cask_put(struct cask *cask, const void *bytes, size_t length)
{
    const uint8_t *at = bytes;
    int err = 0;
    while (length > 0 && !err) {
        if (cask->fill == CASK_CHUNK) {
            err = seal_chunk(cask, cask->plain, CASK_CHUNK, false);
            cask->fill = 0;
        }
        for (; cask->fill == 0 && length > CASK_CHUNK && !err; length -= CASK_CHUNK) {
            err = seal_chunk(cask, at, CASK_CHUNK, false);
            at += CASK_CHUNK;
        }
        size_t part = CASK_CHUNK - cask->fill;
        part = part < length ? part : length;
        memcpy(cask->plain + cask->fill, at, part);
        cask->fill += part;
        at += part;
        length -= part;
    }
    return err;
}

int cask_finish(struct cask *cask)
{
    int err = seal_chunk(cask, cask->plain, cask->fill, true);
    if (!err && fsync(cask->fd) != 0)
        err = -errno;
    return err;
}

/* ---- Reading */

static int read_at(int fd, uint8_t *bytes, size_t length, int64_t at)
{
    while (length > 0) {
        ssize_t got = pread(fd, bytes, length, at);
        if (got < 0 && errno != EINTR)
            return -errno;
        if (got == 0)
            return -EBADMSG;
        bytes += got > 0 ? got : 0;
        at += got > 0 ? got : 0;
        length -= got > 0 ? (size_t)got : 0;
    }
    return 0;
}

static int check_head(const uint8_t *head, const struct cask_key *key)
{
    uint8_t name[CASK_NAME];
    if (memcmp(head, MAGIC, AT_VERSION) != 0)
        return -EBADMSG;
    if (head[AT_VERSION] != MAGIC[AT_VERSION])
        return -EPROTONOSUPPORT;
    name_key(name, key);
    return memcmp(name, head + AT_NAME, CASK_NAME) == 0 ? 0 : -EKEYREJECTED;
}

static int open_head(struct cask *cask, const struct cask_key *key)
{
    uint8_t head[CASK_HEAD];
    struct stat file;
    int err = read_at(cask->fd, head, sizeof(head), 0);
    if (!err)
        err = check_head(head, key);
    if (!err && fstat(cask->fd, &file) != 0)
        err = -errno;
    if (err)
        return err;
    cask->length = cask_size(file.st_size);
    if (cask->length < 0)
        return -EBADMSG;
    cask->chunks = (file.st_size - CASK_HEAD + CASK_SEALED - 1) / CASK_SEALED;
    cask->cipher = cipher_of(key, head + AT_SALT);
    return 0;
}

int cask_open(struct cask **out, const char *path, const struct cask_key *key)
{
    struct cask *cask = mem_new(struct cask);
    cask->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    int err = cask->fd < 0 ? -errno : open_head(cask, key);
    if (err)
        cask_close(cask);
    else
        *out = cask;
    return err;
}

int64_t cask_length(const struct cask *cask)
{
    return cask->length;
}

int64_t cask_chunks(const struct cask *cask)
{
    return cask->chunks;
}

int cask_read(struct cask *cask, int64_t index, void *plain, size_t *length)
{
    uint8_t nonce[CIPHER_NONCE_BYTES];
    int64_t left = cask->length - index * CASK_CHUNK;
    ASSERT(index >= 0 && index < cask->chunks);
    *length = left < CASK_CHUNK ? (size_t)left : CASK_CHUNK;
    int err = read_at(cask->fd, cask->sealed, *length + CIPHER_TAG_BYTES,
                      CASK_HEAD + index * CASK_SEALED);
    if (err)
        return err;
    make_nonce(nonce, index, index == cask->chunks - 1);
    return cipher_unseal(cask->cipher, nonce, cask->sealed, *length + CIPHER_TAG_BYTES,
                         plain);
}

void cask_close(struct cask *cask)
{
    if (cask->fd >= 0)
        close(cask->fd);
    cipher_free(cask->cipher);
    mem_free(cask);
}

int cask_erase(const char *path)
{
    static const uint8_t NOTHING[CASK_HEAD];
    struct stat file;
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    int err = fstat(fd, &file) != 0 ? -errno : 0;
    size_t length = !err && file.st_size < CASK_HEAD ? (size_t)file.st_size : CASK_HEAD;
    if (!err)
        err = write_all(fd, NOTHING, length);
    if (!err && fdatasync(fd) != 0)
        err = -errno;
    if (!err && unlink(path) != 0)
        err = -errno;
    close(fd);
    return err;
}
