/* file - see file.h.
 *
 * Rule of this file: a name never points at bytes that are not on disk. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"

enum { PART = 64 * 1024 };

static int read_all(struct buffer *out, int fd, size_t most)
{
    size_t had = out->length;
    for (;;) {
        char *end = buffer_grow(out, 16384);
        ssize_t length = read(fd, end, 16384);
        out->length -= 16384 - (size_t)(length > 0 ? length : 0);
        if (length == 0)
            return 0;
        if (length < 0 && errno != EINTR)
            return -errno;
        if (out->length - had > most)
            return -EFBIG;
    }
}

static bool is_ordinary(int fd)
{
    struct stat file;
    return fstat(fd, &file) == 0 && S_ISREG(file.st_mode);
}

static int open_ordinary(int *out, const char *path)
{
    int fd =
        open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO would wait for ever */
    if (fd < 0)
        return -errno;
    if (is_ordinary(fd)) {
        *out = fd;
        return 0;
    }
    close(fd);
    return -EINVAL;
}

int file_read(struct buffer *out, const char *path, size_t most)
{
    int fd;
    int err = open_ordinary(&fd, path);
    if (err)
        return err;
    size_t had = out->length;
    err = read_all(out, fd, most);
    if (err)
        out->length = had;
    close(fd);
    return err;
}

int file_each_part(const char *path,
                   int (*each)(void *owner, const void *bytes, size_t length),
                   void *owner)
{
    char part[PART];
    ssize_t length;
    int fd;
    int err = open_ordinary(&fd, path);
    if (err)
        return err;
    while (!err && (length = read(fd, part, sizeof(part))) != 0)
        if (length > 0)
            err = each(owner, part, (size_t)length);
        else if (errno != EINTR)
            err = -errno;
    close(fd);
    return err;
}

static int write_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(fd, bytes, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -errno;
        bytes += written;
        length -= (size_t)written;
    }
    return 0;
}

static int write_synced(const char *path, const void *bytes, size_t length, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (fd < 0)
        return -errno;
    int err = write_all(fd, bytes, length);
    if (!err && fsync(fd) != 0)
        err = -errno;
    if (close(fd) != 0 && !err)
        err = -errno;
    return err;
}

int file_put(const char *path, const void *bytes, size_t length, mode_t mode)
{
    char beside[PATH_MAX];
    int printed = snprintf(beside, sizeof(beside), "%s.%d.new", path, (int)getpid());
    if (printed < 0 || (size_t)printed >= sizeof(beside))
        return -ENAMETOOLONG;
    int err = write_synced(beside, bytes, length, mode);
    if (!err && rename(beside, path) != 0)
        err = -errno;
    if (err)
        unlink(beside);
    return err;
}

bool file_is_unfinished(const char *name)
{
    const char *end = strrchr(name, '.');
    if (end == NULL || strcmp(end, ".new") != 0)
        return false;
    const char *at = end;
    while (at > name && at[-1] >= '0' && at[-1] <= '9')
        at--;
    return at < end && at - 1 > name && at[-1] == '.';
}

static void folder_of(char *folder, const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t length = slash == NULL ? 0 : (size_t)(slash - path);
    if (slash == NULL)
        strcpy(folder, ".");
    else if (length == 0)
        strcpy(folder, "/");
    else
        snprintf(folder, PATH_MAX, "%.*s", (int)length, path);
}

int file_put_durably(const char *path, const void *bytes, size_t length, mode_t mode)
{
    int err = file_put(path, bytes, length, mode);
    return err ? err : file_sync_name(path);
}

int file_sync_name(const char *path)
{
    char folder[PATH_MAX];
    if (strlen(path) >= sizeof(folder))
        return -ENAMETOOLONG;
    folder_of(folder, path);
    return file_sync_folder(folder);
}

int file_sync_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int err = fsync(fd) == 0 ? 0 : -errno;
    close(fd);
    return err;
}

int file_make_folders(const char *path)
{
    char part[PATH_MAX];
    size_t length = strlen(path);
    if (length >= sizeof(part))
        return -ENAMETOOLONG;
    for (size_t i = 1; i <= length; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, 0750) != 0 && errno != EEXIST)
            return -errno;
    }
    return 0;
}

bool file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

int file_join(char *path, size_t room, const char *folder, const char *name)
{
    int length = snprintf(path, room, "%s/%s", folder, name);
    return length >= 0 && (size_t)length < room ? 0 : -ENAMETOOLONG;
}

bool file_is_locked(const char *path, off_t byte)
{
    struct flock lock = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool locked = fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    close(fd);
    return locked;
}
