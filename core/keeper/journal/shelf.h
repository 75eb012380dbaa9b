/* shelf - hash tiles and entry bundles on disk, under the journal's folder.
 *
 * What is put there is the same bytes whoever puts it, so putting twice is harmless. Nothing is
 * durable by name before shelf_sync(). Used in errands: it reads and writes files, never the
 * store. */
#ifndef KEEPER_JOURNAL_SHELF_H
#define KEEPER_JOURNAL_SHELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proof/suite.h"
#include "proof/tile.h"

enum { SHELF_FOLDERS_MAX = 64, SHELF_PATH_MAX = 4096 };

struct shelf {
    const char *folder; /* .../journal */
    const struct suite *suite;
    int folder_count; /* folders that hold new names */
    char folders[SHELF_FOLDERS_MAX][TILE_PATH_ROOM];
};

void shelf_begin(struct shelf *shelf, const char *folder, const struct suite *suite);

/* Puts a tile (or, level -1, a bundle); durable content, name durable after shelf_sync(). */
int shelf_put(struct shelf *shelf, int level, uint64_t index, unsigned width,
              const void *bytes, size_t length);

/* Puts the hash tiles of higher levels that are full now that tile `index` of level 0 is. */
int shelf_put_above(struct shelf *shelf, uint64_t index);

/* Puts the partial tiles of the higher levels of a tree of `size`. */
int shelf_put_partial_above(struct shelf *shelf, uint64_t size);

/* The first `width` hashes of a tile of level 1 or more, from the full tiles below it. */
int shelf_fold(const struct shelf *shelf, struct digest *hashes, int level,
               uint64_t index, unsigned width);

/* Whether that tile is there. */
bool shelf_has(const struct shelf *shelf, int level, uint64_t index, unsigned width);

/* Removes the partial tiles of a tree of `size` that one of `now` does not have. */
void shelf_remove_partial(const struct shelf *shelf, uint64_t size, uint64_t now);

int shelf_sync(struct shelf *shelf);

#endif
