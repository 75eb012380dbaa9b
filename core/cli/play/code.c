/* code - see code.h. */
#include "cli/play/code.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/hex.h"

enum { FILES_MAX = 256, FILE_MAX = 1024 * 1024, DEPTH_MAX = 4 };

struct walk {
    struct buffer lines; /* "HASH  PATH" a file */
    int files;
};

static int walk_folder(struct walk *walk, const char *folder, const char *below,
                       int depth);

static bool is_code(const char *name)
{
    size_t length = strlen(name);
    return length > 4 && strcmp(name + length - 4, ".lua") == 0;
}

static int add_file(struct walk *walk, const char *path, const char *below)
{
    struct buffer bytes = {0};
    struct digest digest;
    char hex[2 * DIGEST_BYTES + 1];
    int err = ++walk->files > FILES_MAX ? -EFBIG : file_read(&bytes, path, FILE_MAX);
    suite_hash(suite_named("sha256+ed25519"), &digest, bytes.bytes, bytes.length);
    hex_encode(hex, digest.bytes, DIGEST_BYTES);
    buffer_printf(&walk->lines, "%s  %s\n", hex, below);
    buffer_free(&bytes);
    return err;
}

static int visit(struct walk *walk, const char *path, const char *below, const char *name,
                 int depth)
{
    DIR *folder = opendir(path);
    if (folder == NULL)
        return is_code(name) ? add_file(walk, path, below) : 0;
    closedir(folder);
    if (strcmp(name, "test") == 0)
        return 0;
    return depth == DEPTH_MAX ? -EFBIG : walk_folder(walk, path, below, depth + 1);
}

static int walk_folder(struct walk *walk, const char *folder, const char *below,
                       int depth)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, NULL, alphasort), err = count < 0 ? -errno : 0;
    for (int i = 0; i < count; i++) {
        char path[PATH_MAX], inner[PATH_MAX];
        const char *name = entries[i]->d_name;
        if (!err && name[0] != '.' &&
            (err = file_join(path, sizeof(path), folder, name)) == 0 &&
            (err = file_join(inner, sizeof(inner), below, name)) == 0)
            err = visit(walk, path, inner, name, depth);
        free(entries[i]);
    }
    free(entries);
    return err;
}

int code_hash(struct digest *hash, const char *folder)
{
    struct walk walk = {.files = 0};
    int err = walk_folder(&walk, folder, ".", 0);
    suite_hash(suite_named("sha256+ed25519"), hash, walk.lines.bytes, walk.lines.length);
    buffer_free(&walk.lines);
    return err;
}
