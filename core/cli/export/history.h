/* history - all events of a journal that name one file by its SHA-256, in their order.
 *
 * What cannot be read is counted and passed over, what is erased was telemetry. */
#ifndef CLI_EXPORT_HISTORY_H
#define CLI_EXPORT_HISTORY_H

#include <stdint.h>

#include "cli/journal/archive.h"

enum { HISTORY_MAX = 10000, HISTORY_BYTES_MAX = 64 * 1024 * 1024 };

struct history_event {
    uint64_t seq;
    size_t start; /* of its body in `bodies` */
    size_t length;
};

/* Zeroed: empty. */
struct history {
    struct buffer events; /* struct history_event apiece */
    struct buffer bodies;
    uint64_t unread;
};

/* Calls `each` for those from `from` on; nonzero from it ends it, and is returned. `unread` grows by those
 * that cannot be read. */
int history_each(struct archive *archive, const char *sha256, uint64_t from,
                 uint64_t *unread,
                 int (*each)(void *owner, uint64_t seq, const void *body, size_t length),
                 void *owner);

/* Takes those from `from` on. 0, or -E2BIG beyond HISTORY_MAX or HISTORY_BYTES_MAX. */
int history_gather(struct history *history, struct archive *archive, const char *sha256,
                   uint64_t from);
void history_free(struct history *history);

/* The first of the `most` events from `from` on that names the file: its bytes, valid until the archive is
 * asked again. NULL when there is none that can be read. */
const char *history_first(struct archive *archive, const char *sha256, uint64_t from,
                          uint64_t most, size_t *length);

size_t history_count(const struct history *history);
const struct history_event *history_at(const struct history *history, size_t i);
const char *history_body(const struct history *history,
                         const struct history_event *event);

#endif
