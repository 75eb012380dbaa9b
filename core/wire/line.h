/* line - one end of a SOCK_SEQPACKET socket: frames out in order, frames in as they come.
 *
 * Sending never waits: what the socket does not take is queued, up to LINE_QUEUE_MAX bytes; beyond
 * that line_send() refuses with -ENOBUFS and the sender decides (a fetch that is not answered is
 * asked again; a child that takes nothing is killed). A datagram that is no frame, or the other
 * end's going away, ends the line: `closed` is called once, from the loop, and may free the line.
 * A frame and all that points into it are valid only during the call of `came`.
 *
 * A frame may bring one file descriptor along, which arrives with it, closed by exec. Who does not
 * take it during `came` does not have it: it is closed. */
#ifndef WIRE_LINE_H
#define WIRE_LINE_H

#include "base/buffer.h"
#include "base/loop.h"
#include "wire/frame.h"

enum { LINE_QUEUE_MAX = 2 * 1024 * 1024, LINE_DESCRIPTORS_MAX = 8, LINE_CHILD_FD = 3 };

struct line;

struct line_calls {
    void (*came)(void *owner, struct line *line, const struct frame *frame);
    /* `why` is 0 when the other end went away, else a negative errno. */
    void (*closed)(void *owner, struct line *line, int why);
};

/* Takes over the file descriptor, also when it fails. */
int line_open(struct line **out, struct loop *loop, int fd,
              const struct line_calls *calls, void *owner);
/* Fine inside a call of its own; what is queued is lost. */
void line_close(struct line *line);

/* Takes nothing more from it for so long: the other end waits when its socket is full. Fine inside a
 * call; its end is noticed after that. */
void line_pause(struct line *line, int64_t ms);

/* Ends it from this side: `closed` is called soon, from the loop. Fine inside a call. */
void line_shut(struct line *line);

/* Sends the frame in `frame`; its bytes are copied as needed. 0, -ENOBUFS, -EMSGSIZE or -EPIPE. */
int line_send(struct line *line, const struct buffer *frame);

/* The same, and the descriptor goes with it: it is taken over, also when that fails. A line keeps
 * at most LINE_DESCRIPTORS_MAX that the socket has not taken yet; beyond that -ENOBUFS. */
int line_send_descriptor(struct line *line, const struct buffer *frame, int fd);

/* For an end that takes none: nobody can send it one, where the system knows how (rights.h). */
void line_refuse_descriptors(struct line *line);

/* Inside `came`: the descriptor that came with this frame, which is the caller's from now on; -1
 * when there is none. */
int line_take_descriptor(struct line *line);

/* Sends all that is queued, waiting as long as it takes, at most `ms`. 0 or -ETIMEDOUT, -EPIPE. */
int line_flush(struct line *line, int ms);

/* How many bytes wait to be sent. */
size_t line_queued(const struct line *line);

/* Two connected sockets, both closed by exec: a child's end must be duplicated for it. */
int line_pair(int fds[2]);

/* A listening socket at `path` (mode 0660), and one connected to it; -ECONNREFUSED or -ENOENT when
 * nobody listens. */
int line_listen(int *fd, const char *path);
int line_accept(int *fd, int listening);
int line_connect(int *fd, const char *path);

#endif
