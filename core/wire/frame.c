/* frame - see frame.h. */
#include "wire/frame.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"

enum { MAGIC = 'O' };

static void put_u32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

static uint32_t get_u32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
           (uint32_t)at[3] << 24;
}

void frame_begin(struct buffer *out, uint8_t type, uint32_t id)
{
    buffer_clear(out);
    uint8_t *head = (uint8_t *)buffer_grow(out, FRAME_HEAD);
    head[0] = MAGIC;
    head[1] = FRAME_VERSION;
    head[2] = type;
    head[3] = 0;
    put_u32(head + 4, id);
}

size_t frame_open(struct buffer *out, uint8_t tag)
{
    size_t mark = out->length;
    uint8_t *head = (uint8_t *)buffer_grow(out, FRAME_FIELD_HEAD);
    memset(head, 0, FRAME_FIELD_HEAD);
    head[0] = tag;
    return mark;
}

void frame_close(struct buffer *out, size_t mark)
{
    size_t length = out->length - mark - FRAME_FIELD_HEAD;
    ASSERT(length < 1u << 24);
    uint8_t *head = (uint8_t *)out->bytes + mark;
    put_u32(head, (uint32_t)length << 8 | head[0]);
}

void frame_put(struct buffer *out, uint8_t tag, const void *bytes, size_t length)
{
    size_t mark = frame_open(out, tag);
    buffer_append(out, bytes, length);
    frame_close(out, mark);
}

void frame_put_text(struct buffer *out, uint8_t tag, const char *text)
{
    frame_put(out, tag, text, strlen(text));
}

void frame_put_number(struct buffer *out, uint8_t tag, int64_t number)
{
    uint8_t bytes[8];
    put_u32(bytes, (uint32_t)(uint64_t)number);
    put_u32(bytes + 4, (uint32_t)((uint64_t)number >> 32));
    frame_put(out, tag, bytes, sizeof(bytes));
}

int frame_read(struct frame *frame, const void *datagram, size_t length)
{
    const uint8_t *bytes = datagram;
    if (length > FRAME_MAX)
        return -EMSGSIZE;
    if (length < FRAME_HEAD || bytes[0] != MAGIC || bytes[3] != 0)
        return -EPROTO;
    if (bytes[1] != FRAME_VERSION)
        return -EPROTONOSUPPORT;
    frame->type = bytes[2];
    frame->id = get_u32(bytes + 4);
    frame->fields = (struct fields){bytes + FRAME_HEAD, bytes + length};
    return 0;
}

struct fields fields_of(const void *bytes, size_t from, size_t length)
{
    const uint8_t *first = bytes;
    if (length == 0)
        return (struct fields){NULL, NULL};
    return (struct fields){first + from, first + length};
}

int fields_next(struct fields *fields, struct field *field)
{
    size_t left = (size_t)(fields->end - fields->next);
    if (left == 0)
        return 0;
    if (left < FRAME_FIELD_HEAD)
        return -EPROTO;
    size_t length = get_u32(fields->next) >> 8;
    if (length > left - FRAME_FIELD_HEAD)
        return -EPROTO;
    field->tag = fields->next[0];
    field->bytes = fields->next + FRAME_FIELD_HEAD;
    field->length = length;
    fields->next = field->bytes + length;
    return 1;
}

int fields_find(const struct fields *fields, uint8_t tag, struct field *field)
{
    struct fields rest = *fields;
    int more;
    while ((more = fields_next(&rest, field)) > 0)
        if (field->tag == tag)
            return 0;
    return more < 0 ? more : -ENOENT;
}

struct fields field_inside(const struct field *field)
{
    return (struct fields){field->bytes, field->bytes + field->length};
}

int field_number(const struct field *field, int64_t *number)
{
    if (field->length != 8)
        return -EPROTO;
    uint64_t low = get_u32(field->bytes);
    uint64_t high = get_u32(field->bytes + 4);
    *number = (int64_t)(high << 32 | low);
    return 0;
}

int field_text(const struct field *field, char *text, size_t room)
{
    if (field->length >= room || memchr(field->bytes, '\0', field->length) != NULL)
        return -EPROTO;
    memcpy(text, field->bytes, field->length);
    text[field->length] = '\0';
    return 0;
}
