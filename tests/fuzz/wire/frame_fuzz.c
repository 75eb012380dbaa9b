/* Any datagram is read without harm, and what was read can be written again to the same bytes. */
#include "wire/frame.h"

#include <string.h>

#include "base/base.h"

enum { DEPTH_MAX = 4 };

/* Writes the fields again; false when they end in something that does not fit. */
static int copy_fields(struct buffer *out, struct fields fields, int depth)
{
    struct field field;
    char text[32];
    int64_t number;
    int more;
    while ((more = fields_next(&fields, &field)) > 0) {
        field_number(&field, &number);
        if (field_text(&field, text, sizeof(text)) == 0)
            ASSERT(strlen(text) == field.length);
        struct buffer inside = {0};
        if (depth < DEPTH_MAX &&
            copy_fields(&inside, field_inside(&field), depth + 1) == 0)
            ASSERT(inside.length == field.length);
        buffer_free(&inside);
        frame_put(out, field.tag, field.bytes, field.length);
    }
    return more;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct frame frame;
    struct field field;
    struct buffer out = {0};
    if (frame_read(&frame, bytes, length) != 0)
        return 0;
    fields_find(&frame.fields, 17, &field);
    frame_begin(&out, frame.type, frame.id);
    if (copy_fields(&out, frame.fields, 0) == 0)
        ASSERT(out.length == length && memcmp(out.bytes, bytes, length) == 0);
    buffer_free(&out);
    return 0;
}
