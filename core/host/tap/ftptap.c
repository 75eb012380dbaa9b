/* ftptap - see ftptap.h. */
#include "host/tap/ftptap.h"

#include <inttypes.h>

#include "base/buffer.h"
#include "host/tap/hush.h"
#include "host/tap/tap.h"

void ftptap_line(const char *device, enum ring_way way, const void *bytes, size_t length,
                 const char *password)
{
    struct buffer copy = {0};
    if (!tap_is_on())
        return;
    buffer_append(&copy, bytes, length);
    hush_command(copy.bytes, copy.length);
    hush_word(copy.bytes, copy.length, password);
    tap_put(device, way, copy.bytes, copy.length);
    buffer_free(&copy);
}

static void put(const char *device, enum ring_way way, struct buffer *line)
{
    tap_put(device, way, line->bytes, line->length);
    buffer_free(line);
}

void ftptap_ask(const char *device, const char *what, const char *path, int64_t from)
{
    struct buffer line = {0};
    buffer_printf(&line, "%s %s", what, path);
    if (from > 0)
        buffer_printf(&line, " from %" PRId64, from);
    buffer_append_text(&line, "\n");
    put(device, RING_OUT, &line);
}

void ftptap_end(const char *device, const char *how, int64_t size)
{
    struct buffer line = {0};
    buffer_append_text(&line, how);
    if (size >= 0)
        buffer_printf(&line, " size %" PRId64, size);
    buffer_append_text(&line, "\n");
    put(device, RING_IN, &line);
}
