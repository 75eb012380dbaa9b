/* Any bytes as a multipart body, fed in pieces of any length: the same parts come out as when it is fed
 * whole, none is bigger than allowed, and what is held stays small. */
#include "host/web/multipart.h"

#include <stdint.h>
#include <string.h>

#include "base/base.h"
#include "base/mem.h"

enum { MOST = 300 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static uint64_t mix(uint64_t sum, const void *bytes, size_t length)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < length; i++)
        sum = (sum ^ at[i]) * 1099511628211ULL;
    return sum * 31 + length;
}

static uint64_t sum_of(const struct multipart *multipart, uint64_t sum)
{
    const struct buffer *body = multipart_body(multipart);
    const char *name, *value;
    size_t at = 0;
    ASSERT(body->length <= MOST);
    while (headers_next(multipart_headers(multipart), &at, &name, &value)) {
        sum = mix(sum, name, strlen(name));
        sum = mix(sum, value, strlen(value));
    }
    return mix(sum, body->bytes, body->length);
}

static uint64_t split(const char *type, const uint8_t *bytes, size_t length, size_t piece)
{
    struct multipart *multipart;
    uint64_t sum = 1;
    bool whole;
    if (multipart_open(&multipart, type) != 0)
        return 0;
    for (size_t at = 0; at < length;) {
        size_t now = length - at < piece ? length - at : piece;
        char *copy = mem_copy(bytes + at, now);
        for (size_t taken = 0; taken < now;) {
            size_t more =
                multipart_feed(multipart, copy + taken, now - taken, MOST, &whole);
            ASSERT(more > 0 || whole);
            taken += more;
            if (whole)
                sum = sum_of(multipart, sum);
        }
        mem_free(copy);
        at += now;
    }
    if (multipart_finish(multipart, MOST))
        sum = sum_of(multipart, sum);
    sum = sum * 31 + (uint64_t)multipart_skipped(multipart);
    sum = sum * 31 + (uint64_t)multipart_malformed(multipart);
    multipart_close(multipart);
    return sum;
}

/* The first byte says the piece, the second the boundary. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const char *const TYPES[] = {"multipart/mixed; boundary=x",
                                        "multipart/mixed; boundary=\"--b\""};
    if (length < 2)
        return 0;
    const char *type = TYPES[bytes[1] % countof(TYPES)];
    uint64_t whole = split(type, bytes + 2, length - 2, length);
    ASSERT(whole == split(type, bytes + 2, length - 2, 1));
    ASSERT(whole == split(type, bytes + 2, length - 2, bytes[0] % 37 + 1));
    return 0;
}
