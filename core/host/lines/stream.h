/* stream - a line of bytes to a device, a TCP connection or a serial line, one reader and one writer
 * waiting on it at a time.
 *
 * Bytes are fetched only while somebody reads, so what a peer sends too fast waits in its own kernel;
 * what was fetched and not taken (at most STREAM_KEPT_MAX bytes) is there for the next read, also
 * when this one failed. A time-out leaves the line usable. After an end every further read says so
 * again, once what had come before it is taken.
 *
 * The owner keeps the memory; a zeroed stream is a closed one. `read_over` and `write_over` are called
 * from the loop, once for each call that answered -EINPROGRESS, also when the stream is closed
 * meanwhile; never after stream_drop(). */
#ifndef HOST_LINES_STREAM_H
#define HOST_LINES_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/loop.h"

enum {
    STREAM_READ_MAX = 64 * 1024,
    STREAM_CHUNK = 4096,
    STREAM_KEPT_MAX = STREAM_READ_MAX + STREAM_CHUNK
};

struct stream {
    void (*read_over)(struct stream *stream);
    void (*write_over)(struct stream *stream);
    /* So many bytes were read (not yet told) or written just now; NULL: nobody minds. */
    void (*moved)(struct stream *stream, bool is_out, const void *bytes, size_t length);

    struct loop *loop;
    bool is_open;
    bool is_socket;
    int fd;

    struct buffer in;
    size_t least; /* of the read that waits */
    size_t most;
    int64_t silence_ms; /* 0: what comes at once is an answer */
    int64_t until_ms;   /* its time-out */
    bool is_reading;
    int read_err; /* of the last read: 0 or negative */
    int ended;    /* why nothing comes any more, or 0 */
    struct loop_watch read_watch;
    struct loop_timer read_timer;

    const char *out; /* of the write that waits; the caller keeps it */
    size_t out_length;
    size_t written; /* of the last write */
    bool is_writing;
    int write_err;
    struct loop_watch write_watch;
    struct loop_timer write_timer;
};

/* Takes over `fd`, which does not block. */
void stream_open(struct stream *stream, struct loop *loop, int fd, bool is_socket);
/* Who waits is told -ECANCELED. Fine for a closed one. */
void stream_close(struct stream *stream);
/* The same without telling anybody: the memory goes. */
void stream_drop(struct stream *stream);

/* Waits for at least `least` and at most `most` bytes; with a silence, until at least one came and then
 * none for so long, or the time is over. 0: they are there; -EINPROGRESS; or at once -EBUSY: somebody
 * else reads, or how it ended. `read_err` has the same at last; -ETIMEDOUT among it. */
int stream_read(struct stream *stream, size_t least, size_t most, int64_t timeout_ms,
                int64_t silence_ms);
/* How many of the kept bytes, at the front of `in`, that read is to have. */
size_t stream_readable(const struct stream *stream);
/* They are taken. */
void stream_take(struct stream *stream, size_t length);

/* Waits until the kernel has all of it. As stream_read(), with `write_err` and `written`. */
int stream_write(struct stream *stream, const char *bytes, size_t length,
                 int64_t timeout_ms);

/* Forgets what has come and was not read, at most STREAM_READ_MAX bytes of the kernel's; how many. */
size_t stream_discard(struct stream *stream);

/* In words. */
const char *stream_why(int err);
/* "timeout", "busy" or "closed" */
const char *stream_code(int err);

#endif
