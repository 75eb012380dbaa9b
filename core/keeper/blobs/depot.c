/* depot - see depot.h. */
#include "keeper/blobs/depot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/random.h"
#include "keeper/repair/damage.h"

enum {
    HEX = 2 * DIGEST_BYTES,
    NAME_ROOM = 128,
    KEY_FILE_MAX = 256,
    MARK_MAX = 64 * 1024 /* a thousand journals that were set aside, and none adopted */
};

static const char MARK[] = "adopt";

/* ---- Names */

static int join(const struct depot *depot, char path[DEPOT_PATH_MAX], const char *name)
{
    return file_join(path, DEPOT_PATH_MAX, depot->folder, name);
}

int depot_new(const struct depot *depot, char path[DEPOT_PATH_MAX], int64_t number)
{
    char name[NAME_ROOM];
    snprintf(name, sizeof(name), "new/%" PRId64, number);
    return join(depot, path, name);
}

int depot_sealed(const struct depot *depot, char path[DEPOT_PATH_MAX],
                 const struct digest *digest, int64_t number)
{
    char name[NAME_ROOM], digits[HEX + 1];
    hex_encode(digits, digest->bytes, DIGEST_BYTES);
    snprintf(name, sizeof(name), "new/%s.%" PRId64, digits, number);
    return join(depot, path, name);
}

int depot_place(const struct depot *depot, char path[DEPOT_PATH_MAX],
                const struct digest *digest)
{
    char name[NAME_ROOM], digits[HEX + 1];
    hex_encode(digits, digest->bytes, DIGEST_BYTES);
    snprintf(name, sizeof(name), "%.2s/%s", digits, digits + 2);
    return join(depot, path, name);
}

/* A name in old/ that nothing has had. */
static int old_path(const struct depot *depot, char path[DEPOT_PATH_MAX])
{
    char name[NAME_ROOM], digits[2 * 16 + 1];
    uint8_t bytes[16];
    random_bytes(bytes, sizeof(bytes));
    hex_encode(digits, bytes, sizeof(bytes));
    snprintf(name, sizeof(name), "old/%s", digits);
    return join(depot, path, name);
}

bool depot_has(const struct depot *depot, const struct digest *digest)
{
    char path[DEPOT_PATH_MAX];
    return depot_place(depot, path, digest) == 0 && file_exists(path);
}

/* ---- The key */

static int read_key(struct depot *depot, const char *path)
{
    struct buffer text = {0};
    char digits[2 * CIPHER_KEY_BYTES + 1] = "";
    int err = file_read(&text, path, KEY_FILE_MAX);
    if (!err && (text.length != sizeof(digits) || text.bytes[text.length - 1] != '\n'))
        err = -EBADMSG;
    if (!err)
        memcpy(digits, text.bytes, sizeof(digits) - 1);
    if (!err && hex_decode(depot->key.bytes, CIPHER_KEY_BYTES, digits) != 0)
        err = -EBADMSG;
    if (text.length > 0)
        explicit_bzero(text.bytes, text.length);
    explicit_bzero(digits, sizeof(digits));
    buffer_free(&text);
    return err;
}

static int make_key(struct depot *depot, const char *path)
{
    char text[2 * CIPHER_KEY_BYTES + 2];
    random_bytes(depot->key.bytes, sizeof(depot->key.bytes));
    hex_encode(text, depot->key.bytes, sizeof(depot->key.bytes));
    strcat(text, "\n");
    depot->is_new_key = true;
    int err = file_put_durably(path, text, strlen(text), 0600);
    explicit_bzero(text, sizeof(text));
    return err;
}

static int open_key(struct depot *depot, const char *state)
{
    char path[DEPOT_PATH_MAX], aside[DEPOT_PATH_MAX];
    int err = file_join(path, sizeof(path), state, "keys");
    if (!err)
        err = file_make_folders(path);
    if (!err)
        err = file_join(path, sizeof(path), state, "keys/blobs.key");
    if (err)
        return err;
    err = read_key(depot, path);
    if (err == -ENOENT)
        return make_key(depot, path);
    if (err != -EBADMSG && err != -EFBIG && err != -EINVAL)
        return err;
    log_error("keys/blobs.key: expected 64 hex digits and a line end; it is set aside");
    err = damage_set_aside(aside, sizeof(aside), path);
    return err ? err : make_key(depot, path);
}

static int make_folder(struct depot *depot, const char *name)
{
    char path[DEPOT_PATH_MAX];
    int err = join(depot, path, name);
    return err ? err : file_make_folders(path);
}

int depot_open(struct depot *depot, const char *state)
{
    *depot = (struct depot){.is_new_key = false};
    int err = file_join(depot->folder, sizeof(depot->folder), state, "blobs");
    if (!err)
        err = make_folder(depot, "new");
    if (!err)
        err = make_folder(depot, "old");
    if (!err)
        err = open_key(depot, state);
    if (!err)
        err = file_sync_folder(depot->folder);
    return err ? err : file_sync_folder(state);
}

/* ---- Moves */

static int move(const char *from, const char *to)
{
    return rename(from, to) == 0 ? 0 : -errno;
}

static int move_to_old(const struct depot *depot, const char *from)
{
    char to[DEPOT_PATH_MAX];
    int err = old_path(depot, to);
    if (!err)
        err = move(from, to);
    return err == -ENOENT && !file_exists(from) ? 0 : err;
}

/* The folder that `path` is in. It is on disk before anything moves there: any sync of new/ may make
 * the move durable, and with the folder all that is in it would be lost. */
static int make_place(const struct depot *depot, char *path)
{
    char *name = strrchr(path, '/');
    *name = '\0';
    int err = file_make_folders(path);
    if (!err)
        err = file_sync_folder(depot->folder);
    if (err)
        rmdir(path); /* the next one must not take it for durable */
    *name = '/';
    return err;
}

int depot_settle(const struct depot *depot, const struct digest *digest, int64_t number)
{
    char from[DEPOT_PATH_MAX], to[DEPOT_PATH_MAX];
    int err = depot_sealed(depot, from, digest, number);
    if (!err)
        err = depot_place(depot, to, digest);
    if (!err && !file_exists(from))
        err = -ENOENT; /* and what is in its place stays there */
    if (!err)
        err = depot_retire(depot, digest);
    if (err)
        return err;
    err = move(from, to);
    if (err != -ENOENT)
        return err;
    err = make_place(depot, to);
    return err ? err : move(from, to);
}

int depot_retire(const struct depot *depot, const struct digest *digest)
{
    char path[DEPOT_PATH_MAX];
    int err = depot_place(depot, path, digest);
    return err ? err : move_to_old(depot, path);
}

struct drop {
    const struct depot *depot;
    int64_t number;
};

static int drop_one(void *owner, const struct digest *digest, int64_t number)
{
    const struct drop *drop = owner;
    char path[DEPOT_PATH_MAX];
    if (number != drop->number)
        return 0;
    int err = digest ? depot_sealed(drop->depot, path, digest, number)
                     : depot_new(drop->depot, path, number);
    return err ? err : move_to_old(drop->depot, path);
}

int depot_drop(const struct depot *depot, int64_t number)
{
    struct drop drop = {depot, number};
    return depot_each_new(depot, drop_one, &drop);
}

/* ---- Walks */

/* Calls `each` for the names in a folder, which may change meanwhile. */
static int each_name(const struct depot *depot, const char *folder,
                     int (*each)(void *owner, const char *path, const char *name),
                     void *owner)
{
    char path[DEPOT_PATH_MAX], below[DEPOT_PATH_MAX];
    struct dirent **names = NULL;
    int err = join(depot, path, folder);
    int count = err ? 0 : scandir(path, &names, NULL, alphasort);
    if (count < 0)
        return errno == ENOENT ? 0 : -errno;
    for (int i = 0; i < count; i++) {
        const char *name = names[i]->d_name;
        if (!err && name[0] != '.')
            err = file_join(below, sizeof(below), path, name);
        if (!err && name[0] != '.')
            err = each(owner, below, name);
        free(names[i]);
    }
    free(names);
    return err;
}

/* "N", or "SHA256.N" with its digest. */
static bool read_name(const char *name, struct digest *digest, bool *is_sealed,
                      int64_t *number)
{
    char *end, digits[HEX + 1] = "";
    size_t length = strlen(name);
    *is_sealed = length > HEX && name[HEX] == '.';
    if (*is_sealed) {
        memcpy(digits, name, HEX);
        name += HEX + 1;
        if (hex_decode(digest->bytes, DIGEST_BYTES, digits) != 0)
            return false;
    }
    errno = 0;
    *number = strtoll(name, &end, 10);
    return errno == 0 && end != name && *end == '\0' && *number >= 0;
}

struct walk {
    int (*each)(void *owner, const struct digest *digest, int64_t number);
    void *owner;
    const char *above; /* the two digits of the folder */
};

static int take_new(void *owner, const char *path, const char *name)
{
    const struct walk *walk = owner;
    struct digest digest;
    bool is_sealed;
    int64_t number;
    (void)path;
    if (!read_name(name, &digest, &is_sealed, &number))
        return 0;
    return walk->each(walk->owner, is_sealed ? &digest : NULL, number);
}

int depot_each_new(const struct depot *depot,
                   int (*each)(void *owner, const struct digest *digest, int64_t number),
                   void *owner)
{
    struct walk walk = {each, owner, NULL};
    return each_name(depot, "new", take_new, &walk);
}

static int take_placed(void *owner, const char *path, const char *name)
{
    const struct walk *walk = owner;
    char digits[HEX + 1];
    struct digest digest;
    struct stat file;
    if (strlen(name) != HEX - 2 || lstat(path, &file) != 0 || !S_ISREG(file.st_mode))
        return 0;
    snprintf(digits, sizeof(digits), "%.2s%s", walk->above, name);
    if (hex_decode(digest.bytes, DIGEST_BYTES, digits) != 0)
        return 0;
    return walk->each(walk->owner, &digest, file.st_size);
}

int depot_each(const struct depot *depot,
               int (*each)(void *owner, const struct digest *digest, int64_t bytes),
               void *owner)
{
    int err = 0;
    for (int i = 0; i < 256 && !err; i++) {
        char folder[3];
        snprintf(folder, sizeof(folder), "%02x", (unsigned)i);
        struct walk walk = {each, owner, folder};
        err = each_name(depot, folder, take_placed, &walk);
    }
    return err;
}

static int erase_one(void *owner, const char *path, const char *name)
{
    int64_t *left = owner;
    int err = cask_erase(path);
    if (err)
        log_error("blobs/old/%s: cannot be erased: %s", name, strerror(-err));
    *left += err != 0;
    return 0; /* the others go */
}

static int sync_folder(const struct depot *depot, const char *name)
{
    char path[DEPOT_PATH_MAX];
    int err = join(depot, path, name);
    return err ? err : file_sync_folder(path);
}

/* Before a head is overwritten no other name leads to it any more, also after a power cut: one that
 * was still called SHA256.N in new/ would be put before the whole one that has been stored since. */
int depot_erase(const struct depot *depot, int64_t *left)
{
    *left = 0;
    int err = sync_folder(depot, "new");
    if (!err)
        err = sync_folder(depot, "old");
    if (!err)
        err = each_name(depot, "old", erase_one, left);
    return err ? err : sync_folder(depot, "old");
}

/* ---- The mark */

int depot_read_mark(const struct depot *depot, struct buffer *folders)
{
    char path[DEPOT_PATH_MAX];
    int err = join(depot, path, MARK);
    return err ? err : file_read(folders, path, MARK_MAX);
}

/* What the mark said is kept: the one before may not have been adopted yet. A mark that cannot be
 * read is made anew, or nothing would be adopted at all. */
static int write_mark(const char *path, const char *aside)
{
    struct buffer text = {0};
    if (file_read(&text, path, MARK_MAX) != 0)
        buffer_clear(&text);
    if (aside != NULL)
        buffer_printf(&text, "%s\n", aside);
    int err = file_put_durably(path, buffer_text(&text), text.length, 0640);
    buffer_free(&text);
    return err;
}

int depot_mark(const char *state, const char *aside)
{
    char folder[DEPOT_PATH_MAX], path[DEPOT_PATH_MAX];
    int err = file_join(folder, sizeof(folder), state, "blobs");
    if (!err)
        err = file_make_folders(folder);
    if (!err)
        err = file_join(path, sizeof(path), folder, MARK);
    if (!err)
        err = write_mark(path, aside);
    return err ? err : file_sync_folder(state);
}

bool depot_is_marked(const struct depot *depot)
{
    char path[DEPOT_PATH_MAX];
    return join(depot, path, MARK) != 0 || file_exists(path);
}

int depot_unmark(const struct depot *depot)
{
    char path[DEPOT_PATH_MAX];
    int err = join(depot, path, MARK);
    if (err)
        return err;
    if (unlink(path) != 0 && errno != ENOENT)
        return -errno;
    return file_sync_folder(depot->folder);
}
