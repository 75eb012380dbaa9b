/* text - see text.h. */
#include "proof/text.h"

#include <string.h>

#include "base/buffer.h"
#include "proof/base64.h"

bool text_take_until(struct text *text, char letter, struct text *word)
{
    const char *end = text->length > 0 ? memchr(text->bytes, letter, text->length) : NULL;
    if (end == NULL)
        return false;
    *word = (struct text){text->bytes, (size_t)(end - text->bytes)};
    text->bytes += word->length + 1;
    text->length -= word->length + 1;
    return true;
}

bool text_take_line(struct text *text, struct text *line)
{
    return text_take_until(text, '\n', line);
}

bool text_skip(struct text *text, const char *prefix)
{
    size_t length = strlen(prefix);
    if (text->length < length || memcmp(text->bytes, prefix, length) != 0)
        return false;
    text->bytes += length;
    text->length -= length;
    return true;
}

bool text_copy(const struct text *text, char *copy, size_t room)
{
    if (text->length >= room || memchr(text->bytes, '\0', text->length) != NULL)
        return false;
    memcpy(copy, text->bytes, text->length);
    copy[text->length] = '\0';
    return true;
}

bool text_is_number(const struct text *text, uint64_t *number)
{
    if (text->length == 0 || (text->length > 1 && text->bytes[0] == '0'))
        return false;
    uint64_t value = 0;
    for (size_t i = 0; i < text->length; i++) {
        char c = text->bytes[i];
        if (c < '0' || c > '9' || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(c - '0'), &value))
            return false;
    }
    *number = value;
    return true;
}

bool text_is_digest(const struct text *text, struct digest *digest)
{
    struct buffer bytes = {0};
    bool good = base64_decode(&bytes, text->bytes, text->length) == 0 &&
                bytes.length == DIGEST_BYTES;
    if (good)
        memcpy(digest->bytes, bytes.bytes, DIGEST_BYTES);
    buffer_free(&bytes);
    return good;
}
