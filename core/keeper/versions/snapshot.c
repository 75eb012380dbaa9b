/* snapshot - see snapshot.h.
 *
 * Invariant: what is written is what was hashed; both are the bytes in struct folder. */
#include "keeper/versions/snapshot.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/mem.h"

enum { OPEN_FOLDERS = 8 };

struct lua_file {
    char *path; /* below the folder */
    struct buffer bytes;
};

struct folder {
    const char *path;
    struct lua_file files[SNAPSHOT_FILES_MAX];
    int count;
    size_t bytes;
};

/* ---- Reading */

static int add_file(struct folder *folder, const char *path, const char *below)
{
    if (folder->count == SNAPSHOT_FILES_MAX)
        return -EFBIG;
    struct lua_file *file = &folder->files[folder->count++];
    file->path = mem_text(below);
    int err = file_read(&file->bytes, path, SNAPSHOT_BYTES_MAX - folder->bytes);
    folder->bytes += file->bytes.length;
    return err;
}

static bool is_lua(const char *name)
{
    size_t length = strlen(name);
    return length > 4 && strcmp(name + length - 4, ".lua") == 0;
}

static int read_folder(struct folder *folder, const char *below, int depth);

static int read_entry(struct folder *folder, const char *below, int depth)
{
    char path[PATH_MAX];
    struct stat entry;
    int err = file_join(path, sizeof(path), folder->path, below);
    if (err || stat(path, &entry) != 0)
        return err; /* it has gone meanwhile, or leads nowhere */
    if (S_ISDIR(entry.st_mode))
        return depth == SNAPSHOT_DEPTH_MAX ? -EFBIG
                                           : read_folder(folder, below, depth + 1);
    return S_ISREG(entry.st_mode) && is_lua(below) ? add_file(folder, path, below) : 0;
}

static int read_folder(struct folder *folder, const char *below, int depth)
{
    char path[PATH_MAX];
    const struct dirent *entry;
    int err = file_join(path, sizeof(path), folder->path, below);
    DIR *open = err ? NULL : opendir(path);
    if (open == NULL)
        return err ? err : -errno;
    while (!err && (entry = readdir(open)) != NULL) {
        char name[PATH_MAX];
        if (entry->d_name[0] == '.' || strcmp(entry->d_name, "test") == 0)
            continue;
        if (below[0] != '\0')
            err = file_join(name, sizeof(name), below, entry->d_name);
        else
            strcpy(name, entry->d_name);
        if (!err)
            err = read_entry(folder, name, depth);
    }
    closedir(open);
    return err;
}

static int by_path(const void *a, const void *b)
{
    const struct lua_file *one = a, *other = b;
    return strcmp(one->path, other->path);
}

static int read_all(struct folder *folder, const char *path)
{
    *folder = (struct folder){.path = path};
    int err = read_folder(folder, "", 0);
    if (!err)
        qsort(folder->files, (size_t)folder->count, sizeof(folder->files[0]), by_path);
    return err;
}

static void forget(struct folder *folder)
{
    for (int i = 0; i < folder->count; i++) {
        mem_free(folder->files[i].path);
        buffer_free(&folder->files[i].bytes);
    }
    folder->count = 0;
}

static void hash_bytes(char hash[SNAPSHOT_HASH_ROOM], const struct buffer *bytes)
{
    struct digest digest;
    suite_hash(suite_named("sha256+ed25519"), &digest, bytes->bytes, bytes->length);
    hex_encode(hash, digest.bytes, DIGEST_BYTES);
}

static void hash_all(char hash[SNAPSHOT_HASH_ROOM], const struct folder *folder)
{
    struct buffer lines = {0};
    for (int i = 0; i < folder->count; i++) {
        hash_bytes(hash, &folder->files[i].bytes);
        buffer_append_text(&lines, hash);
        buffer_append_text(&lines, "  ");
        buffer_append_text(&lines, folder->files[i].path);
        buffer_append_text(&lines, "\n");
    }
    hash_bytes(hash, &lines);
    buffer_free(&lines);
}

/* ---- Writing */

static int remove_one(const char *path, const struct stat *state, int type,
                      struct FTW *place)
{
    (void)state;
    (void)type;
    (void)place;
    return remove(path);
}

static void remove_all(const char *path)
{
    if (nftw(path, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS) != 0 &&
        errno != ENOENT)
        log_warn("%s: cannot be removed: %s", path, strerror(errno));
}

static int sync_one(const char *path, const struct stat *state, int type,
                    struct FTW *place)
{
    (void)state;
    (void)place;
    return type == FTW_D ? file_sync_folder(path) : 0;
}

static int put_file(const char *place, const struct lua_file *file)
{
    char path[PATH_MAX], above[PATH_MAX];
    int err = file_join(path, sizeof(path), place, file->path);
    if (err)
        return err;
    strcpy(above, path);
    *strrchr(above, '/') = '\0';
    err = file_make_folders(above);
    if (!err)
        err = file_put(path, file->bytes.bytes, file->bytes.length, 0640);
    return err;
}

/* Writes all below `beside`, which then becomes `place`. */
static int put_all(const struct folder *folder, const char *beside, const char *place,
                   const char *name)
{
    char inside[PATH_MAX];
    int err = file_join(inside, sizeof(inside), beside, name);
    remove_all(beside);
    if (!err)
        err = file_make_folders(inside);
    for (int i = 0; i < folder->count && !err; i++)
        err = put_file(inside, &folder->files[i]);
    if (!err)
        err = nftw(beside, sync_one, OPEN_FOLDERS, FTW_PHYS);
    if (err)
        return err < -1 ? err : -EIO;
    remove_all(place);
    if (rename(beside, place) != 0)
        return -errno;
    return file_sync_name(place);
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static int make(const struct folder *folder, const char *shelf, const char *hash)
{
    char place[PATH_MAX - 8], beside[PATH_MAX];
    int err = file_join(place, sizeof(place), shelf, hash);
    if (err)
        return err;
    snprintf(beside, sizeof(beside), "%s.new", place);
    err = put_all(folder, beside, place, last_part(folder->path));
    if (err)
        remove_all(beside);
    return err;
}

int snapshot_take(char name[SNAPSHOT_NAME_ROOM], const char *shelf, const char *folder)
{
    char hash[SNAPSHOT_HASH_ROOM];
    struct folder *read = mem_new(struct folder);
    int err = read_all(read, folder);
    if (!err) {
        hash_all(hash, read);
        err = file_join(name, SNAPSHOT_NAME_ROOM, hash, last_part(folder));
    }
    if (!err && snapshot_check(shelf, name) != 0)
        err = make(read, shelf, hash);
    forget(read);
    mem_free(read);
    return err;
}

int snapshot_check(const char *shelf, const char *name)
{
    char path[PATH_MAX], hash[SNAPSHOT_HASH_ROOM];
    struct folder *read = mem_new(struct folder);
    int err = file_join(path, sizeof(path), shelf, name);
    if (!err)
        err = read_all(read, path);
    if (!err) {
        hash_all(hash, read);
        if (strncmp(name, hash, strlen(hash)) != 0)
            err = -EBADMSG;
    }
    forget(read);
    mem_free(read);
    return err;
}

void snapshot_prune(const char *shelf, bool (*is_kept)(void *owner, const char *hash),
                    void *owner)
{
    char path[PATH_MAX];
    const struct dirent *entry;
    DIR *open = opendir(shelf);
    if (open == NULL)
        return;
    while ((entry = readdir(open)) != NULL)
        if (entry->d_name[0] != '.' && !is_kept(owner, entry->d_name) &&
            file_join(path, sizeof(path), shelf, entry->d_name) == 0)
            remove_all(path);
    closedir(open);
}
