/* shelf - see shelf.h. */
#include "keeper/journal/shelf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/file.h"
#include "proof/tree.h"

enum { LEVELS = 8 }; /* 256 to the 8th events are enough */

void shelf_begin(struct shelf *shelf, const char *folder, const struct suite *suite)
{
    *shelf = (struct shelf){.folder = folder, .suite = suite};
}

static int full_path(const struct shelf *shelf, char path[SHELF_PATH_MAX],
                     const char *name)
{
    return file_join(path, SHELF_PATH_MAX, shelf->folder, name);
}

/* Cuts the last part off: "tile/0/x001/234" becomes "tile/0/x001". */
static void cut_name(char *path)
{
    char *slash = strrchr(path, '/');
    ASSERT(slash != NULL);
    *slash = '\0';
}

static int remember_folder(struct shelf *shelf, const char *name)
{
    char folder[TILE_PATH_ROOM];
    snprintf(folder, sizeof(folder), "%s", name);
    cut_name(folder);
    for (int i = 0; i < shelf->folder_count; i++)
        if (strcmp(shelf->folders[i], folder) == 0)
            return 0;
    if (shelf->folder_count == SHELF_FOLDERS_MAX)
        return shelf_sync(shelf) ? -EIO : remember_folder(shelf, name);
    strcpy(shelf->folders[shelf->folder_count++], folder);
    char path[SHELF_PATH_MAX];
    int err = full_path(shelf, path, folder);
    return err ? err : file_make_folders(path);
}

int shelf_put(struct shelf *shelf, int level, uint64_t index, unsigned width,
              const void *bytes, size_t length)
{
    char name[TILE_PATH_ROOM], path[SHELF_PATH_MAX];
    tile_path(name, level, index, width);
    int err = full_path(shelf, path, name);
    if (!err)
        err = remember_folder(shelf, name);
    return err ? err : file_put(path, bytes, length, 0640);
}

static int read_tile(const struct shelf *shelf, struct buffer *out, int level,
                     uint64_t index)
{
    char name[TILE_PATH_ROOM], path[SHELF_PATH_MAX];
    tile_path(name, level, index, TILE_WIDTH);
    int err = full_path(shelf, path, name);
    if (!err)
        err = file_read(out, path, TILE_WIDTH * DIGEST_BYTES);
    if (!err && out->length != TILE_WIDTH * DIGEST_BYTES)
        err = -EBADMSG;
    return err;
}

/* The hash over a full tile is an entry of the level above. */
static int fold_tile(const struct shelf *shelf, struct digest *root, int level,
                     uint64_t index)
{
    struct buffer tile = {0};
    struct tree tree;
    int err = read_tile(shelf, &tile, level, index);
    tree_begin(&tree, shelf->suite);
    for (unsigned i = 0; i < TILE_WIDTH && !err; i++)
        tree_append(&tree, (const struct digest *)tile.bytes + i);
    if (!err)
        tree_root(&tree, root);
    buffer_free(&tile);
    return err;
}

int shelf_fold(const struct shelf *shelf, struct digest *hashes, int level,
               uint64_t index, unsigned width)
{
    int err = 0;
    for (unsigned i = 0; i < width && !err; i++)
        err = fold_tile(shelf, &hashes[i], level - 1, index * TILE_WIDTH + i);
    return err;
}

static int put_folded(struct shelf *shelf, int level, uint64_t index, unsigned width)
{
    struct digest hashes[TILE_WIDTH];
    int err = shelf_fold(shelf, hashes, level, index, width);
    return err ? err
               : shelf_put(shelf, level, index, width, hashes, width * sizeof(hashes[0]));
}

int shelf_put_above(struct shelf *shelf, uint64_t index)
{
    int err = 0;
    for (int level = 1; level < LEVELS && (index + 1) % TILE_WIDTH == 0 && !err;
         level++) {
        index /= TILE_WIDTH;
        err = put_folded(shelf, level, index, TILE_WIDTH);
    }
    return err;
}

int shelf_put_partial_above(struct shelf *shelf, uint64_t size)
{
    int err = 0;
    uint64_t hashes = size / TILE_WIDTH;
    for (int level = 1; level < LEVELS && hashes > 0 && !err; level++) {
        unsigned width = (unsigned)(hashes % TILE_WIDTH);
        if (width > 0 && !shelf_has(shelf, level, hashes / TILE_WIDTH, width))
            err = put_folded(shelf, level, hashes / TILE_WIDTH, width);
        hashes /= TILE_WIDTH;
    }
    return err;
}

bool shelf_has(const struct shelf *shelf, int level, uint64_t index, unsigned width)
{
    char name[TILE_PATH_ROOM], path[SHELF_PATH_MAX];
    tile_path(name, level, index, width);
    return full_path(shelf, path, name) == 0 && file_exists(path);
}

static void remove_tile(const struct shelf *shelf, int level, uint64_t index,
                        unsigned width)
{
    char name[TILE_PATH_ROOM], path[SHELF_PATH_MAX];
    tile_path(name, level, index, width);
    if (full_path(shelf, path, name) != 0)
        return;
    unlink(path);
    cut_name(path);
    rmdir(path); /* stays while another width is in it */
}

void shelf_remove_partial(const struct shelf *shelf, uint64_t size, uint64_t now)
{
    for (int level = 0; level < LEVELS && size > 0; level++) {
        unsigned width = (unsigned)(size % TILE_WIDTH);
        if (width > 0 && size != now)
            remove_tile(shelf, level, size / TILE_WIDTH, width);
        size /= TILE_WIDTH;
        now /= TILE_WIDTH;
    }
}

/* A folder's own name is an entry of the one above it. */
static int sync_up(const struct shelf *shelf, const char *folder)
{
    char name[TILE_PATH_ROOM], path[SHELF_PATH_MAX];
    snprintf(name, sizeof(name), "%s", folder);
    for (;;) {
        int err = full_path(shelf, path, name);
        if (!err)
            err = file_sync_folder(path);
        if (err || strchr(name, '/') == NULL)
            return err ? err : file_sync_folder(shelf->folder);
        cut_name(name);
    }
}

int shelf_sync(struct shelf *shelf)
{
    int err = 0;
    for (int i = 0; i < shelf->folder_count && !err; i++)
        err = sync_up(shelf, shelf->folders[i]);
    shelf->folder_count = 0;
    return err;
}
