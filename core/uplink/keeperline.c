/* keeperline - see keeperline.h.
 *
 * Invariant: at most one RECEIPT is under way (`receipt_id` != 0) and at most one waits. */
#include "uplink/keeperline.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/base.h"
#include "base/log.h"
#include "base/mem.h"
#include "wire/tether.h"

enum { RECEIPT_ID = 0x80000000u }; /* fetches have smaller ids */

struct keeperline {
    struct tether tether;
    const struct keeperline_calls *calls;
    void *owner;
    struct buffer waiting; /* the newest receipt not yet handed on */
    bool receipt_under_way;
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

static int find_number(const struct fields *fields, uint8_t tag, int64_t *number)
{
    struct field field;
    int err = fields_find(fields, tag, &field);
    return err ? err : field_number(&field, number);
}

static int came_mark(struct keeperline *keeper, const struct frame *frame)
{
    int64_t lane, seq;
    int err = find_number(&frame->fields, TAG_LANE, &lane);
    if (!err)
        err = find_number(&frame->fields, TAG_SEQ, &seq);
    if (!err && (lane < 0 || lane >= LANES || seq < -1))
        err = -EPROTO;
    if (!err)
        keeper->calls->mark(keeper->owner, (enum talk_lane)lane, seq);
    return err;
}

static int came_checkpoint(struct keeperline *keeper, const struct frame *frame)
{
    struct field note;
    int err = fields_find(&frame->fields, TAG_TEXT, &note);
    if (!err)
        keeper->calls->checkpoint(keeper->owner, note.bytes, note.length);
    return err;
}

static int read_entry(struct keeperline_entry *entry, const struct field *field)
{
    struct fields inside = field_inside(field);
    struct field body;
    int err = find_number(&inside, TAG_SEQ, &entry->seq);
    if (!err)
        err = fields_find(&inside, TAG_BODY, &body);
    if (err)
        return err;
    entry->body = body.bytes;
    entry->length = body.length;
    return 0;
}

/* When there are more entries than fit, the answer is taken as if it ended there. */
static int came_events(struct keeperline *keeper, const struct frame *frame)
{
    static struct keeperline_entry
        entries[KEEPERLINE_ENTRIES]; /* one thread, no recursion */
    struct fields rest = frame->fields;
    struct field field;
    size_t count = 0;
    int64_t next;
    int err = find_number(&rest, TAG_SEQ, &next);
    int more = 0;
    while (!err && (more = fields_next(&rest, &field)) > 0) {
        if (field.tag != TAG_ENTRY)
            continue;
        if (count == KEEPERLINE_ENTRIES) {
            next = entries[count - 1].seq + 1;
            break;
        }
        err = read_entry(&entries[count++], &field);
    }
    if (err || more < 0)
        return -EPROTO;
    keeper->calls->events(keeper->owner, frame->id, entries, count, next);
    return 0;
}

static void send_receipt(struct keeperline *keeper)
{
    tether_begin(&keeper->tether, TALK_RECEIPT, RECEIPT_ID);
    frame_put(&keeper->tether.frame, TAG_TEXT, keeper->waiting.bytes,
              keeper->waiting.length);
    buffer_clear(&keeper->waiting);
    keeper->receipt_under_way = true;
    tether_give(&keeper->tether);
}

static int came_done(struct keeperline *keeper, const struct frame *frame)
{
    int64_t error;
    struct field field;
    char text[256] = "";
    int err = find_number(&frame->fields, TAG_ERROR, &error);
    if (err || frame->id != RECEIPT_ID || !keeper->receipt_under_way)
        return -EPROTO;
    if (fields_find(&frame->fields, TAG_TEXT, &field) == 0)
        field_text(&field, text, sizeof(text));
    if (error != 0)
        log_warn("the keeper does not accept a receipt: %s (%s)", text,
                 strerror((int)error));
    keeper->receipt_under_way = false;
    if (keeper->waiting.length > 0)
        send_receipt(keeper);
    else
        keeper->calls->receipted(keeper->owner);
    return 0;
}

static int came_stop(struct keeperline *keeper, const struct frame *frame)
{
    (void)frame;
    keeper->calls->stop(keeper->owner);
    return 0;
}

static int (*const CAME[TALK_TYPES])(struct keeperline *, const struct frame *) = {
    [TALK_START] = came_start,
    [TALK_MARK] = came_mark,
    [TALK_CHECKPOINT] = came_checkpoint,
    [TALK_EVENTS] = came_events,
    [TALK_DONE] = came_done,
    [TALK_STOP] = came_stop,
};

static int came(struct tether *tether, const struct frame *frame)
{
    struct keeperline *keeper = container_of(tether, struct keeperline, tether);
    if (frame->type >= TALK_TYPES || CAME[frame->type] == NULL)
        return -EPROTO;
    return CAME[frame->type](keeper, frame);
}

static void closed(struct tether *tether)
{
    struct keeperline *keeper = container_of(tether, struct keeperline, tether);
    keeper->calls->closed(keeper->owner);
}

static const struct tether_calls CALLS = {.came = came, .closed = closed};

/* ---- What the uplink says */

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
    buffer_free(&keeper->waiting);
    mem_free(keeper);
}

void keeperline_fetch(struct keeperline *keeper, uint32_t id, enum talk_lane lane,
                      int64_t from, int64_t most_bytes)
{
    tether_begin(&keeper->tether, TALK_FETCH, id);
    frame_put_number(&keeper->tether.frame, TAG_LANE, lane);
    frame_put_number(&keeper->tether.frame, TAG_SEQ, from);
    frame_put_number(&keeper->tether.frame, TAG_LIMIT, most_bytes);
    tether_give(&keeper->tether);
}

void keeperline_cancel(struct keeperline *keeper, uint32_t id)
{
    tether_begin(&keeper->tether, TALK_CANCEL, id);
    tether_give(&keeper->tether);
}

void keeperline_receipt(struct keeperline *keeper, const void *note, size_t length)
{
    buffer_clear(&keeper->waiting);
    buffer_append(&keeper->waiting, note, length);
    if (!keeper->receipt_under_way)
        send_receipt(keeper);
}

void keeperline_health(struct keeperline *keeper, const char *json)
{
    tether_health(&keeper->tether, json);
}

void keeperline_stalled(struct keeperline *keeper, enum talk_lane lane, const char *why)
{
    tether_begin(&keeper->tether, TALK_STALLED, 0);
    frame_put_number(&keeper->tether.frame, TAG_LANE, lane);
    frame_put_text(&keeper->tether.frame, TAG_TEXT, why == NULL ? "" : why);
    tether_give(&keeper->tether);
}
