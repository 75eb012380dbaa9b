/* stream - see stream.h.
 *
 * Invariant: the watch and the timer of a direction run only while somebody waits in it, and then at
 * least the timer does. */
#include "host/lines/stream.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/base.h"
#include "base/now.h"

enum { KEEP_ROOM = STREAM_CHUNK };

static int64_t now_ms(void)
{
    return now_mono_us() / 1000;
}

/* ---- Reading */

static bool is_enough(const struct stream *stream)
{
    return stream->in.length >= stream->most ||
           (stream->in.length >= stream->least && stream->silence_ms == 0);
}

static void end_read(struct stream *stream, int err)
{
    loop_watch_stop(&stream->read_watch);
    loop_timer_stop(&stream->read_timer);
    stream->is_reading = false;
    stream->read_err = err;
    stream->read_over(stream);
}

/* What the other end's going away is called, whatever the kernel calls it. */
static int end_of(const struct stream *stream, int error)
{
    if (!stream->is_socket)
        return -ENODEV;
    if (error == 0)
        return -EPIPE;
    return error == ETIMEDOUT || error == EHOSTUNREACH || error == ENETUNREACH
               ? -EHOSTDOWN
               : -ECONNRESET;
}

/* Fetches what is there; false when it may have been all. */
static bool fetch(struct stream *stream)
{
    size_t room = stream->most > stream->in.length ? stream->most - stream->in.length : 0;
    room = room < STREAM_CHUNK ? STREAM_CHUNK : room;
    char *end = buffer_grow(&stream->in, room);
    ssize_t length = read(stream->fd, end, room);
    int error = length < 0 ? errno : 0;
    stream->in.length -= room - (length > 0 ? (size_t)length : 0);
    if (length > 0 && stream->moved != NULL)
        stream->moved(stream, false, end, (size_t)length);
    if (length > 0)
        return true;
    if (error != EAGAIN && error != EINTR)
        stream->ended = end_of(stream, error);
    return false;
}

/* From the last byte on, but not beyond the time-out. */
static void await_silence(struct stream *stream)
{
    int64_t left_ms = stream->until_ms - now_ms();
    if (left_ms <= 0)
        end_read(stream, 0); /* a timer put off each time would never fire */
    else
        loop_timer_start(stream->loop, &stream->read_timer,
                         left_ms < stream->silence_ms ? left_ms : stream->silence_ms);
}

static void readable(struct loop_watch *watch, bool read, bool write)
{
    struct stream *stream = container_of(watch, struct stream, read_watch);
    (void)read;
    (void)write;
    bool came = fetch(stream);
    if (is_enough(stream))
        end_read(stream, 0);
    else if (stream->ended)
        end_read(stream, stream->in.length >= stream->least ? 0 : stream->ended);
    else if (came && stream->silence_ms > 0)
        await_silence(stream);
}

/* Over: closed meanwhile, silent long enough, or late. */
static void read_timed(struct loop_timer *timer)
{
    struct stream *stream = container_of(timer, struct stream, read_timer);
    int err = stream->is_open ? -ETIMEDOUT : -ECANCELED;
    end_read(stream, stream->is_open && stream->in.length >= stream->least ? 0 : err);
}

int stream_read(struct stream *stream, size_t least, size_t most, int64_t timeout_ms,
                int64_t silence_ms)
{
    ASSERT(least > 0 && least <= most && most <= STREAM_READ_MAX);
    if (stream->is_reading)
        return -EBUSY;
    stream->least = least;
    stream->most = most;
    stream->silence_ms = silence_ms;
    stream->read_err = 0;
    if (is_enough(stream) || (stream->ended && stream->in.length >= least))
        return 0;
    if (stream->ended || !stream->is_open)
        return stream->read_err = stream->ended ? stream->ended : -ECANCELED;
    stream->is_reading = true;
    stream->until_ms = now_ms() + timeout_ms;
    loop_watch_start(stream->loop, &stream->read_watch, stream->fd, true, false);
    bool has_begun = silence_ms > 0 && stream->in.length > 0;
    loop_timer_start(stream->loop, &stream->read_timer,
                     has_begun && silence_ms < timeout_ms ? silence_ms : timeout_ms);
    return -EINPROGRESS;
}

size_t stream_readable(const struct stream *stream)
{
    return stream->in.length < stream->most ? stream->in.length : stream->most;
}

void stream_take(struct stream *stream, size_t length)
{
    buffer_drop_front(&stream->in, length);
    if (stream->in.length == 0 && stream->in.room > KEEP_ROOM)
        buffer_free(&stream->in);
}

size_t stream_discard(struct stream *stream)
{
    char waste[STREAM_CHUNK];
    size_t total = stream->in.length;
    buffer_free(&stream->in);
    for (size_t i = 0; stream->is_open && i < STREAM_READ_MAX / sizeof(waste); i++) {
        ssize_t length = read(stream->fd, waste, sizeof(waste));
        if (length <= 0)
            break; /* an end is told by the next read */
        if (stream->moved != NULL)
            stream->moved(stream, false, waste, (size_t)length);
        total += (size_t)length;
    }
    return total;
}

/* ---- Writing */

static void end_write(struct stream *stream, int err)
{
    loop_watch_stop(&stream->write_watch);
    loop_timer_stop(&stream->write_timer);
    stream->is_writing = false;
    stream->out = NULL;
    stream->write_err = err;
    stream->write_over(stream);
}

static ssize_t put(struct stream *stream, const char *bytes, size_t length)
{
    ssize_t written = stream->is_socket ? send(stream->fd, bytes, length, MSG_NOSIGNAL)
                                        : write(stream->fd, bytes, length);
    int error = errno;
    if (written > 0 && stream->moved != NULL)
        stream->moved(stream, true, bytes, (size_t)written);
    errno = error;
    return written;
}

/* Hands over what the kernel takes: 0, -EINPROGRESS when that was not all, or the end. */
static int push(struct stream *stream)
{
    while (stream->written < stream->out_length) {
        ssize_t length = put(stream, stream->out + stream->written,
                             stream->out_length - stream->written);
        if (length > 0)
            stream->written += (size_t)length;
        else if (length < 0 && errno == EAGAIN)
            return -EINPROGRESS;
        else if (length == 0 || errno != EINTR)
            return end_of(stream, length < 0 ? errno : 0);
    }
    return 0;
}

static void writable(struct loop_watch *watch, bool read, bool write)
{
    struct stream *stream = container_of(watch, struct stream, write_watch);
    (void)read;
    (void)write;
    int err = push(stream);
    if (err != -EINPROGRESS)
        end_write(stream, err);
}

static void write_timed(struct loop_timer *timer)
{
    struct stream *stream = container_of(timer, struct stream, write_timer);
    end_write(stream, stream->is_open ? -ETIMEDOUT : -ECANCELED);
}

int stream_write(struct stream *stream, const char *bytes, size_t length,
                 int64_t timeout_ms)
{
    if (stream->is_writing)
        return -EBUSY;
    stream->written = 0;
    if (!stream->is_open)
        return stream->write_err = -ECANCELED;
    stream->out = bytes;
    stream->out_length = length;
    stream->write_err = push(stream);
    if (stream->write_err != -EINPROGRESS)
        return stream->write_err;
    stream->is_writing = true;
    loop_watch_start(stream->loop, &stream->write_watch, stream->fd, false, true);
    loop_timer_start(stream->loop, &stream->write_timer, timeout_ms);
    return -EINPROGRESS;
}

/* ---- Open and close */

void stream_open(struct stream *stream, struct loop *loop, int fd, bool is_socket)
{
    ASSERT(!stream->is_open);
    stream->loop = loop;
    stream->fd = fd;
    stream->is_open = true;
    stream->is_socket = is_socket;
    stream->ended = 0;
    stream->read_watch.ready = readable;
    stream->read_timer.fire = read_timed;
    stream->write_watch.ready = writable;
    stream->write_timer.fire = write_timed;
}

/* Callbacks come from the loop only, so those who wait are told by their timers. */
void stream_close(struct stream *stream)
{
    if (!stream->is_open)
        return;
    loop_watch_stop(&stream->read_watch);
    loop_watch_stop(&stream->write_watch);
    close(stream->fd);
    stream->is_open = false;
    buffer_free(&stream->in);
    if (stream->is_reading)
        loop_timer_start(stream->loop, &stream->read_timer, 0);
    if (stream->is_writing)
        loop_timer_start(stream->loop, &stream->write_timer, 0);
}

void stream_drop(struct stream *stream)
{
    stream_close(stream);
    loop_timer_stop(&stream->read_timer);
    loop_timer_stop(&stream->write_timer);
    stream->is_reading = stream->is_writing = false;
}

/* ---- Words */

static const struct {
    int err;
    const char *code;
    const char *why;
} ENDS[] = {
    {-ETIMEDOUT, "timeout", "the time is over"},
    {-EBUSY, "busy", "another handler waits on this line"},
    {-ECANCELED, "closed", "it was closed here"},
    {-ENODEV, "closed", "the device is gone"},
    {-EPIPE, "closed", "the other end closed"},
    {-ECONNRESET, "closed", "the other end broke off"},
    {-EHOSTDOWN, "closed", "the other end does not answer any more"},
};

static size_t row_of(int err)
{
    for (size_t i = 0; i < countof(ENDS); i++)
        if (ENDS[i].err == err)
            return i;
    return countof(ENDS) - 2;
}

const char *stream_why(int err)
{
    return ENDS[row_of(err)].why;
}

const char *stream_code(int err)
{
    return ENDS[row_of(err)].code;
}
