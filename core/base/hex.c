/* hex - see hex.h. */
#include "base/hex.h"

#include <errno.h>
#include <string.h>

void hex_encode(char *text, const void *bytes, size_t length)
{
    static const char DIGITS[] = "0123456789abcdef";
    const unsigned char *from = bytes;
    for (size_t i = 0; i < length; i++) {
        text[2 * i] = DIGITS[from[i] >> 4];
        text[2 * i + 1] = DIGITS[from[i] & 15];
    }
    text[2 * length] = '\0';
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

int hex_decode(void *bytes, size_t length, const char *text)
{
    unsigned char *to = bytes;
    if (strlen(text) != 2 * length)
        return -EINVAL;
    for (size_t i = 0; i < length; i++) {
        int high = digit_value(text[2 * i]);
        int low = digit_value(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return -EINVAL;
        to[i] = (unsigned char)(high << 4 | low);
    }
    return 0;
}
