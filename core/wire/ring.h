/* ring - the last bytes that went between an instance and its devices, in memory that outlives it.
 *
 * A file in memory of RING_BYTES: the keeper makes one for each host and hands it over at the start as
 * descriptor RING_CHILD_FD; the host writes, `host freeze` copies, also when that host is dead. What
 * is new pushes out the oldest. Pages that nobody has written cost nothing.
 *
 * One writes, one copies, at the same time, without waiting for each other: what the writer pushes out
 * while it is copied is left out of the copy. A copy trusts nothing: the writer may have gone mad. */
#ifndef WIRE_RING_H
#define WIRE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

enum { RING_CHILD_FD = 4, RING_HEAD = 4096, RING_NAMES_MAX = 30, RING_NAME_ROOM = 128 };

#ifdef SMALL_BOUNDS
enum { RING_BYTES = RING_HEAD + 4096, RING_PIECE_MAX = 256 };
#else
enum { RING_BYTES = 1024 * 1024, RING_PIECE_MAX = 64 * 1024 };
#endif

enum ring_way { RING_IN, RING_OUT };

struct ring;

/* An empty one, as a file in memory that nobody can make longer or shorter. */
int ring_make(int *fd);

/* Maps it to write; the descriptor stays the caller's. -EINVAL when it is none. */
int ring_open(struct ring **out, int fd);
void ring_close(struct ring *ring); /* NULL is fine */

/* The number of the device of that name; what finds no room is the last one, "others". A name is cut
 * to RING_NAME_ROOM - 1 bytes. */
int ring_name(struct ring *ring, const char *name);

/* Bytes that went in or out just now; what is longer than RING_PIECE_MAX becomes several pieces. */
void ring_put(struct ring *ring, int name, enum ring_way way, int64_t utc_us,
              const void *bytes, size_t length);

/* Whether nothing has ever been put into it; true for what is none. */
bool ring_is_empty(int fd);

/* What was in it, oldest first. A zeroed one is empty. */
struct ring_copy {
    struct buffer bytes; /* the head, then the pieces in a row */
    size_t next;         /* of the piece that ring_next() gives */
    int names;
};

struct ring_piece {
    int name;
    enum ring_way way;
    int64_t utc_us;
    const void *bytes; /* in the copy */
    size_t length;
};

/* 0, -EPROTO when it is none, or what reading it met. */
int ring_copy_take(struct ring_copy *copy, int fd);
void ring_copy_free(struct ring_copy *copy);
/* Of a number below copy->names. */
const char *ring_copy_name(const struct ring_copy *copy, int name);
/* 1; 0 at the end, also where what follows makes no sense. */
int ring_next(struct ring_copy *copy, struct ring_piece *piece);

#endif
