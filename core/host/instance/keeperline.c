/* keeperline - see keeperline.h.
 *
 * Invariant: a question is in `asked` exactly while its `line` is set, and ids in there differ. */
#include "host/instance/keeperline.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "base/mem.h"
#include "wire/line.h"
#include "wire/talk.h"

/* What is left of the line's queue is for other questions. */
enum { COMMITS_QUEUED_MAX = LINE_QUEUE_MAX / 2 };

struct keeperline {
    struct line *line;
    const struct keeperline_calls *calls;
    void *owner;
    struct question *asked; /* newest first */
    uint32_t last_id;
    bool started;
};

static void unlink_question(struct question *question)
{
    *question->link = question->next;
    if (question->next != NULL)
        question->next->link = question->link;
    question->line = NULL;
}

static bool is_answered(struct keeperline *line, const struct frame *frame)
{
    for (struct question *question = line->asked; question; question = question->next) {
        if (question->id != frame->id)
            continue;
        unlink_question(question);
        question->answered(question, frame);
        return true;
    }
    return false;
}

static void answer(struct keeperline *line, const struct frame *frame)
{
    is_answered(line, frame);
}

/* Who asked for it is gone: nobody else would ever end it. */
static void give_spool(struct keeperline *line, const struct frame *frame)
{
    struct buffer out = {0};
    struct field spool;
    if (is_answered(line, frame) || fields_find(&frame->fields, TAG_SPOOL, &spool) != 0)
        return;
    frame_begin(&out, TALK_ABANDON, 0);
    frame_put(&out, TAG_SPOOL, spool.bytes, spool.length);
    keeperline_tell(line, &out);
    buffer_free(&out);
}

static void start(struct keeperline *line, const struct frame *frame)
{
    struct field config;
    if (line->started || fields_find(&frame->fields, TAG_CONFIG, &config) != 0) {
        line->calls->lost(line->owner, -EPROTO);
        return;
    }
    line->started = true;
    line->calls->start(line->owner, (const char *)config.bytes, config.length);
}

static void pong(struct keeperline *line, const struct frame *frame)
{
    struct buffer out = {0};
    frame_begin(&out, TALK_PONG, frame->id);
    if (line->calls->ping != NULL)
        line->calls->ping(line->owner, &out);
    keeperline_tell(line, &out);
    buffer_free(&out);
}

static void stop(struct keeperline *line, const struct frame *frame)
{
    (void)frame;
    line->calls->stop(line->owner);
}

static void ask(struct keeperline *line, const struct frame *frame)
{
    line->calls->asked(line->owner, frame);
}

static void record(struct keeperline *line, const struct frame *frame)
{
    struct field limit;
    int64_t ms;
    if (fields_find(&frame->fields, TAG_LIMIT, &limit) != 0 ||
        field_number(&limit, &ms) != 0 || line->calls->record == NULL)
        line->calls->lost(line->owner, -EPROTO);
    else
        line->calls->record(line->owner, ms);
}

static const struct {
    enum talk_type type;
    void (*came)(struct keeperline *line, const struct frame *frame);
} COMES[] = {
    {TALK_START, start},   {TALK_DONE, answer},   {TALK_VALUES, answer},
    {TALK_EVENTS, answer}, {TALK_PING, pong},     {TALK_STOP, stop},
    {TALK_ASK, ask},       {TALK_SEALED, answer}, {TALK_SPOOLED, give_spool},
    {TALK_RECORD, record},
};

static void frame_came(void *owner, struct line *at, const struct frame *frame)
{
    struct keeperline *line = owner;
    (void)at;
    for (size_t i = 0; i < countof(COMES); i++) {
        if (COMES[i].type != frame->type)
            continue;
        COMES[i].came(line, frame);
        return;
    }
    line->calls->lost(line->owner, -EPROTO);
}

static void line_over(void *owner, struct line *at, int why)
{
    struct keeperline *line = owner;
    (void)at;
    line->calls->lost(line->owner, why);
}

static const struct line_calls LINE_CALLS = {.came = frame_came, .closed = line_over};

static int hello(struct keeperline *line)
{
    struct buffer out = {0};
    frame_begin(&out, TALK_HELLO, 0);
    frame_put_text(&out, TAG_VERSION, OUTPOST_VERSION);
    int err = keeperline_tell(line, &out);
    buffer_free(&out);
    return err;
}

int keeperline_open(struct keeperline **out, struct loop *loop, int fd,
                    const struct keeperline_calls *calls, void *owner)
{
    struct keeperline *line = mem_new(struct keeperline);
    line->calls = calls;
    line->owner = owner;
    int err = line_open(&line->line, loop, fd, &LINE_CALLS, line);
    if (!err)
        err = hello(line);
    if (err) {
        keeperline_close(line);
        return err;
    }
    *out = line;
    return 0;
}

void keeperline_close(struct keeperline *line)
{
    if (line == NULL)
        return;
    while (line->asked != NULL)
        unlink_question(line->asked);
    line_close(line->line);
    mem_free(line);
}

/* An id that nobody who still waits has; 0 means "nothing answers". */
static uint32_t fresh_id(struct keeperline *line)
{
    if (++line->last_id == 0)
        line->last_id = 1;
    return line->last_id;
}

static void set_id(struct buffer *frame, uint32_t id)
{
    struct buffer head = {0};
    frame_begin(&head, (uint8_t)frame->bytes[2], id);
    memcpy(frame->bytes, head.bytes, FRAME_HEAD);
    buffer_free(&head);
}

int keeperline_ask(struct keeperline *line, struct question *question,
                   struct buffer *frame)
{
    ASSERT(question->line == NULL && question->answered != NULL);
    question->id = fresh_id(line);
    set_id(frame, question->id);
    if (frame->bytes[2] == TALK_COMMIT &&
        line_queued(line->line) + frame->length > COMMITS_QUEUED_MAX)
        return -ENOBUFS;
    int err = line_send(line->line, frame);
    if (err)
        return err;
    question->line = line;
    question->next = line->asked;
    question->link = &line->asked;
    if (question->next != NULL)
        question->next->link = &question->next;
    line->asked = question;
    return 0;
}

void keeperline_forget(struct question *question)
{
    if (question->line != NULL)
        unlink_question(question);
}

int keeperline_take_descriptor(struct keeperline *line)
{
    return line_take_descriptor(line->line);
}

int keeperline_tell(struct keeperline *line, const struct buffer *frame)
{
    return line_send(line->line, frame);
}
