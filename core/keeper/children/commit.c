/* commit - see commit.h. Every field is foreign: a plugin's process may be anybody's. */
#include "keeper/children/commit.h"

#include <errno.h>
#include <string.h>

#include "base/hex.h"
#include "base/strict.h"
#include "keeper/children/holding.h"

/* 9999-12-31T23:59:59.999999Z: what RFC 3339 can say. */
static const int64_t TIME_MOST_US = 253402300799999999;

struct event_fields {
    char type[WORD_TYPE_MAX + 1];
    char subject[WORD_SUBJECT_MAX + 1];
    int64_t time_us;
    const char *data;
    size_t data_length;
};

static int read_event(struct event_fields *event, const struct field *field)
{
    struct fields fields = field_inside(field);
    struct field part;
    int more, err = 0;
    *event = (struct event_fields){0};
    while (!err && (more = fields_next(&fields, &part)) != 0) {
        if (more < 0)
            return more;
        if (part.tag == TAG_TYPE)
            err = field_text(&part, event->type, sizeof(event->type));
        else if (part.tag == TAG_SUBJECT)
            err = field_text(&part, event->subject, sizeof(event->subject));
        else if (part.tag == TAG_TIME)
            err = field_number(&part, &event->time_us);
        else if (part.tag == TAG_DATA) {
            event->data = (const char *)part.bytes;
            event->data_length = part.length;
        }
    }
    return err;
}

int commit_read_key(struct commit_key *key, const struct field *field)
{
    struct fields fields = field_inside(field);
    struct field part;
    *key = (struct commit_key){0};
    int err = fields_find(&fields, TAG_KEY, &part);
    if (!err)
        err = field_text(&part, key->key, sizeof(key->key));
    if (!err && key->key[0] == '\0')
        err = -EPROTO;
    if (!err && field->tag == TAG_PUT)
        err = fields_find(&fields, TAG_VALUE, &key->value);
    if (!err && key->value.length > TALK_VALUE_MAX)
        err = -EPROTO;
    return err ? -EPROTO : 0;
}

int commit_read_cursor(struct commit_cursor *cursor, const struct field *field)
{
    struct fields fields = field_inside(field);
    struct field part;
    int err = fields_find(&fields, TAG_NAME, &part);
    if (!err)
        err = field_text(&part, cursor->name, sizeof(cursor->name));
    if (!err)
        err = fields_find(&fields, TAG_SEQ, &part);
    if (!err)
        err = field_number(&part, &cursor->seq);
    return err || cursor->name[0] == '\0' || cursor->seq < -1 ? -EPROTO : 0;
}

int commit_read_blob(struct commit_blob *blob, const struct field *field)
{
    struct fields fields = field_inside(field);
    struct field part;
    char digits[TALK_DIGEST_HEX + 1], class[WORD_ID_MAX + 1];
    *blob = (struct commit_blob){.class = -1};
    if (fields_find(&fields, TAG_DIGEST, &part) != 0 || part.length != TALK_DIGEST_HEX ||
        field_text(&part, digits, sizeof(digits)) != 0 ||
        hex_decode(blob->digest.bytes, DIGEST_BYTES, digits) != 0 ||
        fields_find(&fields, TAG_NAME, &part) != 0 ||
        field_text(&part, class, sizeof(class)) != 0 ||
        fields_find(&fields, TAG_LIMIT, &part) != 0 ||
        field_number(&part, &blob->keep_ms) != 0)
        return -EPROTO;
    blob->is_prompt = fields_find(&fields, TAG_MORE, &part) == 0;
    blob->class = talk_class_of(class);
    if (blob->class == CLASS_CASE)
        blob->keep_ms = -1;
    bool fits = blob->keep_ms >= -1 && blob->keep_ms <= COMMIT_KEEP_MAX_MS;
    return blob->class >= 0 && fits ? 0 : -EINVAL;
}

/* One level is left for the event around it: the city reads no deeper than we do. */
static bool is_object(const char *data, size_t length)
{
    return data != NULL && strict_is_object(data, length, STRICT_DEPTH_MAX - 1);
}

static int refuse(struct buffer *why, const char *what, const char *got)
{
    buffer_printf(why, "%s: got \"%s\"", what, got);
    return -EINVAL;
}

static int check_event(struct commit *commit, const struct field *field,
                       struct buffer *why)
{
    struct event_fields event;
    if (read_event(&event, field) != 0) {
        buffer_append_text(why, "an event's fields are not as agreed");
        return -EPROTO;
    }
    int lane = config_lane(commit->plugin, event.type);
    if (lane < 0)
        return refuse(why, "expected an event type that the plugin declares", event.type);
    if (event.subject[0] != '\0' && !word_is_subject(event.subject))
        return refuse(why,
                      "subject: expected person/<id>, device/<kind>/<serial> or office",
                      event.subject);
    if (event.time_us < 0 || event.time_us > TIME_MOST_US)
        return refuse(why, "time: expected a time from 1970 to 9999", event.type);
    if (event.data_length > TALK_DATA_MAX || !is_object(event.data, event.data_length))
        return refuse(
            why,
            "data: expected one JSON object of at most 60 KiB, nested at most 31 "
            "deep",
            event.type);
    commit->events++;
    commit->has_alarm |= lane == LANE_ALARM;
    commit->has_record |= lane == LANE_RECORD;
    commit->has_telemetry |= lane == LANE_TELEMETRY;
    return 0;
}

static int check_blob(struct commit *commit, const struct field *field,
                      struct buffer *why)
{
    struct commit_blob blob;
    int err = commit_read_blob(&blob, field);
    if (err == -EPROTO)
        buffer_append_text(why, "a blob's fields are not as agreed");
    else if (err)
        buffer_append_text(why, "blob: expected a class, and at most 100 years");
    commit->blobs += !err;
    return err;
}

static int check_field(struct commit *commit, const struct field *field,
                       struct buffer *why)
{
    struct commit_key key;
    struct commit_cursor cursor;
    int err = -EPROTO;
    if (field->tag == TAG_EVENT)
        return check_event(commit, field, why);
    if (field->tag == TAG_BLOB)
        return check_blob(commit, field, why);
    if (field->tag == TAG_PUT || field->tag == TAG_REMOVE)
        err = commit_read_key(&key, field);
    else if (field->tag == TAG_CONSUMED) {
        err = commit_read_cursor(&cursor, field);
        if (!err && cursor.seq >= commit->size)
            return refuse(why, "consumed: expected an event that there is", cursor.name);
    }
    if (err)
        buffer_printf(why, "a field of tag %d is not as agreed", field->tag);
    return err;
}

int commit_check(struct commit *commit, const struct config_plugin *plugin, int64_t size,
                 const struct fields *fields, struct buffer *why)
{
    struct fields rest = *fields;
    struct field field;
    int more, err = 0;
    *commit = (struct commit){.plugin = plugin, .size = size, .fields = *fields};
    while (!err && (more = fields_next(&rest, &field)) != 0) {
        if (more < 0) {
            buffer_append_text(why, "the fields do not fit the frame");
            return more;
        }
        err = check_field(commit, &field, why);
        if (!err && ++commit->effects > TALK_EFFECTS_MAX + 1) {
            buffer_printf(why, "expected at most %d effects", TALK_EFFECTS_MAX);
            err = -EPROTO;
        }
    }
    return err;
}

static int apply_event(const struct commit *commit, struct journal *journal,
                       const struct field *field, int64_t *seq)
{
    struct event_fields event;
    char source[EVENT_SOURCE_MAX];
    int err = read_event(&event, field);
    if (err)
        return err;
    strcpy(source, commit->plugin->plugin);
    strcat(source, "/");
    strcat(source, commit->plugin->instance);
    struct event_draft draft = {
        .source = source,
        .type = event.type,
        .subject = event.subject[0] ? event.subject : NULL,
        .lane = (enum talk_lane)config_lane(commit->plugin, event.type),
        .time_us = event.time_us,
        .data = event.data,
        .data_length = event.data_length};
    return journal_append(journal, &draft, seq);
}

static bool is_skipped(const struct commit *commit, const struct field *field)
{
    struct event_fields event;
    return commit->skips_telemetry && field->tag == TAG_EVENT &&
           read_event(&event, field) == 0 &&
           config_lane(commit->plugin, event.type) == LANE_TELEMETRY;
}

static int apply_key(const struct commit *commit, struct journal *journal,
                     const struct field *field)
{
    struct commit_key key;
    const char *instance = commit->plugin->instance;
    int err = commit_read_key(&key, field);
    if (!err && commit->holding != NULL)
        err = holding_change(commit->holding, journal->store, field);
    if (err)
        return err;
    if (field->tag == TAG_REMOVE)
        return store_remove(journal->store, instance, key.key);
    return store_put(journal->store, instance, key.key, key.value.bytes,
                     key.value.length);
}

static int apply_cursor(const struct commit *commit, struct journal *journal,
                        const struct field *field)
{
    struct commit_cursor cursor;
    int err = commit_read_cursor(&cursor, field);
    if (err)
        return err;
    return store_put_cursor(journal->store, commit->plugin->instance, cursor.name,
                            cursor.seq);
}

int commit_apply(const struct commit *commit, struct journal *journal, int64_t *first)
{
    struct fields rest = commit->fields;
    struct field field;
    int err = 0;
    *first = -1;
    while (!err && fields_next(&rest, &field) > 0) {
        int64_t seq = -1;
        if (field.tag == TAG_BLOB || is_skipped(commit, &field))
            continue;
        if (field.tag == TAG_EVENT)
            err = apply_event(commit, journal, &field, &seq);
        else if (field.tag == TAG_CONSUMED)
            err = apply_cursor(commit, journal, &field);
        else
            err = apply_key(commit, journal, &field);
        if (*first < 0)
            *first = seq;
    }
    return err;
}
