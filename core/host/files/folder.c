/* folder - see folder.h.
 *
 * Each step of a path below its root is opened by itself with O_NOFOLLOW, so it does not matter what
 * somebody exchanges meanwhile. */
#include "host/files/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "base/mem.h"

enum { STEP = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };

struct folder_listing {
    DIR *stream;
};

struct folder_file {
    int fd;
};

/* ---- Paths */

static size_t length_of_root(const char *root)
{
    size_t length = strlen(root);
    while (length > 1 && root[length - 1] == '/')
        length--;
    return length;
}

/* The root that `path` lies below, and what is behind it: "" for the root itself. */
static int find_root(const char *const *roots, const char *path, const char **root,
                     const char **rest)
{
    for (; *roots != NULL; roots++) {
        size_t length = length_of_root(*roots);
        if (strncmp(path, *roots, length) != 0 ||
            (path[length] != '/' && path[length] != '\0'))
            continue;
        *root = *roots;
        *rest = path + length + (path[length] == '/');
        return 0;
    }
    return -EXDEV;
}

/* A name on its way: not empty, not "." and not "..". */
static bool is_step(const char *name, size_t length)
{
    bool is_dots =
        length <= 2 && name[0] == '.' && (length < 2 || name[length - 1] == '.');
    return length > 0 && length <= FOLDER_NAME_MAX && !is_dots;
}

static bool is_path(const char *path)
{
    int depth = 0;
    if (path[0] != '/' || strlen(path) > FOLDER_PATH_MAX)
        return false;
    while (*path == '/') {
        size_t length = strcspn(path + 1, "/");
        if (!is_step(path + 1, length) || ++depth > FOLDER_DEPTH_MAX)
            return false;
        path += 1 + length;
    }
    return true;
}

/* The kernel says so of a link where a folder was asked for. */
static int step_error(int at, const char *name)
{
    struct stat found;
    int err = -errno;
    if (err == -ENOTDIR && fstatat(at, name, &found, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISLNK(found.st_mode))
        return -ELOOP;
    return err;
}

/* Where the last name of a path lies: `at` is the folder that it is in, and is to be closed. Of a root
 * itself `name` is its whole path, which may be a link. */
struct place {
    int at;
    char name[FOLDER_PATH_MAX + 1];
    bool is_root;
};

static int walk(struct place *place, const char *root, const char *rest)
{
    int at = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC), err = 0;
    if (at < 0)
        return -errno;
    const char *slash = strchr(rest, '/');
    for (; slash != NULL && !err; slash = strchr(rest, '/')) {
        snprintf(place->name, sizeof(place->name), "%.*s", (int)(slash - rest), rest);
        int next = openat(at, place->name, STEP);
        err = next < 0 ? step_error(at, place->name) : 0;
        close(at);
        at = next;
        rest = slash + 1;
    }
    if (err)
        return err;
    snprintf(place->name, sizeof(place->name), "%s", rest);
    place->at = at;
    return 0;
}

static int find(struct place *place, const char *const *roots, const char *path)
{
    const char *root, *rest;
    *place = (struct place){.at = -1};
    if (!is_path(path))
        return -EINVAL;
    int err = find_root(roots, path, &root, &rest);
    if (err)
        return err;
    if (rest[0] != '\0')
        return walk(place, root, rest);
    snprintf(place->name, sizeof(place->name), "%s", path);
    place->is_root = true;
    return 0;
}

static void leave(const struct place *place)
{
    if (place->at >= 0)
        close(place->at);
}

/* ---- Entries */

static void fill(struct folder_entry *entry, const struct stat *found)
{
    mode_t mode = found->st_mode;
    entry->kind = S_ISREG(mode)   ? FOLDER_FILE
                  : S_ISDIR(mode) ? FOLDER_FOLDER
                  : S_ISLNK(mode) ? FOLDER_LINK
                                  : FOLDER_OTHER;
    entry->size = S_ISREG(mode) ? (int64_t)found->st_size : 0;
    entry->time_s = (int64_t)found->st_mtime;
}

static int look(const struct place *place, struct folder_entry *entry)
{
    struct stat found;
    int flags = place->is_root ? 0 : AT_SYMLINK_NOFOLLOW;
    if (fstatat(place->is_root ? AT_FDCWD : place->at, place->name, &found, flags) != 0)
        return -errno;
    entry->name[0] = '\0';
    fill(entry, &found);
    return 0;
}

static int open_place(const struct place *place, int flags)
{
    int fd = place->is_root
                 ? open(place->name, flags | O_CLOEXEC)
                 : openat(place->at, place->name, flags | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? step_error(place->is_root ? AT_FDCWD : place->at, place->name) : fd;
}

int folder_stat(const char *const *roots, const char *path, struct folder_entry *entry)
{
    struct place place;
    int err = find(&place, roots, path);
    if (!err)
        err = look(&place, entry);
    leave(&place);
    return err;
}

/* ---- Listings */

int folder_list(struct folder_listing **out, const char *const *roots, const char *path)
{
    struct place place;
    int err = find(&place, roots, path), fd = -1;
    if (!err) {
        fd = open_place(&place, O_RDONLY | O_DIRECTORY);
        err = fd < 0 ? fd : 0;
    }
    leave(&place);
    if (err)
        return err;
    DIR *stream = fdopendir(fd);
    if (stream == NULL) {
        err = -errno;
        close(fd);
        return err;
    }
    *out = mem_new(struct folder_listing);
    (*out)->stream = stream;
    return 0;
}

int folder_next(struct folder_listing *listing, struct folder_entry *entry)
{
    struct stat found;
    const struct dirent *next;
    for (errno = 0; (next = readdir(listing->stream)) != NULL; errno = 0) {
        size_t length = strlen(next->d_name);
        if (!is_step(next->d_name, length) ||
            fstatat(dirfd(listing->stream), next->d_name, &found, AT_SYMLINK_NOFOLLOW) !=
                0)
            continue;
        memcpy(entry->name, next->d_name, length + 1);
        fill(entry, &found);
        return 0;
    }
    return errno != 0 ? -errno : -ENODATA;
}

void folder_end(struct folder_listing *listing)
{
    if (listing == NULL)
        return;
    closedir(listing->stream);
    mem_free(listing);
}

/* ---- Files */

/* It may have become another thing since it was looked at: a FIFO does not hold up who opens it so. */
static int open_file(const struct place *place, struct folder_entry *entry)
{
    struct stat found;
    int err = look(place, entry);
    if (err)
        return err;
    if (entry->kind != FOLDER_FILE)
        return entry->kind == FOLDER_FOLDER ? -EISDIR
               : entry->kind == FOLDER_LINK ? -ELOOP
                                            : -ENXIO;
    int fd = open_place(place, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return fd;
    if (fstat(fd, &found) != 0 || !S_ISREG(found.st_mode)) {
        close(fd);
        return -ENXIO;
    }
    fill(entry, &found);
    return fd;
}

int folder_open(struct folder_file **out, const char *const *roots, const char *path,
                int64_t from, struct folder_entry *entry)
{
    struct place place;
    int err = find(&place, roots, path), fd = -1;
    if (!err) {
        fd = open_file(&place, entry);
        err = fd < 0 ? fd : 0;
    }
    leave(&place);
    if (!err && from > entry->size)
        err = -ESPIPE;
    if (!err && lseek(fd, (off_t)from, SEEK_SET) < 0)
        err = -errno;
    if (err) {
        if (fd >= 0)
            close(fd);
        return err;
    }
    *out = mem_new(struct folder_file);
    (*out)->fd = fd;
    return 0;
}

int folder_read(struct folder_file *file, char *bytes, size_t room, size_t *got)
{
    ssize_t length;
    do {
        length = read(file->fd, bytes, room);
    } while (length < 0 && errno == EINTR);
    if (length < 0)
        return -errno;
    *got = (size_t)length;
    return 0;
}

void folder_close(struct folder_file *file)
{
    if (file == NULL)
        return;
    close(file->fd);
    mem_free(file);
}
