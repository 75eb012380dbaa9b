/* bundle - see bundle.h. */
#include "proof/bundle.h"

#include <errno.h>
#include <stdint.h>

#include "base/base.h"
#include "proof/squeeze.h"

enum { LENGTH_BYTES = 2, PLAIN_MAX = BUNDLE_ENTRIES * (BUNDLE_ENTRY_MAX + LENGTH_BYTES) };

void bundle_add(struct buffer *plain, const void *entry, size_t length)
{
    ASSERT(length <= BUNDLE_ENTRY_MAX);
    const char head[LENGTH_BYTES] = {(char)(length >> 8), (char)length};
    buffer_append(plain, head, LENGTH_BYTES);
    buffer_append(plain, entry, length);
}

void bundle_pack(struct buffer *out, const struct buffer *plain)
{
    ASSERT(plain->length <= PLAIN_MAX);
    squeeze_put(out, plain->bytes, plain->length, SQUEEZE_SUMMED);
}

static int find_entries(struct bundle *bundle)
{
    const unsigned char *bytes = (const unsigned char *)bundle->plain.bytes;
    size_t at = 0;
    size_t end = bundle->plain.length;
    while (at < end) {
        if (bundle->count == BUNDLE_ENTRIES || end - at < LENGTH_BYTES)
            return -EBADMSG;
        size_t length = (size_t)bytes[at] << 8 | bytes[at + 1];
        if (length > end - at - LENGTH_BYTES)
            return -EBADMSG;
        bundle->start[bundle->count++] = at + LENGTH_BYTES;
        at += LENGTH_BYTES + length;
    }
    bundle->start[bundle->count] = end + LENGTH_BYTES; /* as if one more entry followed */
    return 0;
}

int bundle_open(struct bundle *bundle, const void *file, size_t length)
{
    *bundle = (struct bundle){.count = 0};
    return bundle_reopen(bundle, file, length);
}

int bundle_reopen(struct bundle *bundle, const void *file, size_t length)
{
    buffer_clear(&bundle->plain);
    bundle->count = 0;
    int err = squeeze_get(&bundle->plain, file, length, PLAIN_MAX);
    if (!err)
        err = find_entries(bundle);
    if (err)
        bundle_close(bundle);
    return err;
}

int bundle_open_torn(struct bundle *bundle, const void *file, size_t length)
{
    *bundle = (struct bundle){.count = 0};
    squeeze_get_torn(&bundle->plain, file, length, PLAIN_MAX);
    const unsigned char *bytes = (const unsigned char *)bundle->plain.bytes;
    size_t at = 0, end = bundle->plain.length;
    while (bundle->count < BUNDLE_ENTRIES && end - at >= LENGTH_BYTES) {
        size_t entry = (size_t)bytes[at] << 8 | bytes[at + 1];
        if (entry > end - at - LENGTH_BYTES)
            break;
        bundle->start[bundle->count++] = at + LENGTH_BYTES;
        at += LENGTH_BYTES + entry;
    }
    bundle->start[bundle->count] = at + LENGTH_BYTES;
    if (bundle->count > 0)
        return 0;
    bundle_close(bundle);
    return -EBADMSG;
}

void bundle_close(struct bundle *bundle)
{
    buffer_free(&bundle->plain);
    bundle->count = 0;
}

const void *bundle_entry(const struct bundle *bundle, unsigned i, size_t *length)
{
    ASSERT(i < bundle->count);
    *length = bundle->start[i + 1] - LENGTH_BYTES - bundle->start[i];
    return bundle->plain.bytes + bundle->start[i];
}
