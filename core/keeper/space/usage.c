/* usage - see usage.h. */
#include "keeper/space/usage.h"

#include <errno.h>
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keeper/space/thin.h"

enum { FOLDERS_OPEN = 16, FOLDER_TILES = 1000 };

/* nftw() has no owner to hand on: one count a process at a time. */
static int64_t counted;

static bool is_elsewhere(const char *name)
{
    return strcmp(name, "tail.db") == 0 || strcmp(name, "tail.db-wal") == 0;
}

static int count_one(const char *path, const struct stat *file, int type,
                     struct FTW *place)
{
    const char *name = path + place->base;
    if (type == FTW_NS || is_elsewhere(name))
        return 0;
    if (thin_is_leftover(name) && unlink(path) == 0)
        return 0;
    counted += (int64_t)file->st_blocks * 512;
    return 0;
}

int usage_count(void *owner, struct buffer *result)
{
    const struct journal *journal = owner;
    counted = 0;
    if (nftw(journal->folder, count_one, FOLDERS_OPEN, FTW_PHYS) != 0)
        return -errno;
    buffer_append(result, &counted, sizeof(counted));
    return 0;
}

static int64_t size_of(const struct journal *journal, const char *name)
{
    char path[JOURNAL_PATH_MAX];
    struct stat file;
    return journal_path(journal, path, name) == 0 && stat(path, &file) == 0
               ? (int64_t)file.st_blocks * 512
               : 0;
}

/* A folder is counted when the last of its tiles comes. */
static int64_t size_of_tile(const struct journal *journal, int level, int64_t index)
{
    char name[TILE_PATH_ROOM];
    tile_path(name, level, (uint64_t)index, TILE_WIDTH);
    int64_t bytes = size_of(journal, name);
    if (index % FOLDER_TILES != FOLDER_TILES - 1)
        return bytes;
    *strrchr(name, '/') = '\0';
    return bytes + size_of(journal, name);
}

int64_t usage_of_tiles(const struct journal *journal, int64_t from, int64_t until)
{
    int64_t bytes = 0;
    for (int64_t index = from; index < until; index++)
        bytes += size_of_tile(journal, -1, index) + size_of_tile(journal, 0, index);
    return bytes;
}
