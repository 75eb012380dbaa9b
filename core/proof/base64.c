/* base64 - see base64.h. OpenSSL's decoder forgives what a signed text must not. */
#include "proof/base64.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

static const char LETTERS[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(struct buffer *out, const void *bytes, size_t length)
{
    const uint8_t *from = bytes;
    for (size_t i = 0; i < length; i += 3) {
        size_t left = length - i;
        uint32_t three = (uint32_t)from[i] << 16 |
                         (left > 1 ? (uint32_t)from[i + 1] << 8 : 0) |
                         (left > 2 ? from[i + 2] : 0);
        char *to = buffer_grow(out, 4);
        to[0] = LETTERS[three >> 18];
        to[1] = LETTERS[three >> 12 & 63];
        to[2] = left > 1 ? LETTERS[three >> 6 & 63] : '=';
        to[3] = left > 2 ? LETTERS[three & 63] : '=';
    }
}

static int letter_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : -1;
}

/* Decodes four letters, of which the last `padding` are '='. False when they are not canonical. */
static bool decode_four(struct buffer *out, const char *four, int padding)
{
    uint32_t three = 0;
    for (int i = 0; i < 4; i++) {
        int value = i < 4 - padding ? letter_value(four[i]) : 0;
        if (value < 0)
            return false;
        three = three << 6 | (uint32_t)value;
    }
    uint32_t spare = padding == 2 ? 0xffff : padding == 1 ? 0xff : 0;
    if (three & spare)
        return false;
    const char bytes[] = {(char)(three >> 16), (char)(three >> 8), (char)three};
    buffer_append(out, bytes, (size_t)(3 - padding));
    return true;
}

static int padding_of(const char *four)
{
    if (four[3] != '=')
        return 0;
    return four[2] == '=' ? 2 : 1;
}

int base64_decode(struct buffer *out, const char *text, size_t length)
{
    size_t had = out->length;
    bool good = length % 4 == 0;
    for (size_t i = 0; i < length && good; i += 4)
        good = decode_four(out, text + i, i + 4 == length ? padding_of(text + i) : 0);
    if (good)
        return 0;
    out->length = had;
    return -EPROTO;
}
