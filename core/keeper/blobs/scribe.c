/* scribe - see scribe.h. */
#include "keeper/blobs/scribe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "base/file.h"
#include "keeper/blobs/tally.h"
#include "proof/algorithm.h"

enum { PART = 256 * 1024, NICE = 5 };

/* ---- Writing */

/* 1: there is something, or the end of it; 0 never, negative errors. */
static int wait_for(int fd, short events, int ms)
{
    struct pollfd ready = {.fd = fd, .events = events};
    int count;
    do
        count = poll(&ready, 1, ms);
    while (count < 0 && errno == EINTR);
    return count > 0 ? 0 : count < 0 ? -errno : -ETIMEDOUT;
}

static int take_part(const struct scribe *scribe, uint8_t *part, size_t *length)
{
    int err = wait_for(scribe->fd, POLLIN, scribe->silence_ms);
    if (err)
        return err;
    ssize_t got;
    do
        got = read(scribe->fd, part, PART);
    while (got < 0 && errno == EINTR);
    *length = got > 0 ? (size_t)got : 0;
    return got < 0 ? -errno : 0;
}

static int copy_pipe(const struct scribe *scribe, struct cask *cask, struct tally *tally,
                     int64_t *size)
{
    static uint8_t part[PART];
    size_t length;
    int err;
    *size = 0;
    while ((err = take_part(scribe, part, &length)) == 0 && length > 0) {
        *size += (int64_t)length;
        if (*size > scribe->most)
            return -EFBIG;
        tally_add(tally, part, length);
        err = cask_put(cask, part, length);
        if (err)
            return err;
    }
    return err;
}

/* Once it has its hash for a name nothing but a commit is missing. */
static int name_it(const struct scribe *scribe, const struct digest *digest)
{
    char from[DEPOT_PATH_MAX], to[DEPOT_PATH_MAX];
    int err = depot_new(scribe->depot, from, scribe->number);
    if (!err)
        err = depot_sealed(scribe->depot, to, digest, scribe->number);
    if (!err && rename(from, to) != 0)
        err = -errno;
    return err ? err : file_sync_name(to);
}

static int write_cask(const struct scribe *scribe, struct cask *cask,
                      struct scribe_told *told)
{
    struct tally *tally = tally_new();
    int err = copy_pipe(scribe, cask, tally, &told->size);
    if (!err)
        err = cask_finish(cask);
    if (!err)
        err = tally_end(tally, &told->sha256, &told->sm3);
    tally_free(tally);
    return err;
}

int scribe_write(void *owner, struct buffer *result)
{
    const struct scribe *scribe = owner;
    struct scribe_told told = {.size = 0};
    char path[DEPOT_PATH_MAX];
    struct cask *cask;
    if (nice(NICE) < 0) /* whoever commits goes first */
        errno = 0;
    int err = depot_new(scribe->depot, path, scribe->number);
    if (!err)
        err = cask_make(&cask, path, &scribe->depot->key);
    if (err)
        return err;
    err = write_cask(scribe, cask, &told);
    cask_close(cask);
    if (!err)
        err = name_it(scribe, &told.sha256);
    if (!err)
        buffer_append(result, &told, sizeof(told));
    return err;
}

/* ---- Reading */

static int give_part(const struct scribe *scribe, const uint8_t *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(scribe->fd, bytes, length);
        if (written < 0 && errno == EAGAIN) {
            int err = wait_for(scribe->fd, POLLOUT, scribe->silence_ms);
            if (err)
                return err;
        } else if (written < 0 && errno != EINTR) {
            return -errno;
        }
        bytes += written > 0 ? written : 0;
        length -= written > 0 ? (size_t)written : 0;
    }
    return 0;
}

static int keep_pace(const struct scribe *scribe, const uint8_t *bytes, size_t length)
{
    (void)bytes;
    if (scribe->pace == 0)
        return 0;
    int64_t ns = (int64_t)length * 1000000000 / scribe->pace;
    struct timespec pause = {ns / 1000000000, ns % 1000000000};
    nanosleep(&pause, NULL);
    return 0;
}

/* `sm3` may be NULL. */
static int read_chunks(const struct scribe *scribe, struct cask *cask,
                       struct algorithm_hash *hash, struct algorithm_hash *sm3,
                       int (*each)(const struct scribe *scribe, const uint8_t *bytes,
                                   size_t length))
{
    static uint8_t plain[CASK_CHUNK];
    size_t length, skip = (size_t)(scribe->offset % CASK_CHUNK);
    int err = 0;
    for (int64_t i = scribe->offset / CASK_CHUNK; i < cask_chunks(cask) && !err; i++) {
        err = cask_read(cask, i, plain, &length);
        if (err)
            break;
        algorithm_hash_add(hash, plain, length);
        if (sm3 != NULL)
            algorithm_hash_add(sm3, plain, length);
        if (skip < length)
            err = each(scribe, plain + skip, length - skip);
        skip = 0;
    }
    return err;
}

/* Whole files could have been swapped: the tags hold within one, its name says what it is. Who reads
 * on from somewhere has to compare the whole by himself. */
static int read_blob(const struct scribe *scribe, struct algorithm_hash *sm3,
                     int (*each)(const struct scribe *scribe, const uint8_t *bytes,
                                 size_t length))
{
    char path[DEPOT_PATH_MAX];
    struct digest digest;
    struct cask *cask;
    int err = depot_place(scribe->depot, path, &scribe->digest);
    if (!err)
        err = cask_open(&cask, path, &scribe->depot->key);
    if (err)
        return err;
    struct algorithm_hash *hash = algorithm_hash_new("SHA256");
    algorithm_hash_begin(hash);
    err = read_chunks(scribe, cask, hash, sm3, each);
    algorithm_hash_end(hash, digest.bytes);
    algorithm_hash_free(hash);
    cask_close(cask);
    bool is_same = scribe->offset > 0 || digest_equal(&digest, &scribe->digest);
    return err || is_same ? err : -EBADMSG;
}

int scribe_read(void *owner, struct buffer *result)
{
    const struct scribe *scribe = owner;
    (void)result;
    if (fcntl(scribe->fd, F_SETFL, O_NONBLOCK) != 0)
        return -errno;
    return read_blob(scribe, NULL, give_part);
}

static int check_both(const struct scribe *scribe, struct buffer *result)
{
    struct algorithm_hash *sm3 = algorithm_hash_new("SM3");
    struct digest digest;
    algorithm_hash_begin(sm3);
    int err = read_blob(scribe, sm3, keep_pace);
    algorithm_hash_end(sm3, digest.bytes);
    algorithm_hash_free(sm3);
    if (!err)
        buffer_append(result, &digest, sizeof(digest));
    return err;
}

int scribe_check(void *owner, struct buffer *result)
{
    const struct scribe *scribe = owner;
    if (nice(2 * NICE) < 0)
        errno = 0;
    return scribe->wants_sm3 ? check_both(scribe, result)
                             : read_blob(scribe, NULL, keep_pace);
}
