/* buffer - see buffer.h.
 *
 * Invariant: length <= room, and bytes is NULL only while room is 0. */
#include "base/buffer.h"

#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/mem.h"

#ifdef SMALL_BOUNDS
enum { FIRST_ROOM = 1 };
#else
enum { FIRST_ROOM = 64 };
#endif

static void reserve(struct buffer *buffer, size_t length)
{
    ASSERT(length <= SIZE_MAX / 4 && buffer->length <= SIZE_MAX / 4);
    size_t need = buffer->length + length;
    if (need <= buffer->room)
        return;
    size_t room = buffer->room ? buffer->room : FIRST_ROOM;
    while (room < need)
        room *= 2;
    buffer->bytes = mem_resize(buffer->bytes, room);
    buffer->room = room;
}

char *buffer_grow(struct buffer *buffer, size_t length)
{
    reserve(buffer, length);
    char *start = buffer->bytes + buffer->length;
    buffer->length += length;
    return start;
}

void buffer_append(struct buffer *buffer, const void *bytes, size_t length)
{
    if (length > 0)
        memcpy(buffer_grow(buffer, length), bytes, length);
}

void buffer_append_text(struct buffer *buffer, const char *text)
{
    buffer_append(buffer, text, strlen(text));
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
    va_list values, again;
    size_t left = buffer->room - buffer->length;
    va_start(values, format);
    va_copy(again, values);
    int length =
        vsnprintf(left ? buffer->bytes + buffer->length : NULL, left, format, values);
    ASSERT(length >= 0);
    if ((size_t)length >= left) { /* it did not fit: once more, with room for the NUL */
        reserve(buffer, (size_t)length + 1);
        vsnprintf(buffer->bytes + buffer->length, (size_t)length + 1, format, again);
    }
    buffer->length += (size_t)length;
    va_end(again);
    va_end(values);
}

void buffer_drop_front(struct buffer *buffer, size_t length)
{
    ASSERT(length <= buffer->length);
    buffer->length -= length;
    if (buffer->length > 0)
        memmove(buffer->bytes, buffer->bytes + length, buffer->length);
}

void buffer_clear(struct buffer *buffer)
{
    buffer->length = 0;
}

const char *buffer_text(struct buffer *buffer)
{
    reserve(buffer, 1);
    buffer->bytes[buffer->length] = '\0';
    return buffer->bytes;
}

void buffer_free(struct buffer *buffer)
{
    mem_free(buffer->bytes);
    *buffer = (struct buffer){0};
}
