/* line - see line.h.
 *
 * Invariant: `queue` holds whole datagrams, each behind its length; while it is empty the line
 * watches for reading only, and while it is paused it does not read.
 *
 * A call back may close the line: every path that calls back checks `alive` afterwards. */
#include "wire/line.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/base.h"
#include "base/mem.h"

/* So many datagrams are taken from one line before the others have their turn. */
enum { TURN_MAX = 32 };

struct line {
    struct loop *loop;
    struct loop_watch watch;
    struct loop_timer resume; /* runs while the line is paused */
    int fd;
    const struct line_calls *calls;
    void *owner;
    struct buffer queue;
    size_t queue_start; /* bytes of `queue` already sent */
    bool *alive;        /* set to false when the line is closed inside a call */
};

static void watch_again(struct line *line);

static int widen(int fd)
{
    int size = FRAME_MAX * 2;
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) == 0)
        return 0;
    size = FRAME_MAX;
    return setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) == 0 ? 0 : -errno;
}

static int send_datagram(int fd, const void *bytes, size_t length)
{
    ssize_t sent;
    do
        sent = send(fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    if (sent >= 0)
        return 0;
    if (errno == EWOULDBLOCK || errno == ENOBUFS)
        return -EAGAIN;
    return errno == ECONNRESET ? -EPIPE : -errno;
}

static int send_queued(struct line *line)
{
    struct buffer *queue = &line->queue;
    int err = 0;
    while (line->queue_start < queue->length) {
        uint32_t length;
        const char *at = queue->bytes + line->queue_start;
        memcpy(&length, at, sizeof(length));
        err = send_datagram(line->fd, at + sizeof(length), length);
        if (err)
            break;
        line->queue_start += sizeof(length) + length;
    }
    if (line->queue_start == queue->length)
        buffer_free(queue);
    else if (line->queue_start > LINE_QUEUE_MAX / 2)
        buffer_drop_front(queue, line->queue_start);
    else
        return err;
    line->queue_start = 0;
    return err;
}

static void end_line(struct line *line, int why)
{
    loop_watch_stop(&line->watch);
    loop_timer_stop(&line->resume);
    line->calls->closed(line->owner, line, why);
}

/* Returns 1 when there may be more, 0 when not, negative when the line is over. */
static int take_one(struct line *line, uint8_t *room)
{
    struct frame frame;
    ssize_t length = recv(line->fd, room, FRAME_MAX, MSG_DONTWAIT | MSG_TRUNC);
    if (length < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    if (length == 0)
        return -ESHUTDOWN;
    int err = frame_read(&frame, room, (size_t)length);
    if (err)
        return err;
    line->calls->came(line->owner, line, &frame);
    return 1;
}

static void read_turn(struct line *line)
{
    static uint8_t room[FRAME_MAX]; /* one thread, and no call back runs the loop */
    bool alive = true;
    line->alive = &alive;
    int more = 1;
    for (int i = 0; i < TURN_MAX && more > 0; i++) {
        more = take_one(line, room);
        if (!alive)
            return;
        if (loop_timer_is_running(&line->resume))
            break;
    }
    line->alive = NULL;
    if (more < 0)
        end_line(line, more == -ESHUTDOWN || more == -ECONNRESET ? 0 : more);
}

static void line_ready(struct loop_watch *watch, bool readable, bool writable)
{
    struct line *line = container_of(watch, struct line, watch);
    if (writable) {
        int err = send_queued(line);
        if (err && err != -EAGAIN) {
            end_line(line, err == -EPIPE ? 0 : err);
            return;
        }
        if (line->queue.length == 0)
            watch_again(line);
    }
    if (readable)
        read_turn(line);
}

static void watch_again(struct line *line)
{
    bool reads = !loop_timer_is_running(&line->resume);
    bool writes = line->queue.length > 0;
    if (reads || writes)
        loop_watch_start(line->loop, &line->watch, line->fd, reads, writes);
    else
        loop_watch_stop(&line->watch);
}

static void pause_over(struct loop_timer *timer)
{
    watch_again(container_of(timer, struct line, resume));
}

int line_open(struct line **out, struct loop *loop, int fd,
              const struct line_calls *calls, void *owner)
{
    int err = widen(fd);
    if (err) {
        close(fd);
        return err;
    }
    struct line *line = mem_new(struct line);
    line->loop = loop;
    line->watch.ready = line_ready;
    line->resume.fire = pause_over;
    line->fd = fd;
    line->calls = calls;
    line->owner = owner;
    watch_again(line);
    *out = line;
    return 0;
}

void line_close(struct line *line)
{
    if (line == NULL)
        return;
    if (line->alive != NULL)
        *line->alive = false;
    loop_watch_stop(&line->watch);
    loop_timer_stop(&line->resume);
    close(line->fd);
    buffer_free(&line->queue);
    mem_free(line);
}

void line_pause(struct line *line, int64_t ms)
{
    loop_timer_start(line->loop, &line->resume, ms);
    watch_again(line);
}

void line_shut(struct line *line)
{
    shutdown(line->fd, SHUT_RDWR);
    loop_timer_stop(&line->resume);
    watch_again(line);
}

int line_send(struct line *line, const struct buffer *frame)
{
    if (frame->length > FRAME_MAX)
        return -EMSGSIZE;
    bool was_empty = line->queue.length == 0;
    int err = was_empty ? send_datagram(line->fd, frame->bytes, frame->length) : -EAGAIN;
    if (err != -EAGAIN)
        return err;
    if (line_queued(line) + frame->length > LINE_QUEUE_MAX)
        return -ENOBUFS;
    uint32_t length = (uint32_t)frame->length;
    buffer_append(&line->queue, &length, sizeof(length));
    buffer_append(&line->queue, frame->bytes, frame->length);
    if (was_empty)
        watch_again(line);
    return 0;
}

int line_flush(struct line *line, int ms)
{
    while (line->queue.length > 0) {
        struct pollfd ready = {.fd = line->fd, .events = POLLOUT};
        int count = poll(&ready, 1, ms);
        if (count == 0)
            return -ETIMEDOUT;
        int err = send_queued(line);
        if (err && err != -EAGAIN)
            return err;
    }
    return 0;
}

size_t line_queued(const struct line *line)
{
    return line->queue.length - line->queue_start;
}

int line_pair(int fds[2])
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0)
        return -errno;
    return 0;
}

static int address_of(struct sockaddr_un *address, const char *path)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address->sun_path))
        return -ENAMETOOLONG;
    strcpy(address->sun_path, path);
    return 0;
}

static int open_socket(int *fd)
{
    *fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    return *fd < 0 ? -errno : 0;
}

int line_listen(int *fd, const char *path)
{
    struct sockaddr_un address;
    int listening;
    int err = address_of(&address, path);
    if (!err)
        err = open_socket(&listening);
    if (err)
        return err;
    unlink(path);
    if (bind(listening, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        chmod(path, 0660) != 0 || listen(listening, 16) != 0) {
        err = -errno;
        close(listening);
        return err;
    }
    *fd = listening;
    return 0;
}

int line_accept(int *fd, int listening)
{
    *fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
    return *fd < 0 ? -errno : 0;
}

int line_connect(int *fd, const char *path)
{
    struct sockaddr_un address;
    int err = address_of(&address, path);
    if (!err)
        err = open_socket(fd);
    if (err)
        return err;
    if (connect(*fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        err = -errno;
        close(*fd);
    }
    return err;
}
