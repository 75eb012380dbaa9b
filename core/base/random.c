/* random - see random.h. Small requests are served from a pool, to spare a system call each. */
#include "base/random.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/base.h"

static unsigned char pool[1024];
static size_t left;

static void fill(unsigned char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t got = getrandom(bytes, length, 0);
        ASSERT(got > 0 || (got < 0 && errno == EINTR));
        if (got > 0) {
            bytes += got;
            length -= (size_t)got;
        }
    }
}

void random_bytes(void *bytes, size_t length)
{
    if (length > sizeof(pool)) {
        fill(bytes, length);
        return;
    }
    if (left < length) {
        fill(pool, sizeof(pool));
        left = sizeof(pool);
    }
    left -= length;
    memcpy(bytes, pool + left, length);
    memset(pool + left, 0, length);
}

uint32_t random_below(uint32_t bound)
{
    ASSERT(bound >= 1);
    uint32_t value;
    uint32_t limit = UINT32_MAX - UINT32_MAX % bound;
    do
        random_bytes(&value, sizeof(value));
    while (value >= limit);
    return value % bound;
}
