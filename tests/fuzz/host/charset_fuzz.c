/* Any bytes as text of a device: what comes out is UTF-8, and when nothing was replaced it is the same
 * text again after being written and read. */
#include "host/module/charset.h"

#include <stdint.h>
#include <string.h>

#include "base/base.h"
#include "base/strict.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check_utf8(const struct buffer *text)
{
    const unsigned char *at = (const unsigned char *)text->bytes;
    for (size_t i = 0; i < text->length;) {
        size_t step = strict_sequence(at + i, text->length - i);
        ASSERT(step > 0);
        i += step;
    }
}

static bool is_same(const struct buffer *one, const struct buffer *other)
{
    return one->length == other->length &&
           (one->length == 0 || memcmp(one->bytes, other->bytes, one->length) == 0);
}

static void write_again(const struct buffer *text)
{
    struct buffer gb = {0}, again = {0}, narrow = {0};
    size_t replaced = charset_write_gb(&gb, text->bytes, text->length, false);
    replaced += charset_read_gb(&again, gb.bytes, gb.length);
    ASSERT(replaced > 0 || is_same(text, &again));
    charset_write_gb(&narrow, text->bytes, text->length, true);
    ASSERT(narrow.length <= gb.length);
    buffer_free(&gb);
    buffer_free(&again);
    buffer_free(&narrow);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct buffer text = {0}, other = {0};
    int err = charset_open();
    ASSERT(err == 0);
    size_t replaced = charset_read_gb(&text, bytes, length);
    check_utf8(&text);
    ASSERT(replaced <= length);
    if (text.length > 0)
        write_again(&text);
    replaced = charset_read_utf8(&other, bytes, length);
    check_utf8(&other);
    ASSERT(replaced > 0 || (other.length == length));
    buffer_free(&text);
    buffer_free(&other);
    return 0;
}
