/* The first line of the input is the claim (log, lane, prev, last and perhaps the encoding between
 * spaces), the rest the payload. What is taken must lie inside the payload, or inside what it was
 * unpacked to, rise, and be whole objects. */
#include "city/batch.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static char *word(char **rest)
{
    char *found = strsep(rest, " ");
    return found;
}

static void check(const struct batch *batch, const char *payload, size_t length)
{
    int64_t before = batch->prev;
    for (size_t i = 0; i < batch->count; i++) {
        const struct batch_event *event = &batch->events[i];
        ASSERT(event->bytes > payload && event->bytes + event->length < payload + length);
        ASSERT(event->bytes[0] == '{' && event->bytes[event->length - 1] == '}');
        ASSERT(event->seq > before);
        before = event->seq;
    }
    ASSERT(before == batch->last);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static struct batch batch;
    char line[160] = "", why[BATCH_WHY_ROOM];
    const uint8_t *end = memchr(bytes, '\n', length);
    size_t head = end == NULL ? 0 : (size_t)(end - bytes);
    if (head >= sizeof(line))
        return 0;
    memcpy(line, bytes, head);
    char *rest = line;
    struct batch_claim claim = {.office = "office-1", .lane = LANE_RECORD};
    claim.log = word(&rest);
    claim.lane_name = word(&rest);
    claim.prev = word(&rest);
    claim.last = word(&rest);
    claim.encoding = word(&rest);
    size_t left = length - (end == NULL ? 0 : head + 1);
    char *payload = malloc(left + 1); /* of its own, so that a step too far is seen */
    memcpy(payload, bytes + length - left, left);
    int err = batch_read(&batch, &claim, payload, left, why);
    ASSERT(batch.plain.length <= BATCH_BYTES_MAX);
    if (!err && claim.encoding == NULL)
        check(&batch, payload, left);
    else if (!err)
        check(&batch, batch.plain.bytes, batch.plain.length);
    free(payload);
    return 0;
}
