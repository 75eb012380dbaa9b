/* keeperline - see keeperline.h.
 *
 * Invariant: `open` is the type of the answer that is waited for, or 0. */
#include "courier/keeperline.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/log.h"
#include "base/mem.h"
#include "wire/tether.h"

struct keeperline {
    struct tether tether;
    const struct keeperline_calls *calls;
    void *owner;
    uint8_t open;
    uint32_t id; /* of that question */
};

/* ---- What the keeper says */

static int came_start(struct keeperline *keeper, const struct frame *frame)
{
    struct field config;
    int err = fields_find(&frame->fields, TAG_CONFIG, &config);
    if (!err)
        keeper->calls->start(keeper->owner, config.bytes, config.length);
    return err;
}

static int came_parcels(struct keeperline *keeper, const struct frame *frame)
{
    keeper->calls->listed(keeper->owner, &frame->fields);
    return 0;
}

static int read_error(const struct frame *frame, int *err, char *text, size_t room)
{
    struct field field;
    int64_t error;
    text[0] = '\0';
    if (fields_find(&frame->fields, TAG_TEXT, &field) == 0)
        field_text(&field, text, room);
    if (fields_find(&frame->fields, TAG_ERROR, &field) != 0 ||
        field_number(&field, &error) != 0 || error < 0 || error > 4095)
        return -EPROTO;
    *err = (int)-error;
    return 0;
}

static int came_done(struct keeperline *keeper, const struct frame *frame)
{
    char text[256];
    int error;
    int err = read_error(frame, &error, text, sizeof(text));
    if (!err)
        keeper->calls->done(keeper->owner, error, text);
    return err;
}

static int came_drawn(struct keeperline *keeper, const struct frame *frame)
{
    char text[256];
    int error;
    int err = read_error(frame, &error, text, sizeof(text));
    if (err)
        return err;
    int pipe = line_take_descriptor(keeper->tether.line);
    if ((pipe >= 0) != (error == 0)) {
        if (pipe >= 0)
            close(pipe);
        return -EPROTO;
    }
    if (pipe >= 0)
        fcntl(pipe, F_SETFL, fcntl(pipe, F_GETFL) | O_NONBLOCK);
    keeper->calls->drawn(keeper->owner, pipe, error, text);
    return 0;
}

static int came_stop(struct keeperline *keeper, const struct frame *frame)
{
    (void)frame;
    keeper->calls->stop(keeper->owner);
    return 0;
}

static const struct {
    bool answers;
    int (*came)(struct keeperline *, const struct frame *);
} CAME[TALK_TYPES] = {
    [TALK_START] = {false, came_start}, [TALK_PARCELS] = {true, came_parcels},
    [TALK_DONE] = {true, came_done},    [TALK_DRAWN] = {true, came_drawn},
    [TALK_STOP] = {false, came_stop},
};

static int came(struct tether *tether, const struct frame *frame)
{
    struct keeperline *keeper = container_of(tether, struct keeperline, tether);
    if (frame->type >= TALK_TYPES || CAME[frame->type].came == NULL)
        return -EPROTO;
    if (CAME[frame->type].answers) {
        if (keeper->open != frame->type || keeper->id != frame->id)
            return -EPROTO;
        keeper->open = 0;
    }
    return CAME[frame->type].came(keeper, frame);
}

static void closed(struct tether *tether)
{
    struct keeperline *keeper = container_of(tether, struct keeperline, tether);
    keeper->calls->closed(keeper->owner);
}

static const struct tether_calls CALLS = {.came = came, .closed = closed};

/* ---- What the courier says */

int keeperline_open(struct keeperline **out, struct loop *loop, int fd,
                    const struct keeperline_calls *calls, void *owner)
{
    struct keeperline *keeper = mem_new(struct keeperline);
    keeper->calls = calls;
    keeper->owner = owner;
    int err = tether_open(&keeper->tether, loop, fd, &CALLS);
    if (err)
        mem_free(keeper);
    else
        *out = keeper;
    return err;
}

void keeperline_close(struct keeperline *keeper)
{
    if (keeper == NULL)
        return;
    tether_close(&keeper->tether);
    mem_free(keeper);
}

static void ask(struct keeperline *keeper, uint8_t type, uint8_t answer)
{
    ASSERT(keeper->open == 0);
    keeper->open = answer;
    tether_begin(&keeper->tether, type, ++keeper->id);
}

void keeperline_list(struct keeperline *keeper)
{
    ask(keeper, TALK_PARCELS, TALK_PARCELS);
    tether_give(&keeper->tether);
}

static void begin_note(struct keeperline *keeper, const char *sha256,
                       const struct buffer *note)
{
    ask(keeper, TALK_NOTE, TALK_DONE);
    frame_put_text(&keeper->tether.frame, TAG_DIGEST, sha256);
    frame_put(&keeper->tether.frame, TAG_VALUE, note->bytes, note->length);
}

void keeperline_note(struct keeperline *keeper, const char *sha256,
                     const struct buffer *note)
{
    begin_note(keeper, sha256, note);
    tether_give(&keeper->tether);
}

void keeperline_set_aside(struct keeperline *keeper, const char *sha256,
                          const struct buffer *note, int64_t ms, const char *why)
{
    begin_note(keeper, sha256, note);
    frame_put_number(&keeper->tether.frame, TAG_LIMIT, ms);
    frame_put_text(&keeper->tether.frame, TAG_TEXT, why);
    tether_give(&keeper->tether);
}

void keeperline_draw(struct keeperline *keeper, const char *sha256, int64_t offset)
{
    ask(keeper, TALK_DRAW, TALK_DRAWN);
    frame_put_text(&keeper->tether.frame, TAG_DIGEST, sha256);
    frame_put_number(&keeper->tether.frame, TAG_OFFSET, offset);
    tether_give(&keeper->tether);
}

void keeperline_handover(struct keeperline *keeper, const struct buffer *note)
{
    ask(keeper, TALK_HANDOVER, TALK_DONE);
    frame_put(&keeper->tether.frame, TAG_TEXT, note->bytes, note->length);
    tether_give(&keeper->tether);
}

void keeperline_health(struct keeperline *keeper, const char *json)
{
    tether_health(&keeper->tether, json);
}
