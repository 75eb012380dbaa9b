/* bundle - see bundle.h. The door to zstd.
 *
 * A frame says how long its content is; what says more than a bundle can hold is refused before
 * any memory is taken. */
#include "proof/bundle.h"

#include <errno.h>
#include <stdint.h>
#include <zstd.h>

#include "base/base.h"

enum {
    LENGTH_BYTES = 2,
    PLAIN_MAX = BUNDLE_ENTRIES * (BUNDLE_ENTRY_MAX + LENGTH_BYTES),
    COMPRESSION = 1
};

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
    size_t room = ZSTD_compressBound(plain->length);
    char *file = buffer_grow(out, room);
    ZSTD_CCtx *context = ZSTD_createCCtx();
    ASSERT(context != NULL);
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, COMPRESSION);
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    size_t length = ZSTD_compress2(context, file, room, plain->bytes, plain->length);
    ASSERT(!ZSTD_isError(length));
    ZSTD_freeCCtx(context);
    out->length -= room - length;
}

static int unpack(struct buffer *plain, const void *file, size_t length)
{
    unsigned long long size = ZSTD_getFrameContentSize(file, length);
    if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR || size == 0 ||
        size > PLAIN_MAX || ZSTD_findFrameCompressedSize(file, length) != length)
        return -EBADMSG;
    char *to = buffer_grow(plain, (size_t)size);
    return ZSTD_decompress(to, (size_t)size, file, length) == size ? 0 : -EBADMSG;
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
    int err = unpack(&bundle->plain, file, length);
    if (!err)
        err = find_entries(bundle);
    if (err)
        bundle_close(bundle);
    return err;
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
