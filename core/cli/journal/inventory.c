/* inventory - see inventory.h.
 *
 * A tile's name is read loosely and then written anew: only what comes out the same is a name. */
#include "cli/journal/inventory.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/base.h"
#include "base/file.h"
#include "proof/tile.h"

enum { NAME_ROOM = 512, DEPTH_MAX = 12, LEVELS = 8, PARTIAL_MAX = 65536 };

static const struct {
    const char *name;
    bool while_open; /* belongs only while the journal is not closed */
} FILES[] = {
    {"tail.db", false},    {"checkpoint", false},      {"receipt", false},
    {"closed", false},     {"key.pub", false},         {"tail.db-wal", true},
    {"tail.db-shm", true}, {"tail.db-reserve", false},
};

/* Here the keeper keeps damaged files that it has replaced; an event journal.damaged says so. */
static const char ASIDE[] = "damaged";

struct walk {
    struct inventory *inventory;
    const char *folder;
    struct finding *finding;
};

/* Takes a decimal number of at most `digits` digits. */
static bool take_number(const char **at, size_t digits, uint64_t *number)
{
    size_t count = strspn(*at, "0123456789");
    if (count == 0 || count > digits)
        return false;
    *number = 0;
    for (size_t i = 0; i < count; i++)
        *number = *number * 10 + (uint64_t)((*at)[i] - '0');
    *at += count;
    return true;
}

static bool take_word(const char **at, const char *word)
{
    size_t length = strlen(word);
    if (strncmp(*at, word, length) != 0)
        return false;
    *at += length;
    return true;
}

/* Takes "x001/x234/067". */
static bool take_index(const char **at, uint64_t *index)
{
    uint64_t group;
    *index = 0;
    for (int i = 0; i < 6; i++) {
        bool more = take_word(at, "x");
        if (!take_number(at, 3, &group))
            return false;
        *index = *index * 1000 + group;
        if (!more)
            return true;
        if (!take_word(at, "/"))
            return false;
    }
    return false;
}

/* Reads the name of a tile; entry bundles have level -1. */
static bool read_name(struct inventory_tile *tile, const char *name)
{
    const char *at = name;
    uint64_t level = 0, width = TILE_WIDTH;
    char again[TILE_PATH_ROOM];
    if (!take_word(&at, "tile/"))
        return false;
    bool entries = take_word(&at, "entries");
    if (!entries && !take_number(&at, 1, &level))
        return false;
    if (!take_word(&at, "/") || !take_index(&at, &tile->index))
        return false;
    if (take_word(&at, ".p/") && (!take_number(&at, 3, &width) || width == 0))
        return false;
    if (level >= LEVELS || width > TILE_WIDTH)
        return false;
    tile->level = entries ? -1 : (int)level;
    tile->width = (unsigned)width;
    tile_path(again, tile->level, tile->index, tile->width);
    return strcmp(again, name) == 0;
}

/* In a closed journal only the partial tiles of its checkpoint are left. */
static bool is_partial(struct inventory *inventory, const struct inventory_tile *tile)
{
    unsigned edge = tile_width(tile->level, tile->index, inventory->covered);
    if (inventory->is_closed && tile->width != edge)
        return false;
    if (inventory->partial.length / sizeof(*tile) >= PARTIAL_MAX)
        return false;
    buffer_append(&inventory->partial, tile, sizeof(*tile));
    return true;
}

static bool is_tile(struct inventory *inventory, const char *name)
{
    struct inventory_tile tile;
    if (!read_name(&tile, name))
        return false;
    if (tile.level <
        0) /* the bundle of a tile that is not marked as sealed yet is checked too */
        return tile.width == TILE_WIDTH && tile.index < inventory->size / TILE_WIDTH;
    if (tile.width > tile_width(tile.level, tile.index, inventory->size))
        return false;
    return tile.width == TILE_WIDTH || is_partial(inventory, &tile);
}

static bool is_note(const struct inventory *inventory, const char *name)
{
    for (size_t i = 0; i < countof(FILES); i++)
        if (strcmp(FILES[i].name, name) == 0)
            return !FILES[i].while_open || !inventory->is_closed;
    return false;
}

static int judge_file(struct walk *walk, const char *name)
{
    if (is_note(walk->inventory, name) || is_tile(walk->inventory, name))
        return 0;
    if (!file_is_unfinished(name) || walk->inventory->is_closed)
        return finding_put(walk->finding, name, "does not belong into this journal");
    walk->inventory->leftovers++;
    return 0;
}

static int walk_folder(struct walk *walk, const char *name, int depth);

static int walk_entry(struct walk *walk, const char *folder, const char *entry, int depth)
{
    char name[NAME_ROOM], path[PATH_MAX];
    struct stat state;
    if (strcmp(entry, ".") == 0 || strcmp(entry, "..") == 0)
        return 0;
    int length =
        snprintf(name, sizeof(name), "%s%s%s", folder, folder[0] ? "/" : "", entry);
    if (length < 0 || (size_t)length >= sizeof(name))
        return finding_put(walk->finding, folder,
                           "holds a file that does not belong there");
    int err = file_join(path, sizeof(path), walk->folder, name);
    if (err)
        return err;
    if (lstat(path, &state) != 0)
        return errno == ENOENT ? 0 : -errno; /* a keeper removed it since */
    if (strcmp(name, ASIDE) == 0 && S_ISDIR(state.st_mode))
        return 0;
    if (S_ISDIR(state.st_mode))
        return walk_folder(walk, name, depth + 1);
    if (!S_ISREG(state.st_mode))
        return finding_put(walk->finding, name, "is no ordinary file");
    return judge_file(walk, name);
}

/* In the order of names, so that the first finding is always the same one. */
static int walk_folder(struct walk *walk, const char *name, int depth)
{
    char path[PATH_MAX];
    struct dirent **entries = NULL;
    if (depth > DEPTH_MAX)
        return finding_put(walk->finding, name, "a folder too deep for a journal");
    int err = name[0] ? file_join(path, sizeof(path), walk->folder, name) : 0;
    if (err)
        return err;
    int count = scandir(name[0] ? path : walk->folder, &entries, NULL, alphasort);
    if (count < 0)
        return errno == ENOENT ? 0 : -errno;
    for (int i = 0; i < count; i++) {
        if (!err)
            err = walk_entry(walk, name, entries[i]->d_name, depth);
        free(entries[i]);
    }
    free(entries);
    return err;
}

int inventory_take(struct inventory *inventory, const char *folder,
                   struct finding *finding)
{
    struct walk walk = {inventory, folder, finding};
    return walk_folder(&walk, "", 0);
}

void inventory_free(struct inventory *inventory)
{
    buffer_free(&inventory->partial);
}
