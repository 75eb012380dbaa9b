/* event - see event.h.
 *
 * Members stand in the order of design.md, so that event_type() finds the type without parsing;
 * nothing in front of it can hold a quote. */
#include "keeper/event.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/hex.h"
#include "base/now.h"
#include "base/random.h"

enum { SALT_BYTES = 16 };

static const char TYPE_MEMBER[] = "\",\"type\":\"";

int event_compose(struct buffer *out, const struct event_draft *draft,
                  const struct event_stamp *stamp)
{
    char time[NOW_TEXT_ROOM], recorded[NOW_TEXT_ROOM], salt_text[2 * SALT_BYTES + 1];
    uint8_t salt[SALT_BYTES];
    size_t before = out->length;
    int64_t now_us = now_utc_us();
    now_format(recorded, now_us);
    now_format(time, draft->time_us ? draft->time_us : now_us);
    random_bytes(salt, sizeof(salt));
    hex_encode(salt_text, salt, sizeof(salt));
    buffer_printf(
        out,
        "{\"specversion\":\"1.0\",\"id\":\"%s/%s/%" PRId64 "\","
        "\"source\":\"/%s/%s%s%s\",\"time\":\"%s\",\"subject\":\"%s\","
        "\"datacontenttype\":\"application/json\",\"office\":\"%s\",\"log\":\"%s\","
        "\"sequence\":\"%016" PRId64 "\",\"lane\":\"%s\",\"recorded\":\"%s\","
        "\"boot\":\"%s\",\"mono\":\"%" PRId64 "\",\"clock\":\"%s\",\"salt\":\"%s\","
        "\"data\":",
        stamp->office, stamp->log, stamp->seq, stamp->office, draft->source, TYPE_MEMBER,
        draft->type, time, draft->subject ? draft->subject : "office", stamp->office,
        stamp->log, stamp->seq, talk_lane_name(draft->lane), recorded, now_boot(),
        now_mono_us(), now_quality_name(now_quality()), salt_text);
    buffer_append(out, draft->data, draft->data_length);
    buffer_append(out, "}", 1);
    if (out->length - before <= TALK_EVENT_MAX)
        return 0;
    out->length = before;
    return -EMSGSIZE;
}

int event_type(char type[WORD_TYPE_MAX + 1], const void *body, size_t length)
{
    const size_t member = sizeof(TYPE_MEMBER) - 1;
    const char *found = memmem(body, length, TYPE_MEMBER, member);
    if (found == NULL)
        return -EBADMSG;
    found += member;
    const char *end = memchr(found, '"', length - (size_t)(found - (const char *)body));
    if (end == NULL || (size_t)(end - found) > WORD_TYPE_MAX)
        return -EBADMSG;
    memcpy(type, found, (size_t)(end - found));
    type[end - found] = '\0';
    return 0;
}
