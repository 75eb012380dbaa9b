/* inflate - see inflate.h.
 *
 * The library is loaded by hand (library.h): who unpacks pays for it, others nothing. */
#include "host/module/inflate.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <zlib.h>

#include "base/base.h"
#include "host/module/library.h"

static const char LIBRARY[] = "libz.so.1";

enum { PIECE = 16384 };

/* What zlib wants to be told of a form: the size of its window, and which head. */
static const int WINDOW_BITS[] = {[INFLATE_GZIP] = MAX_WBITS + 16,
                                  [INFLATE_ZLIB] = MAX_WBITS,
                                  [INFLATE_RAW] = -MAX_WBITS};

static struct zlib {
    __typeof__(&inflateInit2_) begin;
    __typeof__(&inflate) step;
    __typeof__(&inflateEnd) end;
    bool is_open;
} zlib;

static const struct library_symbol SYMBOLS[] = {
    {"inflateInit2_", offsetof(struct zlib, begin)},
    {"inflate", offsetof(struct zlib, step)},
    {"inflateEnd", offsetof(struct zlib, end)},
};

int inflate_open(void)
{
    if (zlib.is_open)
        return 0;
    int err = library_load(LIBRARY, SYMBOLS, countof(SYMBOLS), &zlib);
    zlib.is_open = err == 0;
    return err;
}

enum inflate_form inflate_form_of(const void *bytes, size_t length)
{
    const unsigned char *head = bytes;
    enum { DEFLATE = 8, CHECK = 31 };
    if (length < 2)
        return INFLATE_NONE;
    if (head[0] == 0x1f && head[1] == 0x8b)
        return INFLATE_GZIP;
    bool is_zlib = (head[0] & 15) == DEFLATE && (head[0] * 256 + head[1]) % CHECK == 0;
    return is_zlib ? INFLATE_ZLIB : INFLATE_NONE;
}

/* Unpacks piece by piece, so that no more than the bound is ever there. */
static int unpack(z_stream *stream, struct buffer *out, size_t most)
{
    char piece[PIECE];
    int rc = Z_OK;
    while (rc == Z_OK) {
        stream->next_out = (Bytef *)piece;
        stream->avail_out = sizeof(piece);
        rc = zlib.step(stream, Z_NO_FLUSH);
        size_t got = sizeof(piece) - stream->avail_out;
        if (got > most)
            return -EFBIG;
        most -= got;
        buffer_append(out, piece, got);
    }
    return rc == Z_STREAM_END ? 0 : -EPROTO; /* Z_BUF_ERROR: it was cut off */
}

static bool is_blank(const Bytef *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (bytes[i] != '\0' && !isspace(bytes[i]))
            return false;
    return true;
}

int inflate_bytes(struct buffer *out, enum inflate_form form, const void *bytes,
                  size_t length, size_t most)
{
    ASSERT(zlib.is_open && form != INFLATE_NONE && length <= UINT_MAX);
    z_stream stream = {.next_in = (z_const Bytef *)bytes, .avail_in = (uInt)length};
    size_t before = out->length;
    if (zlib.begin(&stream, WINDOW_BITS[form], ZLIB_VERSION, (int)sizeof(stream)) != Z_OK)
        return -EPROTO;
    int err = unpack(&stream, out, most);
    if (!err && !is_blank(stream.next_in, stream.avail_in))
        err = -EPROTO;
    zlib.end(&stream);
    if (err)
        out->length = before;
    return err;
}
