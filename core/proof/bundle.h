/* bundle - 256 events in one file: C2SP tlog-tiles entry bundle, compressed with zstd.
 *
 * Uncompressed, each entry is its length (16 bits, big-endian) and its bytes. The zstd frame
 * carries a checksum. Every input of bundle_open() is foreign.
 *
 * An entry of length 0 is an erased event: no event is empty. Its body is gone, its leaf hash
 * stays in the hash tile, and an event journal.thinned or journal.damaged of the same log says
 * who ordered it. A tile all of whose events are erased has no bundle at all. */
#ifndef PROOF_BUNDLE_H
#define PROOF_BUNDLE_H

#include <stddef.h>

#include "base/buffer.h"

enum { BUNDLE_ENTRIES = 256, BUNDLE_ENTRY_MAX = 65535 };

/* Appends one entry to an uncompressed bundle; 0 (erased) to BUNDLE_ENTRY_MAX bytes. */
void bundle_add(struct buffer *plain, const void *entry, size_t length);

/* Appends the compressed file of an uncompressed bundle. */
void bundle_pack(struct buffer *out, const struct buffer *plain);

struct bundle {
    struct buffer plain;
    unsigned count;
    size_t start[BUNDLE_ENTRIES +
                 1]; /* of each entry in `plain`, and of one more behind them */
};

/* Unpacks and finds the entries; -EBADMSG when it is not a whole bundle of 1 to 256 entries. On
 * success the caller gives it back with bundle_close(). */
int bundle_open(struct bundle *bundle, const void *file, size_t length);
/* The same into one that is zeroed or open, whose memory it takes. */
int bundle_reopen(struct bundle *bundle, const void *file, size_t length);
/* Of a damaged file: the entries that come out of it before the damage, 0 to 256 of them. Any of
 * them may be wrong and must be checked against its leaf hash. -EBADMSG when nothing comes out. */
int bundle_open_torn(struct bundle *bundle, const void *file, size_t length);
void bundle_close(struct bundle *bundle);
/* The bytes of entry i; *length is 0 when it is erased. */
const void *bundle_entry(const struct bundle *bundle, unsigned i, size_t *length);

#endif
