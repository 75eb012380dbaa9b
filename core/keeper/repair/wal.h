/* wal - what SQLite would take from a write-ahead log file, found without SQLite.
 *
 * Read-only and pure but for the file; the format is that of https://sqlite.org/fileformat2.html
 * section 4. Every byte is foreign. */
#ifndef KEEPER_REPAIR_WAL_H
#define KEEPER_REPAIR_WAL_H

#include <stdint.h>

struct wal {
    int64_t whole; /* transactions that are there to their end, checksums and all */
    int64_t
        claimed; /* ends of transactions, whether what they need is intact or not; but one whose
                        frame a sector's end may have torn counts only with a right checksum */
};

/* Looks at the file; one that is not there or has no sound header holds nothing, but the latter
 * claims a transaction when it has room for one. 0 or a negative errno. */
int wal_look(struct wal *wal, const char *path);

#endif
