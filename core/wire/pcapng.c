/* pcapng - see pcapng.h. The format: draft-ietf-opsawg-pcapng.
 *
 * Rule of this file: every block is looked at only inside its own length, which was held against what
 * is left. */
#include "wire/pcapng.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"

enum {
    SECTION = 0x0a0d0d0a,
    MAGIC = 0x1a2b3c4d,
    INTERFACE = 1,
    PACKET = 6,
    BLOCK_LEAST = 12, /* type, length, length again */
    OPTION_END = 0,
    OPTION_COMMENT = 1,
    OPTION_APPLICATION = 4,
    OPTION_NAME = 2,
    OPTION_FLAGS = 2,
    OPTION_TICKS = 9,
    FLAG_WAY = 3,
    FLAG_IN = 1,
    FLAG_OUT = 2,
    TICKS = 1000000
};

/* ---- Writing */

static void put_16(struct buffer *out, uint32_t number)
{
    const uint8_t bytes[] = {(uint8_t)number, (uint8_t)(number >> 8)};
    buffer_append(out, bytes, sizeof(bytes));
}

static void put_32(struct buffer *out, uint32_t number)
{
    put_16(out, number & 0xffff);
    put_16(out, number >> 16);
}

static void put_padded(struct buffer *out, const void *bytes, size_t length)
{
    buffer_append(out, bytes, length);
    buffer_append(out, "\0\0\0", (4 - length % 4) % 4);
}

static void put_option(struct buffer *out, uint32_t code, const void *bytes,
                       size_t length)
{
    length = length < UINT16_MAX ? length : UINT16_MAX;
    put_16(out, code);
    put_16(out, (uint32_t)length);
    put_padded(out, bytes, length);
}

/* The length stands at both ends of a block. */
static size_t open_block(struct buffer *out, uint32_t type)
{
    size_t mark = out->length;
    put_32(out, type);
    put_32(out, 0);
    return mark;
}

static void close_block(struct buffer *out, size_t mark)
{
    struct buffer length = {0};
    put_32(&length, (uint32_t)(out->length - mark + 4));
    memcpy(out->bytes + mark + 4, length.bytes, 4);
    buffer_append(out, length.bytes, 4);
    buffer_free(&length);
}

void pcapng_begin(struct buffer *out, const char *comment)
{
    static const char APPLICATION[] = "outpost " OUTPOST_VERSION;
    size_t mark = open_block(out, SECTION);
    put_32(out, MAGIC);
    put_16(out, 1);
    put_16(out, 0);
    put_32(out, UINT32_MAX); /* of unknown length */
    put_32(out, UINT32_MAX);
    put_option(out, OPTION_COMMENT, comment, strlen(comment));
    put_option(out, OPTION_APPLICATION, APPLICATION, strlen(APPLICATION));
    put_option(out, OPTION_END, "", 0);
    close_block(out, mark);
}

void pcapng_device(struct buffer *out, const char *name)
{
    size_t mark = open_block(out, INTERFACE);
    put_16(out, PCAPNG_LINKTYPE);
    put_16(out, 0);
    put_32(out, 0); /* packets are not cut */
    put_option(out, OPTION_NAME, name, strlen(name));
    put_option(out, OPTION_END, "", 0);
    close_block(out, mark);
}

void pcapng_piece(struct buffer *out, const struct pcapng_piece *piece)
{
    struct buffer flags = {0};
    size_t mark = open_block(out, PACKET);
    uint64_t time = (uint64_t)piece->utc_us;
    put_32(out, (uint32_t)piece->device);
    put_32(out, (uint32_t)(time >> 32));
    put_32(out, (uint32_t)time);
    put_32(out, (uint32_t)piece->length);
    put_32(out, (uint32_t)piece->length);
    put_padded(out, piece->bytes, piece->length);
    put_32(&flags, piece->is_out ? FLAG_OUT : FLAG_IN);
    put_option(out, OPTION_FLAGS, flags.bytes, flags.length);
    put_option(out, OPTION_END, "", 0);
    close_block(out, mark);
    buffer_free(&flags);
}

/* ---- Reading */

struct block {
    uint32_t type;
    const uint8_t *bytes; /* behind type and length */
    size_t length;
};

static uint32_t get_16(const struct pcapng *pcapng, const uint8_t *bytes)
{
    int low = pcapng->is_swapped ? 1 : 0;
    return (uint32_t)(bytes[low] | bytes[1 - low] << 8);
}

static uint32_t get_32(const struct pcapng *pcapng, const uint8_t *bytes)
{
    int low = pcapng->is_swapped ? 2 : 0;
    return get_16(pcapng, bytes + low) | get_16(pcapng, bytes + 2 - low) << 16;
}

static size_t padded(size_t length)
{
    return (length + 3) / 4 * 4;
}

/* Takes the option of that code, or none. */
static size_t find_option(const struct pcapng *pcapng, const uint8_t *at,
                          const uint8_t *end, uint32_t code, const uint8_t **bytes)
{
    while (end - at >= 4) {
        uint32_t found = get_16(pcapng, at);
        size_t length = get_16(pcapng, at + 2);
        if (found == OPTION_END || padded(length) > (size_t)(end - at - 4))
            return 0;
        *bytes = at + 4;
        if (found == code)
            return length;
        at += 4 + padded(length);
    }
    return 0;
}

/* The order of a section's bytes is in the section. */
static int turn_section(struct pcapng *pcapng)
{
    static const uint8_t HERE[] = {0x4d, 0x3c, 0x2b, 0x1a};
    static const uint8_t THERE[] = {0x1a, 0x2b, 0x3c, 0x4d};
    if (pcapng->end - pcapng->next < BLOCK_LEAST)
        return -EPROTO;
    pcapng->is_swapped = memcmp(pcapng->next + 8, THERE, 4) == 0;
    pcapng->devices = 0;
    return pcapng->is_swapped || memcmp(pcapng->next + 8, HERE, 4) == 0 ? 0 : -EPROTO;
}

static int take_block(struct pcapng *pcapng, struct block *block)
{
    size_t left = (size_t)(pcapng->end - pcapng->next);
    if (left == 0)
        return 0;
    if (left < BLOCK_LEAST)
        return -EPROTO;
    block->type = get_32(pcapng, pcapng->next);
    if (block->type == SECTION && turn_section(pcapng) != 0)
        return -EPROTO;
    uint32_t length = get_32(pcapng, pcapng->next + 4);
    if (length < BLOCK_LEAST || length % 4 != 0 || length > left)
        return -EPROTO;
    block->bytes = pcapng->next + 8;
    block->length = length - BLOCK_LEAST;
    pcapng->next += length;
    return 1;
}

/* Powers of ten as far as microseconds can be made of them; others are taken for the usual. */
static int64_t ticks_of(const uint8_t *resolution, size_t length)
{
    int64_t ticks = 1;
    if (length != 1 || *resolution > 9)
        return TICKS;
    for (int i = 0; i < *resolution; i++)
        ticks *= 10;
    return ticks;
}

static int take_device(struct pcapng *pcapng, const struct block *block)
{
    const uint8_t *found, *end = block->bytes + block->length;
    if (block->length < 8)
        return -EPROTO;
    if (pcapng->devices == PCAPNG_DEVICES_MAX)
        return -E2BIG;
    char *name = pcapng->names[pcapng->devices];
    size_t length = find_option(pcapng, block->bytes + 8, end, OPTION_NAME, &found);
    length = length < PCAPNG_NAME_ROOM ? length : PCAPNG_NAME_ROOM - 1;
    if (length > 0)
        memcpy(name, found, length);
    name[length] = '\0';
    length = find_option(pcapng, block->bytes + 8, end, OPTION_TICKS, &found);
    pcapng->ticks[pcapng->devices++] = ticks_of(length > 0 ? found : NULL, length);
    return 0;
}

static int64_t micros_of(uint64_t time, int64_t ticks)
{
    int64_t at = (int64_t)(time & INT64_MAX);
    if (ticks >= TICKS)
        return at / (ticks / TICKS);
    return at > INT64_MAX / TICKS ? INT64_MAX : at * (TICKS / ticks);
}

static int take_packet(const struct pcapng *pcapng, const struct block *block,
                       struct pcapng_piece *piece)
{
    const uint8_t *at = block->bytes, *found;
    if (block->length < 20)
        return -EPROTO;
    uint32_t device = get_32(pcapng, at);
    size_t length = get_32(pcapng, at + 12);
    if (device >= (uint32_t)pcapng->devices || length > block->length - 20 ||
        padded(length) > block->length - 20)
        return -EPROTO;
    uint64_t time = (uint64_t)get_32(pcapng, at + 4) << 32 | get_32(pcapng, at + 8);
    *piece = (struct pcapng_piece){.device = (int)device,
                                   .utc_us = micros_of(time, pcapng->ticks[device]),
                                   .bytes = at + 20,
                                   .length = length};
    const uint8_t *options = at + 20 + padded(length);
    if (find_option(pcapng, options, at + block->length, OPTION_FLAGS, &found) == 4)
        piece->is_out = (get_32(pcapng, found) & FLAG_WAY) == FLAG_OUT;
    return 1;
}

int pcapng_open(struct pcapng *pcapng, const void *bytes, size_t length)
{
    *pcapng = (struct pcapng){.next = bytes, .end = (const uint8_t *)bytes + length};
    if (length < BLOCK_LEAST || get_32(pcapng, bytes) != SECTION)
        return -EPROTO;
    return turn_section(pcapng);
}

int pcapng_next(struct pcapng *pcapng, struct pcapng_piece *piece)
{
    struct block block;
    int more;
    while ((more = take_block(pcapng, &block)) == 1) {
        int err = 0;
        if (block.type == PACKET)
            return take_packet(pcapng, &block, piece);
        if (block.type == INTERFACE)
            err = take_device(pcapng, &block);
        if (err)
            return err;
    }
    return more;
}
