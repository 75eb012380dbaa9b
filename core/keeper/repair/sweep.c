/* sweep - see sweep.h. */
#include "keeper/repair/sweep.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/file.h"
#include "proof/tile.h"

/* A folder of the last level holds the tiles of 1,000 indexes. */
enum { LEVELS = 8, FOLDER_TILES = 1000, PATH_ROOM = 4096 };

struct sweep {
    const char *folder;
    char kept[TILE_PATH_ROOM]; /* the partial tile that stays, or empty */
};

static bool ends_with(const char *name, const char *end)
{
    size_t length = strlen(name), tail = strlen(end);
    return length > tail && strcmp(name + length - tail, end) == 0;
}

static void remove_file(const struct sweep *sweep, const char *name)
{
    char path[PATH_ROOM];
    if (file_join(path, sizeof(path), sweep->folder, name) == 0)
        unlink(path);
}

/* Calls `judge` for each name in a folder of the journal. */
static void each_name(const struct sweep *sweep, const char *folder,
                      void (*judge)(const struct sweep *sweep, const char *name,
                                    const char *entry))
{
    char path[PATH_ROOM], name[PATH_ROOM];
    if (file_join(path, sizeof(path), sweep->folder, folder) != 0)
        return;
    DIR *open = opendir(path);
    if (open == NULL)
        return;
    for (const struct dirent *entry = readdir(open); entry; entry = readdir(open))
        if (entry->d_name[0] != '.' &&
            file_join(name, sizeof(name), folder, entry->d_name) == 0)
            judge(sweep, name, entry->d_name);
    closedir(open);
}

static void judge_width(const struct sweep *sweep, const char *name, const char *entry)
{
    (void)entry;
    if (strcmp(name, sweep->kept) != 0)
        remove_file(sweep, name);
}

static void judge_tile(const struct sweep *sweep, const char *name, const char *entry)
{
    char path[PATH_ROOM];
    if (file_is_unfinished(entry))
        remove_file(sweep, name);
    if (!ends_with(entry, ".p"))
        return;
    each_name(sweep, name, judge_width);
    if (file_join(path, sizeof(path), sweep->folder, name) == 0)
        rmdir(path); /* when nothing is in it any more */
}

static void judge_note(const struct sweep *sweep, const char *name, const char *entry)
{
    if (file_is_unfinished(entry))
        remove_file(sweep, name);
}

static void sweep_tiles(const struct sweep *sweep, int level, uint64_t index)
{
    char folder[TILE_PATH_ROOM];
    tile_path(folder, level, index, TILE_WIDTH);
    *strrchr(folder, '/') = '\0';
    each_name(sweep, folder, judge_tile);
}

static void sweep_level(struct sweep *sweep, int level, uint64_t size)
{
    uint64_t index = (level < 0 ? size : size >> 8 * level) / TILE_WIDTH;
    unsigned width = tile_width(level, index, size);
    sweep->kept[0] = '\0';
    if (level >= 0 && width > 0)
        tile_path(sweep->kept, level, index, width);
    sweep_tiles(sweep, level, index);
    sweep_tiles(sweep, level, index + FOLDER_TILES); /* written, but not signed yet */
    if (index >= FOLDER_TILES)
        sweep_tiles(sweep, level, index - FOLDER_TILES);
}

void sweep_journal(const char *folder, uint64_t size)
{
    struct sweep sweep = {.folder = folder};
    each_name(&sweep, ".", judge_note);
    for (int level = -1; level < LEVELS; level++)
        sweep_level(&sweep, level, size);
}
