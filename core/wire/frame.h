/* frame - one message between the keeper and a child: how it is written and read.
 *
 *   head    'O', version, type, 0, id (32 bits)                                    8 bytes
 *   fields  tag (8 bits), length (24 bits), that many bytes; a value may itself be fields
 *
 * Numbers are little-endian. A frame is one datagram of at most FRAME_MAX bytes. Reading never
 * trusts a length; what is read points into the datagram. Types and tags are in talk.h. */
#ifndef WIRE_FRAME_H
#define WIRE_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

enum { FRAME_MAX = 256 * 1024, FRAME_HEAD = 8, FRAME_FIELD_HEAD = 4, FRAME_VERSION = 1 };

struct fields {
    const uint8_t *next;
    const uint8_t *end;
};

struct field {
    uint8_t tag;
    const uint8_t *bytes;
    size_t length;
};

struct frame {
    uint8_t type;
    uint32_t id; /* an answer carries the id of its question; 0 when nothing answers */
    struct fields fields;
};

/* Writing: begins a frame in a cleared `out`, then appends fields. frame_open() begins a field
 * whose value is the fields up to the frame_close() of its mark. */
void frame_begin(struct buffer *out, uint8_t type, uint32_t id);
void frame_put(struct buffer *out, uint8_t tag, const void *bytes, size_t length);
void frame_put_text(struct buffer *out, uint8_t tag, const char *text);
void frame_put_number(struct buffer *out, uint8_t tag, int64_t number);
size_t frame_open(struct buffer *out, uint8_t tag);
void frame_close(struct buffer *out, size_t mark);

/* Reading: checks the head. 0, -EPROTO (no frame), -EPROTONOSUPPORT (another version) or
 * -EMSGSIZE. */
int frame_read(struct frame *frame, const void *datagram, size_t length);

/* The fields that were kept in `bytes`, from `from` up to `length`; NULL of length 0 has none. */
struct fields fields_of(const void *bytes, size_t from, size_t length);

/* Takes the next field: 1, 0 at the end, -EPROTO when it does not fit. */
int fields_next(struct fields *fields, struct field *field);

/* The first field of that tag; 0, -ENOENT, -EPROTO. Does not consume. */
int fields_find(const struct fields *fields, uint8_t tag, struct field *field);

/* The field's value as fields, as a number (-EPROTO unless 8 bytes), or copied as a text of less
 * than `room` bytes (-EPROTO when longer or with a NUL inside). */
struct fields field_inside(const struct field *field);
int field_number(const struct field *field, int64_t *number);
int field_text(const struct field *field, char *text, size_t room);

#endif
