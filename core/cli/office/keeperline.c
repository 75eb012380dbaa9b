/* keeperline - see keeperline.h. */
#include "cli/office/keeperline.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/office/place.h"
#include "cli/office/table.h"
#include "wire/line.h"
#include "wire/rights.h"
#include "wire/talk.h"

int keeperline_open(int *fd, const char *state)
{
    char path[PLACE_MAX];
    struct buffer hello = {0};
    int err = file_join(path, sizeof(path), state, "keeper.sock");
    if (!err)
        err = line_connect(fd, path);
    if (err == -EACCES) {
        fprintf(stderr,
                "outpost: %s: expected a user who may connect to it (people.conf of "
                "etc/systemd, or root)\n",
                path);
        return err;
    }
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

static int wait_for(int fd)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    int count;
    do
        count = poll(&ready, 1, -1);
    while (count < 0 && errno == EINTR);
    return count < 0 ? -errno : 0;
}

int keeperline_hear_descriptor(int fd, struct buffer *room, struct frame *frame,
                               int *brought)
{
    buffer_clear(room);
    char *bytes = buffer_grow(room, FRAME_MAX);
    ssize_t length = -EAGAIN;
    *brought = -1;
    while (length == -EAGAIN || length == -EINTR) {
        int err = wait_for(fd);
        if (err)
            return err;
        length = rights_receive(fd, bytes, FRAME_MAX, brought);
    }
    if (length <= 0)
        return length < 0 ? (int)length : -EPIPE;
    return frame_read(frame, bytes, (size_t)length);
}

int keeperline_hear(int fd, struct buffer *room, struct frame *frame)
{
    int brought;
    int err = keeperline_hear_descriptor(fd, room, frame, &brought);
    if (brought >= 0)
        close(brought); /* nobody has asked for one */
    return err;
}

int keeperline_accept(const struct frame *frame, uint8_t type, const char *command)
{
    struct field field;
    struct buffer said = {0};
    int64_t code;
    char text[TALK_WHY_MAX + 1] = "it was refused";
    if (frame->type != type || fields_find(&frame->fields, TAG_ERROR, &field) != 0 ||
        field_number(&field, &code) != 0)
        return -EPROTO;
    if (code == 0)
        return 0;
    if (fields_find(&frame->fields, TAG_TEXT, &field) == 0)
        field_text(&field, text, sizeof(text));
    table_put_text(&said, text);
    fprintf(stderr, "outpost %s: %s\n", command, buffer_text(&said));
    buffer_free(&said);
    return -ECANCELED;
}
