/* keeperline - see keeperline.h. */
#include "cli/keeperline.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/file.h"
#include "cli/place.h"
#include "wire/line.h"
#include "wire/talk.h"

int keeperline_open(int *fd, const char *state)
{
    char path[PLACE_MAX];
    struct buffer hello = {0};
    int err = file_join(path, sizeof(path), state, "keeper.sock");
    if (!err)
        err = line_connect(fd, path);
    if (err) {
        fprintf(stderr,
                "outpost: no keeper answers at %s (%s); is `outpost run` running?\n",
                path, strerror(-err));
        return err;
    }
    frame_begin(&hello, TALK_HELLO, 0);
    frame_put_text(&hello, TAG_VERSION, OUTPOST_VERSION);
    err = keeperline_say(*fd, &hello);
    buffer_free(&hello);
    return err;
}

int keeperline_say(int fd, const struct buffer *frame)
{
    return send(fd, frame->bytes, frame->length, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int keeperline_hear(int fd, struct buffer *room, struct frame *frame)
{
    buffer_clear(room);
    char *bytes = buffer_grow(room, FRAME_MAX);
    ssize_t length;
    do
        length = recv(fd, bytes, FRAME_MAX, 0);
    while (length < 0 && errno == EINTR);
    if (length < 0)
        return -errno;
    if (length == 0)
        return -EPIPE;
    return frame_read(frame, bytes, (size_t)length);
}
