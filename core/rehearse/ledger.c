/* ledger - see ledger.h.
 *
 * What the host may not send is refused as the keeper does it; what it cannot send (effects.c makes
 * the frames) is not looked for again. */
#include "rehearse/ledger.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/mem.h"
#include "base/now.h"
#include "rehearse/blobs.h"

/* ---- Events */

int ledger_declare(struct ledger *ledger, const char *type, enum talk_lane lane)
{
    if (!word_is_type(type))
        return -EINVAL;
    if (ledger->type_count == LEDGER_TYPES_MAX)
        return -E2BIG;
    struct ledger_type *declared = &ledger->types[ledger->type_count++];
    strcpy(declared->type, type);
    declared->lane = lane;
    return 0;
}

static int lane_of(const struct ledger *ledger, const char *type)
{
    for (size_t i = 0; i < ledger->type_count; i++)
        if (strcmp(ledger->types[i].type, type) == 0)
            return (int)ledger->types[i].lane;
    return -1;
}

/* The members in the order of the keeper's (keeper/journal/event.c); nothing in them is left to chance. */
static void compose(const struct ledger *ledger, struct buffer *out,
                    const struct ledger_draft *draft)
{
    char time[NOW_TEXT_ROOM], recorded[NOW_TEXT_ROOM];
    int64_t seq = ledger->next_seq;
    const char *office = ledger->office[0] ? ledger->office : LEDGER_OFFICE;
    now_format(recorded, now_utc_us());
    now_format(time, draft->time_us ? draft->time_us : now_utc_us());
    buffer_printf(out,
                  "{\"specversion\":\"1.0\",\"id\":\"%s/" LEDGER_LOG "/%" PRId64
                  "\",\"source\":\"/%s/%s\",\"type\":\"%s\",\"time\":\"%s\","
                  "\"subject\":\"%s\",",
                  office, seq, office, draft->source ? draft->source : ledger->source,
                  draft->type, time, draft->subject ? draft->subject : "office");
    buffer_printf(out,
                  "\"datacontenttype\":\"application/json\",\"office\":\"%s"
                  "\",\"log\":\"" LEDGER_LOG "\",\"sequence\":\"%016" PRId64
                  "\",\"lane\":\"%s\",\"recorded\":\"%s\",\"boot\":\"rehearsal\","
                  "\"mono\":\"%" PRId64 "\",\"clock\":\"synced\",\"salt\":\"%032d\","
                  "\"data\":",
                  office, seq, talk_lane_name(draft->lane), recorded, now_mono_us(), 0);
    buffer_append(out, draft->data, draft->data_length);
    buffer_append(out, "}", 1);
}

static struct ledger_event *add_event(struct ledger *ledger, int64_t seq,
                                      const char *type, const void *body, size_t length)
{
    if (ledger->event_count == ledger->event_room) {
        ledger->event_room = ledger->event_room ? 2 * ledger->event_room : 64;
        ledger->events =
            mem_resize(ledger->events, ledger->event_room * sizeof(*ledger->events));
    }
    struct ledger_event *event = &ledger->events[ledger->event_count++];
    *event = (struct ledger_event){
        .seq = seq, .body = mem_copy(body, length), .length = length};
    snprintf(event->type, sizeof(event->type), "%s", type);
    ledger->bytes += length + sizeof(*event);
    ledger->next_seq = seq + 1;
    return event;
}

int64_t ledger_append(struct ledger *ledger, const struct ledger_draft *draft)
{
    struct buffer body = {0};
    compose(ledger, &body, draft);
    struct ledger_event *event =
        add_event(ledger, ledger->next_seq, draft->type, body.bytes, body.length);
    event->lane = draft->lane;
    event->own = draft->source == NULL;
    buffer_free(&body);
    return event->seq;
}

void ledger_give(struct ledger *ledger, int64_t seq, const char *type,
                 enum talk_lane lane, const void *body, size_t length)
{
    add_event(ledger, seq, type, body, length)->lane = lane;
}

int64_t ledger_end(const struct ledger *ledger)
{
    return ledger->forgotten + (int64_t)ledger->event_count;
}

void ledger_forget(struct ledger *ledger, int64_t place)
{
    size_t count = place > ledger->forgotten ? (size_t)(place - ledger->forgotten) : 0;
    ASSERT(count <= ledger->event_count);
    for (size_t i = 0; i < count; i++) {
        ledger->bytes -= ledger->events[i].length + sizeof(*ledger->events);
        mem_free(ledger->events[i].body);
    }
    ledger->event_count -= count;
    ledger->forgotten += (int64_t)count;
    if (count > 0)
        memmove(ledger->events, ledger->events + count,
                ledger->event_count * sizeof(*ledger->events));
}

/* ---- Keys */

size_t ledger_at(const struct ledger *ledger, const char *key)
{
    size_t low = 0, high = ledger->row_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(ledger->rows[middle].key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct ledger_row *ledger_get(const struct ledger *ledger, const char *key)
{
    size_t at = ledger_at(ledger, key);
    bool there = at < ledger->row_count && strcmp(ledger->rows[at].key, key) == 0;
    return there ? &ledger->rows[at] : NULL;
}

static void make_room(struct ledger *ledger, size_t at, const char *key)
{
    if (ledger->row_count == ledger->row_room) {
        ledger->row_room = ledger->row_room ? 2 * ledger->row_room : 64;
        ledger->rows = mem_resize(ledger->rows, ledger->row_room * sizeof(*ledger->rows));
    }
    struct ledger_row *row = &ledger->rows[at];
    memmove(row + 1, row, (ledger->row_count++ - at) * sizeof(*row));
    *row = (struct ledger_row){0};
    snprintf(row->key, sizeof(row->key), "%s", key);
}

int ledger_put(struct ledger *ledger, const char *key, const void *value, size_t length)
{
    size_t at = ledger_at(ledger, key);
    bool there = at < ledger->row_count && strcmp(ledger->rows[at].key, key) == 0;
    if (!there && ledger->row_count == TALK_STORE_KEYS_MAX)
        return -E2BIG;
    if (!there)
        make_room(ledger, at, key);
    ledger->stored += (int64_t)length - (int64_t)ledger->rows[at].length +
                      (there ? 0 : (int64_t)strlen(key));
    mem_free(ledger->rows[at].value);
    ledger->rows[at].value = mem_copy(value, length);
    ledger->rows[at].length = length;
    return 0;
}

static void remove_row(struct ledger *ledger, const char *key)
{
    size_t at = ledger_at(ledger, key);
    struct ledger_row *row = &ledger->rows[at];
    if (at == ledger->row_count || strcmp(row->key, key) != 0)
        return;
    ledger->stored -= (int64_t)(strlen(key) + row->length);
    mem_free(row->value);
    memmove(row, row + 1, (--ledger->row_count - at) * sizeof(*row));
}

/* ---- Cursors */

int64_t ledger_cursor(const struct ledger *ledger, const char *name)
{
    for (size_t i = 0; i < ledger->cursor_count; i++)
        if (strcmp(ledger->cursors[i].name, name) == 0)
            return ledger->cursors[i].seq;
    return -1;
}

/* What is forgotten every handler has been given. */
int64_t ledger_place(const struct ledger *ledger, const char *cursor)
{
    int64_t seq = ledger_cursor(ledger, cursor);
    size_t at = ledger->event_count;
    while (at > 0 && ledger->events[at - 1].seq != seq)
        at--;
    return ledger->forgotten + (int64_t)at;
}

static void put_cursor(struct ledger *ledger, const char *name, int64_t seq)
{
    size_t at = 0;
    while (at < ledger->cursor_count && strcmp(ledger->cursors[at].name, name) != 0)
        at++;
    ASSERT(at < LEDGER_CURSORS_MAX); /* a plugin has at most 256 subscriptions */
    ledger->cursor_count += at == ledger->cursor_count;
    strcpy(ledger->cursors[at].name, name);
    ledger->cursors[at].seq = seq;
}

/* ---- A commit */

/* One field of a COMMIT, taken apart. */
struct effect {
    char name[WORD_SUBJECT_MAX + 1]; /* the event's type, the key, the cursor */
    char subject[WORD_SUBJECT_MAX + 1];
    char digest[TALK_DIGEST_HEX + 1]; /* of a blob, whose name is its class */
    int64_t number; /* the event's time, the cursor's sequence, how long a blob is kept */
    bool has_more;
    struct field value;
};

static int read_part(struct effect *effect, const struct field *part)
{
    switch (part->tag) {
    case TAG_TYPE:
    case TAG_KEY:
    case TAG_NAME:
        return field_text(part, effect->name, sizeof(effect->name));
    case TAG_SUBJECT:
        return field_text(part, effect->subject, sizeof(effect->subject));
    case TAG_DIGEST:
        return field_text(part, effect->digest, sizeof(effect->digest));
    case TAG_MORE:
        effect->has_more = true;
        return 0;
    case TAG_TIME:
    case TAG_SEQ:
    case TAG_LIMIT:
        return field_number(part, &effect->number);
    default:
        effect->value = *part;
        return 0;
    }
}

static int read_effect(struct effect *effect, const struct field *field)
{
    struct fields inside = field_inside(field);
    struct field part;
    int more, err = 0;
    *effect = (struct effect){0};
    while (!err && (more = fields_next(&inside, &part)) != 0)
        err = more < 0 ? more : read_part(effect, &part);
    return err;
}

/* As the keeper says it of one that this process has not sealed. */
static int check_blob(const struct ledger *ledger, const struct effect *effect,
                      struct buffer *text)
{
    if (talk_class_of(effect->name) >= 0 && ledger->blobs != NULL &&
        blobs_have(ledger->blobs, effect->digest))
        return 0;
    buffer_printf(text, "blob: expected one that was sealed or is stored: got \"%s\"",
                  effect->digest);
    return EINVAL;
}

static int check(const struct ledger *ledger, const struct field *field,
                 struct buffer *said, struct buffer *text)
{
    static const char *const WORDS[] = {[TAG_EVENT] = "",
                                        [TAG_PUT] = "put ",
                                        [TAG_REMOVE] = "remove ",
                                        [TAG_CONSUMED] = "consumed ",
                                        [TAG_BLOB] = "blob "};
    struct effect effect;
    if (field->tag >= countof(WORDS) || WORDS[field->tag] == NULL ||
        read_effect(&effect, field) != 0) {
        buffer_append_text(text, "a field is not as agreed");
        return EPROTO;
    }
    buffer_printf(said, "%s%s%s", said->length ? " " : "", WORDS[field->tag],
                  effect.name);
    if (field->tag == TAG_BLOB)
        return check_blob(ledger, &effect, text);
    if (field->tag == TAG_EVENT && lane_of(ledger, effect.name) < 0) {
        buffer_printf(text, "expected an event type that the plugin declares: got \"%s\"",
                      effect.name);
        return EINVAL;
    }
    if (field->tag == TAG_CONSUMED && strlen(effect.name) > WORD_ID_MAX) {
        buffer_append_text(text, "consumed: the name of the cursor is too long");
        return EPROTO;
    }
    if (field->tag == TAG_CONSUMED && effect.number >= ledger->next_seq) {
        buffer_printf(text, "consumed: expected an event that there is: got \"%s\"",
                      effect.name);
        return EINVAL;
    }
    return 0;
}

/* ---- The bound of the store, as the keeper holds to it (holding.c) */

struct sum {
    int64_t keys, bytes;
};

static int64_t size_after(const struct field *field, const struct effect *effect)
{
    return field->tag == TAG_PUT ? (int64_t)(strlen(effect->name) + effect->value.length)
                                 : 0;
}

/* What the key is when the fields before this one are applied. */
static int64_t size_before(const struct ledger *ledger, const struct fields *fields,
                           const struct field *until, const char *key)
{
    const struct ledger_row *row = ledger_get(ledger, key);
    int64_t size = row != NULL ? (int64_t)(strlen(key) + row->length) : 0;
    struct fields rest = *fields;
    struct field field;
    struct effect effect;
    while (fields_next(&rest, &field) > 0 && field.bytes != until->bytes)
        if ((field.tag == TAG_PUT || field.tag == TAG_REMOVE) &&
            read_effect(&effect, &field) == 0 && strcmp(effect.name, key) == 0)
            size = size_after(&field, &effect);
    return size;
}

/* `is_most`: as if nothing were replaced, which takes no looking up. */
static struct sum weigh(const struct ledger *ledger, const struct fields *fields,
                        bool is_most)
{
    struct sum sum = {(int64_t)ledger->row_count, ledger->stored};
    struct fields rest = *fields;
    struct field field;
    struct effect effect;
    while (fields_next(&rest, &field) > 0) {
        if ((field.tag != TAG_PUT && field.tag != TAG_REMOVE) ||
            read_effect(&effect, &field) != 0)
            continue;
        int64_t before = is_most ? 0 : size_before(ledger, fields, &field, effect.name);
        int64_t after = size_after(&field, &effect);
        sum.keys += (after > 0) - (before > 0);
        sum.bytes += after - before;
    }
    return sum;
}

static bool is_too_much(struct sum sum)
{
    return sum.keys > TALK_STORE_KEYS_MAX || sum.bytes > TALK_STORE_BYTES_MAX;
}

static int check_store(const struct ledger *ledger, const struct fields *fields,
                       struct buffer *text)
{
    if (!is_too_much(weigh(ledger, fields, true)))
        return 0;
    struct sum sum = weigh(ledger, fields, false);
    if (!is_too_much(sum))
        return 0;
    buffer_printf(text,
                  "store: expected at most %d keys and %d KiB in all, this would make it "
                  "%lld keys and %lld KiB",
                  TALK_STORE_KEYS_MAX, TALK_STORE_BYTES_MAX / 1024, (long long)sum.keys,
                  (long long)((sum.bytes + 1023) / 1024));
    return EDQUOT;
}

static void apply(struct ledger *ledger, const struct field *field, bool by_event,
                  int64_t *first)
{
    struct effect effect;
    read_effect(&effect, field);
    if (field->tag == TAG_PUT) {
        ledger_put(ledger, effect.name, effect.value.bytes, effect.value.length);
    } else if (field->tag == TAG_REMOVE) {
        remove_row(ledger, effect.name);
    } else if (field->tag == TAG_CONSUMED) {
        put_cursor(ledger, effect.name, effect.number);
    } else if (field->tag == TAG_BLOB) {
        blobs_keep(ledger->blobs, effect.digest,
                   (enum talk_class)talk_class_of(effect.name), effect.number,
                   effect.has_more);
    } else {
        struct ledger_draft draft = {.type = effect.name,
                                     .subject = effect.subject[0] ? effect.subject : NULL,
                                     .lane = (enum talk_lane)lane_of(ledger, effect.name),
                                     .time_us = effect.number,
                                     .data = (const char *)effect.value.bytes,
                                     .data_length = effect.value.length};
        if (ledger->told != NULL)
            ledger->told(ledger->owner, &draft, by_event);
        int64_t seq = ledger_append(ledger, &draft);
        *first = *first < 0 ? seq : *first;
    }
}

int ledger_commit(struct ledger *ledger, const struct fields *fields, int64_t *first,
                  struct buffer *said, struct buffer *text)
{
    struct fields rest = *fields;
    struct field field;
    *first = -1;
    while (fields_next(&rest, &field) > 0) {
        int err = check(ledger, &field, said, text);
        if (err)
            return err;
    }
    int err = check_store(ledger, fields, text);
    if (err)
        return err;
    bool by_event = fields_find(fields, TAG_CONSUMED, &field) == 0;
    for (rest = *fields; fields_next(&rest, &field) > 0;)
        apply(ledger, &field, by_event, first);
    return 0;
}

void ledger_free(struct ledger *ledger)
{
    for (size_t i = 0; i < ledger->event_count; i++)
        mem_free(ledger->events[i].body);
    for (size_t i = 0; i < ledger->row_count; i++)
        mem_free(ledger->rows[i].value);
    mem_free(ledger->events);
    mem_free(ledger->rows);
    *ledger = (struct ledger){0};
}
