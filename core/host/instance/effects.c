/* effects - see effects.h.
 *
 * Invariant: frame.bytes[0 .. whole) is a well-formed COMMIT frame (or whole is 0), and whatever
 * lies behind it belongs to an effect that has been begun and not ended. */
#include "host/instance/effects.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "wire/talk.h"

/* The frame's buffer is given back when it has grown beyond KEEP_ROOM. FRAME_RESERVE is kept free
 * for one consumed mark. */
enum { KEEP_ROOM = 4096, FRAME_RESERVE = 256 };

bool effects_is_empty(const struct effects *effects)
{
    return effects->count == 0;
}

static void start_frame(struct effects *effects)
{
    if (effects->whole == 0) {
        frame_begin(&effects->frame, TALK_COMMIT, 0);
        effects->whole = effects->frame.length;
    }
    effects->frame.length = effects->whole; /* drops what was begun and not ended */
}

/* Every effect is one field whose value is fields, the last of them open: both marks are found
 * again from `whole`, so that nothing but the frame has to be remembered. */
static void begin(struct effects *effects, uint8_t tag)
{
    start_frame(effects);
    frame_open(&effects->frame, tag);
}

static void count_in(struct effects *effects)
{
    frame_close(&effects->frame, effects->whole);
    effects->whole = effects->frame.length;
    effects->count++;
}

static int end(struct effects *effects)
{
    if (effects->count == EFFECTS_MAX ||
        effects->frame.length > FRAME_MAX - FRAME_RESERVE) {
        effects->frame.length = effects->whole;
        return -E2BIG;
    }
    count_in(effects);
    return 0;
}

/* Closes the field of that tag inside the effect that is open. */
static void close_last(struct effects *effects, uint8_t tag)
{
    struct fields inside = {
        (const uint8_t *)effects->frame.bytes + effects->whole + FRAME_FIELD_HEAD,
        (const uint8_t *)effects->frame.bytes + effects->frame.length};
    struct field field;
    while (inside.next[0] != tag) {
        int more = fields_next(&inside, &field);
        ASSERT(more == 1);
    }
    frame_close(&effects->frame, (size_t)(inside.next - (uint8_t *)effects->frame.bytes));
}

struct buffer *effects_event_begin(struct effects *effects,
                                   const struct effects_event *event)
{
    begin(effects, TAG_EVENT);
    frame_put_text(&effects->frame, TAG_TYPE, event->type);
    if (event->has_time)
        frame_put_number(&effects->frame, TAG_TIME, event->time_us);
    if (event->subject != NULL)
        frame_put_text(&effects->frame, TAG_SUBJECT, event->subject);
    frame_open(&effects->frame, TAG_DATA);
    return &effects->frame;
}

int effects_event_end(struct effects *effects)
{
    close_last(effects, TAG_DATA);
    return end(effects);
}

struct buffer *effects_put_begin(struct effects *effects, const char *key)
{
    begin(effects, TAG_PUT);
    frame_put_text(&effects->frame, TAG_KEY, key);
    frame_open(&effects->frame, TAG_VALUE);
    return &effects->frame;
}

int effects_put_end(struct effects *effects)
{
    close_last(effects, TAG_VALUE);
    return end(effects);
}

int effects_remove(struct effects *effects, const char *key)
{
    begin(effects, TAG_REMOVE);
    frame_put_text(&effects->frame, TAG_KEY, key);
    return end(effects);
}

int effects_blob(struct effects *effects, const struct effects_blob *blob)
{
    begin(effects, TAG_BLOB);
    frame_put_text(&effects->frame, TAG_DIGEST, blob->digest);
    frame_put_text(&effects->frame, TAG_NAME, talk_class_name(blob->class));
    frame_put_number(&effects->frame, TAG_LIMIT, blob->keep_ms);
    if (blob->erases)
        frame_put(&effects->frame, TAG_MORE, "", 0);
    return end(effects);
}

void effects_consumed(struct effects *effects, const char *cursor, int64_t seq)
{
    begin(effects, TAG_CONSUMED);
    frame_put_text(&effects->frame, TAG_NAME, cursor);
    frame_put_number(&effects->frame, TAG_SEQ, seq);
    ASSERT(effects->frame.length <= FRAME_MAX);
    count_in(effects);
}

static int take_over(struct effects *effects, struct effects *more)
{
    effects_free(effects);
    *effects = *more;
    *more = (struct effects){0};
    return 0;
}

int effects_join(struct effects *effects, struct effects *more)
{
    if (more->count == 0)
        return 0;
    size_t length = more->whole - FRAME_HEAD;
    if (effects->count + more->count > EFFECTS_MAX ||
        effects->whole + length > FRAME_MAX - FRAME_RESERVE - FRAME_HEAD)
        return effects_is_empty(effects) ? take_over(effects, more) : -E2BIG;
    start_frame(effects);
    buffer_append(&effects->frame, more->frame.bytes + FRAME_HEAD, length);
    effects->whole = effects->frame.length;
    effects->count += more->count;
    effects_clear(more);
    return 0;
}

void effects_clear(struct effects *effects)
{
    effects->whole = 0;
    effects->count = 0;
    buffer_clear(&effects->frame);
    if (effects->frame.room > KEEP_ROOM)
        buffer_free(&effects->frame);
}

void effects_free(struct effects *effects)
{
    buffer_free(&effects->frame);
    *effects = (struct effects){0};
}

void effects_each(const struct buffer *frame, size_t whole,
                  void (*seen)(void *owner, const struct field *key,
                               const struct field *value),
                  void *owner)
{
    if (whole < FRAME_HEAD)
        return;
    struct fields fields = {(const uint8_t *)frame->bytes + FRAME_HEAD,
                            (const uint8_t *)frame->bytes + whole};
    struct field field, key, value;
    while (fields_next(&fields, &field) == 1) {
        if (field.tag != TAG_PUT && field.tag != TAG_REMOVE)
            continue;
        struct fields inside = field_inside(&field);
        if (fields_find(&inside, TAG_KEY, &key) != 0)
            continue;
        bool put = fields_find(&inside, TAG_VALUE, &value) == 0;
        seen(owner, &key, put ? &value : NULL);
    }
}

struct search {
    const char *key;
    size_t length;
    struct field *value;
    int found;
};

static void look(void *owner, const struct field *key, const struct field *value)
{
    struct search *search = owner;
    if (key->length != search->length ||
        memcmp(key->bytes, search->key, key->length) != 0)
        return;
    search->found = 1;
    *search->value = value != NULL ? *value : (struct field){0};
}

int effects_find(const struct buffer *frame, size_t whole, const char *key,
                 struct field *value)
{
    struct search search = {.key = key, .length = strlen(key), .value = value};
    effects_each(frame, whole, look, &search);
    return search.found;
}
