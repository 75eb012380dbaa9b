/* charset - see charset.h. */
#include "host/module/charset.h"

#include <errno.h>
#include <iconv.h>
#include <strings.h>

#include "base/base.h"
#include "base/strict.h"

enum { ROOM = 4096 };

static const char UNKNOWN[] = "\xef\xbf\xbd"; /* U+FFFD */

/* Stateless both ways; open for the life of the process. */
static struct {
    iconv_t from_gb;
    iconv_t to_gb;
    bool is_open;
} charset;

int charset_open(void)
{
    if (charset.is_open)
        return 0;
    charset.from_gb = iconv_open("UTF-8", "GB18030");
    if (charset.from_gb == (iconv_t)-1)
        return -errno;
    charset.to_gb = iconv_open("GB18030", "UTF-8");
    if (charset.to_gb == (iconv_t)-1) {
        int err = -errno;
        iconv_close(charset.from_gb);
        return err;
    }
    charset.is_open = true;
    return 0;
}

/* A byte that begins no letter is passed over alone: what follows it may be a quote. */
static size_t convert(iconv_t how, struct buffer *out, const void *bytes, size_t length,
                      const char *instead)
{
    char room[ROOM];
    char *at = (char *)(uintptr_t)bytes;
    size_t replaced = 0;
    ASSERT(charset.is_open);
    while (length > 0) {
        char *to = room;
        size_t left = sizeof(room);
        size_t done = iconv(how, &at, &length, &to, &left);
        int err = errno;
        buffer_append(out, room, sizeof(room) - left);
        if (done != (size_t)-1 || err == E2BIG)
            continue;
        buffer_append_text(out, instead);
        replaced++;
        at++;
        length--;
    }
    return replaced;
}

size_t charset_read_gb(struct buffer *out, const void *bytes, size_t length)
{
    return convert(charset.from_gb, out, bytes, length, UNKNOWN);
}

size_t charset_read_utf8(struct buffer *out, const void *bytes, size_t length)
{
    const unsigned char *at = bytes;
    size_t replaced = 0;
    for (size_t i = 0; i < length;) {
        size_t good = i, sequence;
        while (good < length &&
               (sequence = strict_sequence(at + good, length - good)) > 0)
            good += sequence;
        buffer_append(out, at + i, good - i);
        i = good;
        if (i == length)
            break;
        buffer_append_text(out, UNKNOWN);
        replaced++;
        i++;
    }
    return replaced;
}

/* The letters of four bytes are those that GBK has not: their second byte is a digit. */
static size_t drop_wide(struct buffer *out, const unsigned char *at, size_t length)
{
    size_t dropped = 0, width;
    for (size_t i = 0; i < length; i += width) {
        width = at[i] < 0x80 ? 1 : at[i + 1] < 0x40 ? 4 : 2;
        if (width == 4)
            dropped++;
        buffer_append(out, width == 4 ? (const void *)"?" : at + i,
                      width == 4 ? 1 : width);
    }
    return dropped;
}

size_t charset_write_gb(struct buffer *out, const void *text, size_t length, bool narrow)
{
    if (!narrow)
        return convert(charset.to_gb, out, text, length, "?");
    struct buffer wide = {0};
    size_t replaced = convert(charset.to_gb, &wide, text, length, "?");
    replaced += drop_wide(out, (const unsigned char *)wide.bytes, wide.length);
    buffer_free(&wide);
    return replaced;
}

/* Devices cut names at a number of bytes, so some letters may be torn. Letters of three bytes hardly
 * come in GB by chance, and four to each torn one do not. */
static bool is_surely_utf8(const unsigned char *at, size_t length)
{
    size_t sequence, letters = 0, torn = 0;
    bool was_whole = true;
    for (size_t i = 0; i<length; i += sequence> 0 ? sequence : 1) {
        sequence = strict_sequence(at + i, length - i);
        letters += sequence >= 3;
        torn += sequence == 0 && was_whole;
        was_whole = sequence > 0;
    }
    return letters > 3 * torn;
}

static const struct {
    const char *name;
    bool is_gb;
} NAMES[] = {
    {"UTF-8", false}, {"UTF8", false}, {"US-ASCII", false}, {"ASCII", false},
    {"GB2312", true}, {"GBK", true},   {"GB18030", true},   {"CP936", true},
};

int charset_read(struct buffer *out, const char *name, const void *bytes, size_t length,
                 size_t *replaced)
{
    for (size_t i = 0; i < countof(NAMES); i++) {
        if (strcasecmp(NAMES[i].name, name) != 0)
            continue;
        *replaced = NAMES[i].is_gb && !is_surely_utf8(bytes, length)
                        ? charset_read_gb(out, bytes, length)
                        : charset_read_utf8(out, bytes, length);
        return 0;
    }
    return -ENOTSUP;
}
