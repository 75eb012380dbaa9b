/* squeeze - see squeeze.h.
 *
 * Rule of this file: a frame that says more than is allowed is refused before any memory is taken. */
#include "proof/squeeze.h"

#include <errno.h>
#include <zstd.h>

#include "base/base.h"

enum { LEVEL = 1, QUICK_LEVEL = -1, TORN_STEP = 4096, TORN_WINDOW = 25 /* 32 MiB */ };

static ZSTD_CCtx *writer(void)
{
    static ZSTD_CCtx *context;
    if (context == NULL)
        context = ZSTD_createCCtx();
    ASSERT(context != NULL);
    return context;
}

static ZSTD_DCtx *reader(void)
{
    static ZSTD_DCtx *context;
    if (context == NULL)
        context = ZSTD_createDCtx();
    ASSERT(context != NULL);
    return context;
}

void squeeze_put(struct buffer *out, const void *bytes, size_t length, unsigned flags)
{
    ZSTD_CCtx *context = writer();
    size_t room = ZSTD_compressBound(length);
    char *frame = buffer_grow(out, room);
    int level = flags & SQUEEZE_QUICK ? QUICK_LEVEL : LEVEL;
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, (flags & SQUEEZE_SUMMED) != 0);
    size_t written = ZSTD_compress2(context, frame, room, bytes, length);
    ASSERT(!ZSTD_isError(written));
    out->length -= room - written;
}

int squeeze_get(struct buffer *out, const void *frame, size_t length, size_t most)
{
    unsigned long long size = ZSTD_getFrameContentSize(frame, length);
    if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR || size == 0 ||
        size > most || ZSTD_findFrameCompressedSize(frame, length) != length)
        return -EBADMSG;
    char *to = buffer_grow(out, (size_t)size);
    if (ZSTD_decompressDCtx(reader(), to, (size_t)size, frame, length) == size)
        return 0;
    out->length -= (size_t)size;
    return -EBADMSG;
}

/* Block by block, in steps so small that an error costs no more. */
void squeeze_get_torn(struct buffer *out, const void *frame, size_t length, size_t most)
{
    ZSTD_DCtx *context = ZSTD_createDCtx();
    ASSERT(context != NULL);
    ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, TORN_WINDOW);
    ZSTD_inBuffer in = {frame, length, 0};
    size_t before = out->length, left = 1;
    while (left > 0 && out->length - before < most) {
        ZSTD_outBuffer step = {buffer_grow(out, TORN_STEP), TORN_STEP, 0};
        left = ZSTD_decompressStream(context, &step, &in);
        out->length -= TORN_STEP - step.pos;
        if (ZSTD_isError(left) || (step.pos == 0 && in.pos == length))
            break;
    }
    ZSTD_freeDCtx(context);
}
