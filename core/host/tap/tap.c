/* tap - see tap.h. */
#include "host/tap/tap.h"

#include <unistd.h>

#include "base/now.h"

static struct {
    struct ring *ring; /* NULL: there is none */
    bool is_wished;
    int64_t until_us; /* monotonic; -1: for good */
} tap;

void tap_open(int fd)
{
    if (ring_open(&tap.ring, fd) == 0)
        close(fd);
}

void tap_close(void)
{
    ring_close(tap.ring);
    tap.ring = NULL;
    tap.is_wished = false;
}

void tap_record(int64_t ms)
{
    if (ms > 0 && tap.is_wished && tap.until_us < 0)
        return; /* it goes on for longer */
    tap.is_wished = ms != 0;
    tap.until_us = ms < 0 ? -1 : now_mono_us() + ms * 1000;
}

bool tap_is_on(void)
{
    if (tap.ring == NULL || !tap.is_wished)
        return false;
    if (tap.until_us >= 0 && now_mono_us() >= tap.until_us)
        tap.is_wished = false;
    return tap.is_wished;
}

void tap_put(const char *device, enum ring_way way, const void *bytes, size_t length)
{
    if (length > 0 && tap_is_on())
        ring_put(tap.ring, ring_name(tap.ring, device), way, now_utc_us(), bytes, length);
}
