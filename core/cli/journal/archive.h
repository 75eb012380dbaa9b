/* archive - a journal folder, read: the tail, the notes beside it, the tiles and the bundles.
 *
 * Works on the folder of a running office and on any copy of one, and writes nothing there. */
#ifndef CLI_JOURNAL_ARCHIVE_H
#define CLI_JOURNAL_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "cli/journal/finding.h"
#include "cli/journal/tail.h"
#include "proof/bundle.h"

enum { ARCHIVE_PATH_MAX = 4096, ARCHIVE_FILE_MAX = 256 * 65537 + 65536 };

/* A small file of the folder, as it is. */
struct archive_file {
    bool is_there;
    struct buffer bytes;
};

struct archive {
    char folder[ARCHIVE_PATH_MAX];
    struct tail tail;
    struct archive_file checkpoint;
    struct archive_file receipt;
    struct archive_file closed;
    struct archive_file verifier; /* key.pub */
    struct bundle bundle;         /* the one opened last */
    int64_t bundle_index;         /* -1 none */
};

/* Finds the journal folder: `folder` itself, or `journal` in it. -ENOENT when neither holds
 * anything of a journal. */
int archive_find(char path[ARCHIVE_PATH_MAX], const char *folder);

/* Reads the notes, then the tail (so that no note is newer than the tail). 0; -EBADMSG with the
 * finding; or the errno of reading. */
int archive_open(struct archive **out, const char *folder, struct finding *finding);
void archive_close(struct archive *archive);

/* How many events it holds, sealed or not. */
uint64_t archive_size(const struct archive *archive);

/* Appends a file of the folder; as file_read(). */
int archive_read(const struct archive *archive, struct buffer *out, const char *name,
                 size_t most);

bool archive_holds(const struct archive *archive, const char *name);

/* Reads a hash tile: a struct tile_source's `read`, with the archive as its owner. What is not
 * filed yet is made from the tail. */
int archive_read_tile(void *archive, struct buffer *out, int level, uint64_t index,
                      unsigned width);

/* The leaf hashes of a sealed tile, erased events' too. 0, -ENOENT, -EBADMSG (not 256 of them), or
 * the errno of reading. */
int archive_leaves(const struct archive *archive, struct digest leaves[TILE_WIDTH],
                   uint64_t index);
/* The hash over all 256 of them, as the tile above has it; the same. */
int archive_above(struct archive *archive, struct digest *hash, uint64_t index);

/* The event's exact bytes, valid until the next call. 0, -ENOENT (no such event), -ENODATA (its
 * body is erased), -EBADMSG (its bundle is damaged), or the errno of reading. */
int archive_event(struct archive *archive, uint64_t seq, const void **body,
                  size_t *length);

/* Whether a keeper at work has put a newer checkpoint into the place of the one that was read, and
 * removed the partial tiles of that one. */
bool archive_is_superseded(const struct archive *archive);

/* Whether a keeper has written since archive_open(): what looked wrong may only have been new. */
bool archive_has_changed(const struct archive *archive);

#endif
