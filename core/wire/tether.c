/* tether - see tether.h. */
#include "wire/tether.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "base/log.h"

struct buffer *tether_begin(struct tether *tether, enum talk_type type, uint32_t id)
{
    frame_begin(&tether->frame, (uint8_t)type, id);
    return &tether->frame;
}

void tether_give(struct tether *tether)
{
    int err = line_send(tether->line, &tether->frame);
    if (err == 0 || err == -EPIPE)
        return; /* a broken line is told by `closed` */
    log_error("the keeper takes no frame (%s); ending, to be started anew",
              strerror(-err));
    tether->calls->closed(tether);
}

static void came(void *owner, struct line *line, const struct frame *frame)
{
    struct tether *tether = owner;
    (void)line;
    if (frame->type == TALK_PING) {
        tether_begin(tether, TALK_PONG, frame->id);
        tether_give(tether);
        return;
    }
    if (tether->calls->came(tether, frame) == 0)
        return;
    log_error("the keeper sent a frame of type %d that is none; ending", frame->type);
    tether->calls->closed(tether);
}

static void closed(void *owner, struct line *line, int why)
{
    struct tether *tether = owner;
    (void)line;
    if (why)
        log_error("the line to the keeper broke: %s; ending", strerror(-why));
    tether->calls->closed(tether);
}

static const struct line_calls CALLS = {.came = came, .closed = closed};

int tether_open(struct tether *tether, struct loop *loop, int fd,
                const struct tether_calls *calls)
{
    *tether = (struct tether){.calls = calls};
    int err = line_open(&tether->line, loop, fd, &CALLS, tether);
    if (err)
        return err;
    frame_put_text(tether_begin(tether, TALK_HELLO, 0), TAG_VERSION, OUTPOST_VERSION);
    err = line_send(tether->line, &tether->frame);
    if (err)
        tether_close(tether);
    return err;
}

void tether_close(struct tether *tether)
{
    line_close(tether->line);
    buffer_free(&tether->frame);
    tether->line = NULL;
}

void tether_health(struct tether *tether, const char *json)
{
    frame_put_text(tether_begin(tether, TALK_HEALTH, 0), TAG_TEXT, json);
    tether_give(tether);
}
