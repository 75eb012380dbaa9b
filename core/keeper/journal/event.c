/* event - see event.h.
 *
 * Members stand in the order of design.md, so that id, type and lane are found without parsing;
 * nothing in front of them can hold a quote. */
#include "keeper/journal/event.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/random.h"

enum { SALT_BYTES = 16 };

static const char ID_MEMBER[] = "{\"specversion\":\"1.0\",\"id\":\"";
static const char TYPE_MEMBER[] = "\",\"type\":\"";
static const char DATA_MEMBER[] = "\",\"data\":";
static const char LANE_MEMBER[] = "\",\"lane\":\"";
static const char RECORDED_MEMBER[] = "\",\"recorded\":\"";
static const char BOOT_MEMBER[] = "\",\"boot\":\"";
static const char MONO_MEMBER[] = "\",\"mono\":\"";
static const char CLOCK_MEMBER[] = "\",\"clock\":\"";

/* `number` in decimal, at least `width` digits. */
static void put_number(struct buffer *out, int64_t number, int width)
{
    char digits[20];
    int count = 0;
    do {
        digits[sizeof(digits) - (size_t)++count] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0 || count < width);
    buffer_append(out, digits + sizeof(digits) - (size_t)count, (size_t)count);
}

/* All the texts, one after the other, up to NULL. Composing is half of what an event costs before
 * the disk, and printf would be half of composing. */
static void put_all(struct buffer *out, const char *const *texts)
{
    for (; *texts != NULL; texts++)
        buffer_append_text(out, *texts);
}

#define PUT(out, ...) put_all(out, (const char *const[]){__VA_ARGS__, NULL})

static void put_salt(struct buffer *out)
{
    uint8_t salt[SALT_BYTES];
    char text[2 * SALT_BYTES + 1];
    random_bytes(salt, sizeof(salt));
    hex_encode(text, salt, sizeof(salt));
    PUT(out, "\",\"salt\":\"", text);
}

int event_compose(struct buffer *out, const struct event_draft *draft,
                  const struct event_stamp *stamp)
{
    char time[NOW_TEXT_ROOM], recorded[NOW_TEXT_ROOM];
    size_t before = out->length;
    struct now_reading now;
    now_read(&now);
    now_format(recorded, now.utc_us);
    now_format(time, draft->time_us ? draft->time_us : now.utc_us);
    PUT(out, ID_MEMBER, stamp->office, "/", stamp->log, "/");
    put_number(out, stamp->seq, 1);
    PUT(out, "\",\"source\":\"/", stamp->office, "/", draft->source, TYPE_MEMBER,
        draft->type, "\",\"time\":\"", time, "\",\"subject\":\"",
        draft->subject ? draft->subject : "office",
        "\",\"datacontenttype\":\"application/json\",\"office\":\"", stamp->office,
        "\",\"log\":\"", stamp->log, "\",\"sequence\":\"");
    put_number(out, stamp->seq, 16);
    PUT(out, LANE_MEMBER, talk_lane_name(draft->lane), RECORDED_MEMBER, recorded,
        BOOT_MEMBER, now_boot(), MONO_MEMBER);
    put_number(out, now.mono_us, 1);
    PUT(out, CLOCK_MEMBER, now_quality_name(now.quality));
    put_salt(out);
    PUT(out, DATA_MEMBER);
    buffer_append(out, draft->data, draft->data_length);
    buffer_append(out, "}", 1);
    if (out->length - before <= TALK_EVENT_MAX)
        return 0;
    out->length = before;
    return -EMSGSIZE;
}

/* The text behind the first `member`, up to its quote: 0 or -EBADMSG. */
static int find_text(const char **text, size_t *text_length, const char *member,
                     const void *body, size_t length)
{
    const char *found = memmem(body, length, member, strlen(member));
    if (found == NULL)
        return -EBADMSG;
    found += strlen(member);
    const char *end = memchr(found, '"', length - (size_t)(found - (const char *)body));
    if (end == NULL)
        return -EBADMSG;
    *text = found;
    *text_length = (size_t)(end - found);
    return 0;
}

int event_type(char type[WORD_TYPE_MAX + 1], const void *body, size_t length)
{
    const char *found;
    size_t found_length;
    if (find_text(&found, &found_length, TYPE_MEMBER, body, length) != 0 ||
        found_length > WORD_TYPE_MAX)
        return -EBADMSG;
    memcpy(type, found, found_length);
    type[found_length] = '\0';
    return 0;
}

/* The same as a text of less than `room` bytes. */
static int copy_text(char *text, size_t room, const char *member, const void *body,
                     size_t length)
{
    const char *found;
    size_t found_length;
    int err = find_text(&found, &found_length, member, body, length);
    if (err || found_length >= room)
        return -EBADMSG;
    memcpy(text, found, found_length);
    text[found_length] = '\0';
    return 0;
}

int event_clock(struct event_clock *clock, const void *body, size_t length)
{
    char recorded[NOW_TEXT_ROOM], mono[24], name[16];
    if (copy_text(recorded, sizeof(recorded), RECORDED_MEMBER, body, length) != 0 ||
        copy_text(clock->boot, sizeof(clock->boot), BOOT_MEMBER, body, length) != 0 ||
        copy_text(mono, sizeof(mono), MONO_MEMBER, body, length) != 0 ||
        copy_text(name, sizeof(name), CLOCK_MEMBER, body, length) != 0 ||
        now_parse(&clock->utc_us, recorded) != 0)
        return -EBADMSG;
    clock->mono_us = strtoll(mono, NULL, 10);
    for (int quality = NOW_SYNCED; quality <= NOW_UNSET; quality++)
        if (strcmp(now_quality_name((enum now_quality)quality), name) == 0)
            return clock->quality = (enum now_quality)quality, 0;
    return -EBADMSG;
}

int event_word(char *word, size_t room, const char *name, const void *body, size_t length)
{
    char member[WORD_ID_MAX + 8];
    int member_length = snprintf(member, sizeof(member), "\",\"%s\":\"", name);
    if (member_length < 0 || (size_t)member_length >= sizeof(member))
        return -EBADMSG;
    return copy_text(word, room, member, body, length);
}

int event_content(const char **bytes, size_t *bytes_length, const void *body,
                  size_t length)
{
    const char *found = memmem(body, length, DATA_MEMBER, strlen(DATA_MEMBER));
    const char *end = (const char *)body + length;
    if (found == NULL || end[-1] != '}')
        return -EBADMSG;
    *bytes = found + strlen(DATA_MEMBER);
    *bytes_length = (size_t)(end - 1 - *bytes);
    return 0;
}

bool event_is(const struct event_stamp *stamp, enum talk_lane lane, const void *body,
              size_t length)
{
    char head[sizeof(ID_MEMBER) + 2 * WORD_ID_MAX + 32];
    const char *found;
    size_t found_length;
    int head_length = snprintf(head, sizeof(head), "%s%s/%s/%" PRId64 "\"", ID_MEMBER,
                               stamp->office, stamp->log, stamp->seq);
    if (length < (size_t)head_length || memcmp(body, head, (size_t)head_length) != 0)
        return false;
    const char *name = talk_lane_name(lane);
    return find_text(&found, &found_length, LANE_MEMBER, body, length) == 0 &&
           found_length == strlen(name) && memcmp(found, name, found_length) == 0;
}
