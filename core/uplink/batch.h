/* batch - the payload of up/<lane>: a JSON array of events, each exactly as it was committed.
 *
 * The city hashes the bytes between the commas, so nothing is ever added to them, not a space. */
#ifndef UPLINK_BATCH_H
#define UPLINK_BATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

#define BATCH_CONTENT_TYPE "application/cloudevents-batch+json"

void batch_begin(struct buffer *payload);
void batch_add(struct buffer *payload, const void *event, size_t length);
void batch_end(struct buffer *payload);

/* The payload made small in `packed`, or quickly a bit less so; false, and of no use, when that is
 * not smaller. Else the message says "content-encoding: zstd". */
bool batch_pack(struct buffer *packed, const struct buffer *payload, bool quickly);

#endif
