/* batch - see batch.h.
 *
 * An element's extent is found by counting braces outside of texts; json_parse() then demands that
 * exactly these bytes are one JSON object, so the two can not disagree about where it ends. */
#include "city/batch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/now.h"
#include "proof/squeeze.h"

enum { SEQ_DIGITS_LEAST = 16, SEQ_DIGITS_MOST = 18 };

__attribute__((format(printf, 2, 3))) static int refuse(char why[BATCH_WHY_ROOM],
                                                        const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vsnprintf(why, BATCH_WHY_ROOM, format, values);
    va_end(values);
    return -EPROTO;
}

/* ---- One event */

static bool is_utf8(const unsigned char *at, size_t length)
{
    for (size_t i = 0; i < length;) {
        size_t more = at[i] < 0x80   ? 0
                      : at[i] < 0xc2 ? 4
                      : at[i] < 0xe0 ? 1
                      : at[i] < 0xf0 ? 2
                      : at[i] < 0xf5 ? 3
                                     : 4;
        if (at[i] == '\0' || more == 4 || more >= length - i)
            return false;
        for (size_t k = 1; k <= more; k++)
            if ((at[i + k] & 0xc0) != 0x80)
                return false;
        bool bad =
            (at[i] == 0xe0 && at[i + 1] < 0xa0) || (at[i] == 0xed && at[i + 1] > 0x9f) ||
            (at[i] == 0xf0 && at[i + 1] < 0x90) || (at[i] == 0xf4 && at[i + 1] > 0x8f);
        if (bad)
            return false;
        i += more + 1;
    }
    return true;
}

static int read_seq(int64_t *seq, const char *text)
{
    size_t digits = text == NULL ? 0 : strspn(text, "0123456789");
    if (digits < SEQ_DIGITS_LEAST || digits > SEQ_DIGITS_MOST || text[digits] != '\0')
        return -EPROTO;
    *seq = strtoll(text, NULL, 10);
    return 0;
}

static int read_text(char *out, size_t room, const struct json *json, const char *name)
{
    const char *text = json_text(json, name);
    if (text == NULL || strlen(text) >= room)
        return -EPROTO;
    strcpy(out, text);
    return 0;
}

static bool text_is(const struct json *json, const char *name, const char *expected)
{
    const char *text = json_text(json, name);
    return text != NULL && strcmp(text, expected) == 0;
}

static int read_times(struct batch_event *event, const struct json *json)
{
    int64_t ignored;
    int err = read_text(event->time, sizeof(event->time), json, "time");
    if (!err)
        err = read_text(event->recorded, sizeof(event->recorded), json, "recorded");
    if (!err)
        err = now_parse(&ignored, event->time);
    return err ? err : now_parse(&ignored, event->recorded);
}

static int read_subject(struct batch_event *event, const struct json *json)
{
    event->subject[0] = '\0';
    if (json_get(json, "subject") == NULL)
        return 0;
    int err = read_text(event->subject, sizeof(event->subject), json, "subject");
    return !err && word_is_subject(event->subject) ? 0 : -EPROTO;
}

static bool id_fits(const struct batch_event *event, const struct json *json,
                    const char *office, const char *log)
{
    char id[2 * WORD_ID_MAX + 24];
    snprintf(id, sizeof(id), "%s/%s/%" PRId64, office, log, event->seq);
    return text_is(json, "id", id);
}

static bool source_fits(const struct json *json, const char *office)
{
    const char *source = json_text(json, "source");
    size_t length = strlen(office);
    return source != NULL && source[0] == '/' &&
           strncmp(source + 1, office, length) == 0 && source[1 + length] == '/';
}

static int read_members(struct batch_event *event, const struct json *json,
                        const char *office, const char *log, enum talk_lane lane,
                        char *why)
{
    if (!json_is_object(json) || !text_is(json, "specversion", "1.0"))
        return refuse(why, "expected CloudEvents 1.0 objects");
    if (!text_is(json, "office", office) || !source_fits(json, office))
        return refuse(why, "an event is not of office %s", office);
    if (!text_is(json, "log", log))
        return refuse(why, "an event is not of log %s", log);
    if (!text_is(json, "lane", talk_lane_name(lane)))
        return refuse(why, "an event is not of lane %s", talk_lane_name(lane));
    if (read_seq(&event->seq, json_text(json, "sequence")) != 0)
        return refuse(why, "sequence: expected 16 to 18 digits");
    if (!id_fits(event, json, office, log))
        return refuse(why, "event %" PRId64 ": id: expected office/log/sequence",
                      event->seq);
    if (read_text(event->type, sizeof(event->type), json, "type") != 0 ||
        !word_is_type(event->type))
        return refuse(why, "event %" PRId64 ": type: expected an event type", event->seq);
    if (read_times(event, json) != 0)
        return refuse(why, "event %" PRId64 ": time, recorded: expected RFC 3339 in UTC",
                      event->seq);
    if (read_subject(event, json) != 0)
        return refuse(why, "event %" PRId64 ": subject: expected a subject", event->seq);
    return 0;
}

int batch_read_event(struct batch_event *event, const char *office, const char *log,
                     enum talk_lane lane, char why[BATCH_WHY_ROOM])
{
    struct json *json;
    if (event->length > TALK_EVENT_MAX)
        return refuse(why, "an event of %zu bytes: expected at most %d", event->length,
                      TALK_EVENT_MAX);
    if (!is_utf8((const unsigned char *)event->bytes, event->length))
        return refuse(why, "expected UTF-8");
    if (json_parse(&json, event->bytes, event->length) != 0)
        return refuse(why, "expected JSON");
    int err = read_members(event, json, office, log, lane, why);
    json_free(json);
    return err;
}

/* ---- The array */

static const char *skip_space(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
        at++;
    return at;
}

/* Just behind the object that begins at `at`, or NULL. */
static const char *object_end(const char *at, const char *end)
{
    int depth = 0;
    bool quoted = false;
    for (; at < end; at++) {
        if (quoted) {
            if (*at == '\\')
                at++;
            else if (*at == '"')
                quoted = false;
        } else if (*at == '"') {
            quoted = true;
        } else if (*at == '{') {
            depth++;
        } else if (*at == '}' && --depth == 0) {
            return at + 1;
        }
    }
    return NULL;
}

static struct batch_event *add_event(struct batch *batch)
{
    if (batch->events == NULL) /* zeroed pages cost nothing until they are used */
        batch->events = mem_zeroed(BATCH_EVENTS_MAX * sizeof(batch->events[0]));
    return &batch->events[batch->count++];
}

static int read_element(struct batch *batch, const char **at, const char *end, char *why)
{
    int64_t before =
        batch->count == 0 ? batch->prev : batch->events[batch->count - 1].seq;
    const char *behind = *at < end && **at == '{' ? object_end(*at, end) : NULL;
    if (behind == NULL)
        return refuse(why, "expected an array of objects");
    if (batch->count == BATCH_EVENTS_MAX)
        return refuse(why, "expected at most %d events", BATCH_EVENTS_MAX);
    struct batch_event *event = add_event(batch);
    event->bytes = *at;
    event->length = (size_t)(behind - *at);
    int err = batch_read_event(event, batch->office, batch->log, batch->lane, why);
    if (err)
        return err;
    if (event->seq <= before)
        return refuse(why, "event %" PRId64 ": expected a sequence above %" PRId64,
                      event->seq, before);
    *at = skip_space(behind, end);
    return 0;
}

static int read_array(struct batch *batch, const char *at, const char *end, char *why)
{
    at = skip_space(at, end);
    if (at == end || *at != '[')
        return refuse(why, "expected a JSON array");
    do {
        at = skip_space(at + 1, end);
        int err = read_element(batch, &at, end, why);
        if (err)
            return err;
    } while (at < end && *at == ',');
    if (at == end || *at != ']' || skip_space(at + 1, end) != end)
        return refuse(why, "expected the end of the array behind an event");
    return 0;
}

static int read_number(int64_t *number, const char *text)
{
    if (text == NULL || *text == '\0' || strlen(text) > SEQ_DIGITS_MOST)
        return -EPROTO;
    char *end;
    *number = strtoll(text, &end, 10);
    return *end == '\0' && *number >= -1 && strspn(text, "-0123456789") == strlen(text)
               ? 0
               : -EPROTO;
}

static int read_claim(struct batch *batch, const struct batch_claim *claim, char *why)
{
    if (claim->log == NULL || !word_is_id(claim->log))
        return refuse(why, "property log: expected an id");
    if (claim->lane_name == NULL ||
        strcmp(claim->lane_name, talk_lane_name(claim->lane)) != 0)
        return refuse(why, "property lane: expected %s, as in the topic",
                      talk_lane_name(claim->lane));
    if (read_number(&batch->prev, claim->prev) != 0)
        return refuse(why, "property prev: expected a sequence or -1");
    if (read_number(&batch->last, claim->last) != 0 || batch->last <= batch->prev)
        return refuse(why, "property last: expected a sequence above prev");
    snprintf(batch->office, sizeof(batch->office), "%s", claim->office);
    snprintf(batch->log, sizeof(batch->log), "%s", claim->log);
    batch->lane = claim->lane;
    return 0;
}

/* Makes *payload and *length those of the array itself. */
static int unpack(struct batch *batch, const struct batch_claim *claim,
                  const void **payload, size_t *length, char *why)
{
    if (*length > BATCH_BYTES_MAX)
        return refuse(why, "%zu bytes: expected at most %d", *length, BATCH_BYTES_MAX);
    if (claim->encoding == NULL)
        return 0;
    if (strcmp(claim->encoding, "zstd") != 0)
        return refuse(why, "property content-encoding: expected zstd or none");
    buffer_clear(&batch->plain);
    if (squeeze_get(&batch->plain, *payload, *length, BATCH_BYTES_MAX) != 0)
        return refuse(why, "expected one zstd frame of known size, at most %d bytes",
                      BATCH_BYTES_MAX);
    *payload = batch->plain.bytes;
    *length = batch->plain.length;
    return 0;
}

int batch_read(struct batch *batch, const struct batch_claim *claim, const void *payload,
               size_t length, char why[BATCH_WHY_ROOM])
{
    batch->count = 0;
    int err = unpack(batch, claim, &payload, &length, why);
    if (!err)
        err = read_claim(batch, claim, why);
    if (!err)
        err = length == 0
                  ? refuse(why, "expected a JSON array")
                  : read_array(batch, payload, (const char *)payload + length, why);
    if (!err && batch->events[batch->count - 1].seq != batch->last)
        err =
            refuse(why, "property last: expected %" PRId64 ", the last event's sequence",
                   batch->events[batch->count - 1].seq);
    return err;
}

void batch_free(struct batch *batch)
{
    mem_free(batch->events);
    buffer_free(&batch->plain);
    memset(batch, 0, sizeof(*batch));
}
