/* snapshot - the Lua files of a folder as they were, kept under their own hash: what runs can be
 * started again after somebody has overwritten the folder, or half of it.
 *
 *   SHELF/HASH/NAME/...     NAME is the folder's own
 *
 * HASH is the SHA-256 of one line a file, sorted by path: its SHA-256, two spaces, its path. Only .lua
 * files count: no host can load anything else; `test` folders and hidden files do not. A file is read
 * once, so a snapshot is what its hash says whatever happens to the folder meanwhile. It is made
 * beside its place and renamed: there whole, or not there. Calls return 0 or a negative errno. */
#ifndef KEEPER_VERSIONS_SNAPSHOT_H
#define KEEPER_VERSIONS_SNAPSHOT_H

#include <stdbool.h>

#include "proof/suite.h"

#ifdef SMALL_BOUNDS
enum {
    SNAPSHOT_FILES_MAX = 64,
    SNAPSHOT_BYTES_MAX = 1024 * 1024,
    SNAPSHOT_DEPTH_MAX = 2
};
#else
enum {
    SNAPSHOT_FILES_MAX = 256,
    SNAPSHOT_BYTES_MAX = 8 * 1024 * 1024,
    SNAPSHOT_DEPTH_MAX = 4 /* of folders below the folder */
};
#endif

enum { SNAPSHOT_HASH_ROOM = 2 * DIGEST_BYTES + 1, SNAPSHOT_NAME_ROOM = 384 };

/* Makes it, unless it is there and whole; "HASH/NAME" into `name`. -EFBIG beyond the bounds. */
int snapshot_take(char name[SNAPSHOT_NAME_ROOM], const char *shelf, const char *folder);

/* -EBADMSG when what lies there is not what its hash says. */
int snapshot_check(const char *shelf, const char *name);

/* Removes all from the shelf whose hash `is_kept` does not want, and what was left half made. */
void snapshot_prune(const char *shelf, bool (*is_kept)(void *owner, const char *hash),
                    void *owner);

#endif
