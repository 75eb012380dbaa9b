/* wal - see wal.h. */
#include "keeper/repair/wal.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum {
    HEADER = 32,
    FRAME_HEADER = 24,
    PAGE_LEAST = 512,
    PAGE_MOST = 65536,
    SECTOR = 512
};

static const uint32_t MAGIC = 0x377f0682; /* the lowest bit: words are big-endian */

struct look {
    FILE *file;
    struct wal *wal;
    unsigned char header[HEADER];
    unsigned char *frame;
    size_t page;
    bool big_endian;
    bool is_chained; /* every checksum so far was right */
    uint32_t sum[2];
    uint64_t at;      /* where the frame begins */
    uint32_t told[2]; /* the checksum that stands in the frame before */
};

static uint32_t word_at(const unsigned char *bytes, bool big_endian)
{
    if (big_endian)
        return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
               (uint32_t)bytes[2] << 8 | bytes[3];
    return (uint32_t)bytes[3] << 24 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[1] << 8 |
           bytes[0];
}

static void add(struct look *look, const unsigned char *bytes, size_t length)
{
    for (size_t at = 0; at < length; at += 8) {
        look->sum[0] += word_at(bytes + at, look->big_endian) + look->sum[1];
        look->sum[1] += word_at(bytes + at + 4, look->big_endian) + look->sum[0];
    }
}

static bool is_sum(const struct look *look, const unsigned char *bytes)
{
    return word_at(bytes, true) == look->sum[0] &&
           word_at(bytes + 4, true) == look->sum[1];
}

static bool is_page_size(size_t page)
{
    return page >= PAGE_LEAST && page <= PAGE_MOST && (page & (page - 1)) == 0;
}

static bool read_header(struct look *look)
{
    uint32_t magic = word_at(look->header, true);
    look->page = word_at(look->header + 8, true);
    look->big_endian = magic & 1;
    if ((magic & ~1u) != MAGIC || !is_page_size(look->page))
        return false;
    add(look, look->header, HEADER - 8);
    look->is_chained = is_sum(look, look->header + HEADER - 8);
    return true;
}

/* What says that a transaction ends here, and what says of which round the frame is, may be of two
 * writes when a sector ends between them: of one that was cut and of what it was to replace. */
static bool is_of_one_write(const struct look *look)
{
    return (look->at + 4) / SECTOR == (look->at + 15) / SECTOR;
}

/* Whether the frame is whole, if the one before it is what it says. */
static bool follows(const struct look *look)
{
    struct look alone = *look;
    memcpy(alone.sum, look->told, sizeof(alone.sum));
    add(&alone, look->frame, 8);
    add(&alone, look->frame + FRAME_HEADER, look->page);
    return is_sum(&alone, look->frame + 16);
}

/* Frames of an older round of the file have other salts and end what is whole. One of this round
 * behind such a frame says that what is between them was damaged. */
static void take_frame(struct look *look)
{
    const unsigned char *frame = look->frame;
    if (memcmp(frame + 8, look->header + 16, 8) != 0) {
        look->is_chained = false;
        return;
    }
    add(look, frame, 8);
    add(look, frame + FRAME_HEADER, look->page);
    look->is_chained = look->is_chained && is_sum(look, frame + 16);
    bool is_end = word_at(frame + 4, true) != 0;
    look->wal->claimed += is_end && (is_of_one_write(look) || follows(look));
    look->wal->whole += is_end && look->is_chained;
}

static void read_frames(struct look *look)
{
    size_t length = FRAME_HEADER + look->page;
    look->frame = mem_zeroed(length);
    look->at = HEADER;
    memcpy(look->told, look->sum, sizeof(look->told));
    while (fread(look->frame, 1, length, look->file) == length) {
        take_frame(look);
        look->told[0] = word_at(look->frame + 16, true);
        look->told[1] = word_at(look->frame + 20, true);
        look->at += length;
    }
    mem_free(look->frame);
}

int wal_look(struct wal *wal, const char *path)
{
    struct look look = {.wal = wal};
    *wal = (struct wal){0};
    look.file = fopen(path, "rbe");
    if (look.file == NULL)
        return errno == ENOENT ? 0 : -errno;
    size_t length = fread(look.header, 1, HEADER, look.file);
    if (length == HEADER && read_header(&look))
        read_frames(&look);
    else if (length == HEADER && fgetc(look.file) != EOF)
        wal->claimed = 1;
    int err = ferror(look.file) ? -EIO : 0;
    fclose(look.file);
    return err;
}
