/* tap - a ring for a test, and what was put into it, as text. */
#ifndef TESTS_HOST_TAP_H
#define TESTS_HOST_TAP_H

#include "host/tap/tap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static int tap_ring;
static char tap_text[64 * 1024];
static size_t tap_bytes[RING_OUT + 1]; /* how many went each way */

static inline void tap_begin(int64_t ms)
{
    int fd;
    assert_int_equal(ring_make(&tap_ring), 0);
    fd = dup(tap_ring);
    tap_open(fd);
    assert_int_equal(close(fd), -1); /* it was taken over */
    tap_record(ms);
}

/* "DEVICE< bytes" for each piece that came in, "DEVICE> bytes" out. */
static inline const char *tap_end(void)
{
    struct ring_copy copy;
    struct ring_piece piece;
    size_t length = 0;
    tap_text[0] = '\0';
    assert_int_equal(ring_copy_take(&copy, tap_ring), 0);
    memset(tap_bytes, 0, sizeof(tap_bytes));
    for (; ring_next(&copy, &piece) == 1; tap_bytes[piece.way] += piece.length)
        length += (size_t)snprintf(tap_text + length, sizeof(tap_text) - length,
                                   "%s%c %.*s\n", ring_copy_name(&copy, piece.name),
                                   piece.way == RING_IN ? '<' : '>', (int)piece.length,
                                   (const char *)piece.bytes);
    ring_copy_free(&copy);
    tap_close();
    close(tap_ring);
    return tap_text;
}

#endif
