/* inventory - which files stand in a journal folder, and whether each belongs there.
 *
 * Belongs: tail.db and the notes; hash tiles and bundles of a log of that size, under their one
 * canonical name; while the journal is not closed also what a keeper leaves when it is cut off:
 * SQLite's log beside tail.db, files half written, partial tiles of other checkpoints. Anything
 * else, also a link or a device, is a finding. */
#ifndef CLI_JOURNAL_INVENTORY_H
#define CLI_JOURNAL_INVENTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "cli/journal/finding.h"

/* A partial hash tile that is there. */
struct inventory_tile {
    int level;
    uint64_t index;
    unsigned width;
};

struct inventory {
    uint64_t size;    /* of the log, given by the caller */
    uint64_t covered; /* the same: the size of the checkpoint */
    bool is_closed;   /* the same */
    struct buffer
        partial; /* struct inventory_tile; the caller frees it with inventory_free() */
    unsigned leftovers; /* files of a write that was cut off: harmless */
};

/* 0, -EBADMSG with the finding, or the errno of reading folders. */
int inventory_take(struct inventory *inventory, const char *folder,
                   struct finding *finding);
void inventory_free(struct inventory *inventory);

#endif
