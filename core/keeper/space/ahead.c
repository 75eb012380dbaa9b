/* ahead - see ahead.h.
 *
 * Invariant: what lies aside begins with zeros. SQLite takes such a WAL for an empty one, whatever
 * follows, so nothing that somebody wrote there meanwhile ever gets into the database. */
#include "keeper/space/ahead.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "base/file.h"

enum {
    HEADER_BYTES = 32,        /* of a WAL */
    INDEX_BYTES = 256 * 1024, /* left to the -shm file of the next connection */
    CHUNK_BYTES = 64 * 1024,
    SHM_LOCK_BYTE = 128 /* every connection in WAL mode holds it locked */
};

static const char ZEROS[CHUNK_BYTES];

static void join(char out[AHEAD_PATH_MAX], const char *path, const char *ending)
{
    int length = snprintf(out, AHEAD_PATH_MAX, "%s%s", path, ending);
    ASSERT(length > 0 && length < AHEAD_PATH_MAX);
}

void ahead_path(char ahead[AHEAD_PATH_MAX], const char *path)
{
    join(ahead, path, "-wal");
}

static int64_t length_of(const char *path)
{
    struct stat file;
    return lstat(path, &file) == 0 && S_ISREG(file.st_mode) ? (int64_t)file.st_size : -1;
}

static bool is_begun(int fd)
{
    char header[HEADER_BYTES];
    return pread(fd, header, sizeof(header), 0) != sizeof(header) ||
           memcmp(header, ZEROS, sizeof(header)) != 0;
}

/* Its first bytes become zeros, on disk. */
static bool clear_header(int fd)
{
    return pwrite(fd, ZEROS, HEADER_BYTES, 0) == HEADER_BYTES && fdatasync(fd) == 0;
}

/* The new name must be on disk before the first frame is: a commit that lies under the name of the
 * reserve after a power cut would be cleared away. */
static bool give_name(const char *aside, const char *ahead)
{
    char folder[AHEAD_PATH_MAX];
    join(folder, ahead, "");
    char *slash = strrchr(folder, '/');
    strcpy(slash ? slash : folder, slash ? "" : ".");
    if (rename(aside, ahead) != 0)
        return false;
    return file_sync_folder(folder) == 0 || rename(ahead, aside) != 0;
}

void ahead_take(const char *path)
{
    char ahead[AHEAD_PATH_MAX], aside[AHEAD_PATH_MAX];
    ahead_path(ahead, path);
    join(aside, path, "-reserve");
    int64_t length = length_of(aside);
    if (length < HEADER_BYTES || length_of(ahead) > 0)
        return;
    int fd = open(aside, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return;
    if (clear_header(fd) && give_name(aside, ahead) && length > 2 * INDEX_BYTES &&
        ftruncate(fd, (off_t)(length - INDEX_BYTES)) != 0)
        errno = 0; /* then the index has to find room elsewhere */
    close(fd);
}

void ahead_put_aside(const char *path, bool is_copied)
{
    char ahead[AHEAD_PATH_MAX], aside[AHEAD_PATH_MAX], shm[AHEAD_PATH_MAX];
    ahead_path(ahead, path);
    join(aside, path, "-reserve");
    join(shm, path, "-shm");
    int fd = length_of(ahead) >= HEADER_BYTES ? open(ahead, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    if ((is_copied || !is_begun(fd)) && !file_is_locked(shm, SHM_LOCK_BYTE) &&
        clear_header(fd) && rename(ahead, aside) == 0)
        unlink(shm);
    close(fd);
}

static int64_t allocated(const char *path)
{
    struct stat file;
    return stat(path, &file) == 0 ? (int64_t)file.st_blocks * 512 : 0;
}

void ahead_measure(const char *path, int64_t *file, int64_t *ahead)
{
    char name[AHEAD_PATH_MAX];
    ahead_path(name, path);
    *file = allocated(path);
    *ahead = allocated(name);
}

int ahead_stretch(const char *path, int64_t bytes)
{
    char ahead[AHEAD_PATH_MAX];
    ahead_path(ahead, path);
    int64_t at = length_of(ahead), end = at + bytes;
    int fd = at >= 0 ? open(ahead, O_WRONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return at >= 0 ? -errno : -ENOENT;
    int err = 0;
    while (at < end && !err) {
        size_t chunk = end - at < CHUNK_BYTES ? (size_t)(end - at) : CHUNK_BYTES;
        ssize_t written = pwrite(fd, ZEROS, chunk, (off_t)at);
        if (written < 0 && errno != EINTR)
            err = -errno;
        at += written > 0 ? written : 0;
    }
    if (!err && fdatasync(fd) != 0)
        err = -errno;
    close(fd);
    return err;
}
