/* pcapng - recorded bytes of devices as a file that Wireshark opens, and that file read again.
 *
 * Written: one section, an interface for each device whose name is its URL, LINKTYPE_USER0, and a
 * packet for each piece with the direction in its flags. Read: what any program wrote of that kind, of
 * either byte order; other blocks and options are passed over, and nothing that it says is trusted. */
#ifndef WIRE_PCAPNG_H
#define WIRE_PCAPNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

enum { PCAPNG_LINKTYPE = 147, PCAPNG_DEVICES_MAX = 64, PCAPNG_NAME_ROOM = 256 };

/* The section; the comment is for people, in what order its devices follow. */
void pcapng_begin(struct buffer *out, const char *comment);
/* The next device, numbered from 0. */
void pcapng_device(struct buffer *out, const char *name);

struct pcapng_piece {
    int device;
    bool is_out; /* to the device */
    int64_t utc_us;
    const void *bytes;
    size_t length;
};
void pcapng_piece(struct buffer *out, const struct pcapng_piece *piece);

/* Reads from `bytes`, which stay the caller's. */
struct pcapng {
    const uint8_t *next;
    const uint8_t *end;
    bool is_swapped;
    int devices;
    int64_t ticks[PCAPNG_DEVICES_MAX]; /* a second has */
    char names[PCAPNG_DEVICES_MAX][PCAPNG_NAME_ROOM];
};

/* 0, or -EPROTO when no section begins there. */
int pcapng_open(struct pcapng *pcapng, const void *bytes, size_t length);
/* The next piece: 1; 0 at the end; -EPROTO where it makes no sense, -E2BIG too many devices. */
int pcapng_next(struct pcapng *pcapng, struct pcapng_piece *piece);

#endif
