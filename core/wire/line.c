/* line - see line.h.
 *
 * Invariant: `queue` holds whole datagrams, each behind its head; while it is empty the line
 * watches for reading only, and while it is paused it does not read. A descriptor is in one place:
 * a head in the queue, `brought` during a call, or somebody else's.
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
#include "wire/rights.h"

/* So many datagrams are taken from one line before the others have their turn. */
enum { TURN_MAX = 32 };

/* Before each datagram in the queue. */
struct head {
    uint32_t length;
    int fd; /* that goes with it, or -1 */
};

struct line {
    struct loop *loop;
    struct loop_watch watch;
    struct loop_timer resume; /* runs while the line is paused */
    int fd;
    const struct line_calls *calls;
    void *owner;
    struct buffer queue;
    size_t queue_start; /* bytes of `queue` already sent */
    int descriptors;    /* in `queue` */
    int brought;        /* descriptor of the frame that is being told, or -1 */
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

/* A queued descriptor that is on its way, or lost. */
static void let_go(struct line *line, int fd)
{
    if (fd < 0)
        return;
    close(fd);
    line->descriptors--;
}

static int send_queued(struct line *line)
{
    struct buffer *queue = &line->queue;
    int err = 0;
    while (line->queue_start < queue->length) {
        struct head head;
        const char *at = queue->bytes + line->queue_start;
        memcpy(&head, at, sizeof(head));
        err = rights_send(line->fd, at + sizeof(head), head.length, head.fd);
        if (err)
            break;
        let_go(line, head.fd);
        line->queue_start += sizeof(head) + head.length;
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

static void forget_brought(struct line *line)
{
    if (line->brought >= 0)
        close(line->brought);
    line->brought = -1;
}

/* Returns 1 when there may be more, 0 when not, negative when the line is over. */
static int take_one(struct line *line, uint8_t *room)
{
    struct frame frame;
    ssize_t length = rights_receive(line->fd, room, FRAME_MAX, &line->brought);
    if (length < 0)
        return length == -EAGAIN || length == -EINTR ? 0 : (int)length;
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
        forget_brought(line);
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
    line->brought = -1;
    line->calls = calls;
    line->owner = owner;
    watch_again(line);
    *out = line;
    return 0;
}

/* The descriptors of what nobody will send any more. */
static void drop_queue(struct line *line)
{
    struct head head;
    for (size_t at = line->queue_start; at < line->queue.length;
         at += sizeof(head) + head.length) {
        memcpy(&head, line->queue.bytes + at, sizeof(head));
        let_go(line, head.fd);
    }
    buffer_free(&line->queue);
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
    forget_brought(line);
    drop_queue(line);
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

static int put_in_queue(struct line *line, const struct buffer *frame, int fd)
{
    struct head head = {.length = (uint32_t)frame->length, .fd = fd};
    bool was_empty = line->queue.length == 0;
    if (line_queued(line) + frame->length > LINE_QUEUE_MAX ||
        (fd >= 0 && line->descriptors == LINE_DESCRIPTORS_MAX))
        return -ENOBUFS;
    buffer_append(&line->queue, &head, sizeof(head));
    buffer_append(&line->queue, frame->bytes, frame->length);
    line->descriptors += fd >= 0;
    if (was_empty)
        watch_again(line);
    return 0;
}

int line_send_descriptor(struct line *line, const struct buffer *frame, int fd)
{
    int err = frame->length > FRAME_MAX ? -EMSGSIZE : -EAGAIN;
    if (err == -EAGAIN && line->queue.length == 0)
        err = rights_send(line->fd, frame->bytes, frame->length, fd);
    if (err == -EAGAIN) {
        err = put_in_queue(line, frame, fd);
        if (!err)
            return 0; /* the descriptor waits with it */
    }
    if (fd >= 0)
        close(fd);
    return err;
}

int line_send(struct line *line, const struct buffer *frame)
{
    return line_send_descriptor(line, frame, -1);
}

void line_refuse_descriptors(struct line *line)
{
    (void)rights_refuse(line->fd);
}

int line_take_descriptor(struct line *line)
{
    int fd = line->brought;
    line->brought = -1;
    return fd;
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
