/* batch - see batch.h. */
#include "uplink/batch.h"

#include "proof/squeeze.h"

void batch_begin(struct buffer *payload)
{
    buffer_clear(payload);
    buffer_append(payload, "[", 1);
}

void batch_add(struct buffer *payload, const void *event, size_t length)
{
    if (payload->length > 1)
        buffer_append(payload, ",", 1);
    buffer_append(payload, event, length);
}

void batch_end(struct buffer *payload)
{
    buffer_append(payload, "]", 1);
}

bool batch_pack(struct buffer *packed, const struct buffer *payload, bool quickly)
{
    buffer_clear(packed);
    squeeze_put(packed, payload->bytes, payload->length, quickly ? SQUEEZE_QUICK : 0);
    return packed->length < payload->length;
}
