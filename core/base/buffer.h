/* buffer - bytes that grow at the end.
 *
 * A zeroed struct buffer is an empty one. The caller bounds what it appends. `bytes` may move at
 * each append. buffer_clear() keeps the memory, buffer_free() gives it back. */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include <stdarg.h>
#include <stddef.h>

struct buffer {
    char *bytes;
    size_t length;
    size_t room;
};

void buffer_append(struct buffer *buffer, const void *bytes, size_t length);
void buffer_append_text(struct buffer *buffer, const char *text);
void buffer_printf(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Makes room for `length` more bytes, counts them in, and returns where they begin. */
char *buffer_grow(struct buffer *buffer, size_t length);
void buffer_drop_front(struct buffer *buffer, size_t length);
void buffer_clear(struct buffer *buffer);
/* The bytes ended by a NUL that is not counted; owned by the buffer. */
const char *buffer_text(struct buffer *buffer);
void buffer_free(struct buffer *buffer);

#endif
