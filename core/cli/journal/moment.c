/* moment - see moment.h. */
#include "cli/journal/moment.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What is still to be looked through. */
struct rest {
    const char *at;
    const char *end;
};

/* The text behind the next `member`, of less than `room` bytes. */
static int take(struct rest *rest, const char *member, char *text, size_t room)
{
    size_t length = strlen(member);
    const char *found = memmem(rest->at, (size_t)(rest->end - rest->at), member, length);
    if (found == NULL)
        return -EBADMSG;
    found += length;
    const char *quote = memchr(found, '"', (size_t)(rest->end - found));
    if (quote == NULL || (size_t)(quote - found) >= room)
        return -EBADMSG;
    memcpy(text, found, (size_t)(quote - found));
    text[quote - found] = '\0';
    rest->at = quote;
    return 0;
}

int moment_read(struct moment *moment, const void *body, size_t length)
{
    struct rest rest = {body, (const char *)body + length};
    char lane[16], recorded[NOW_TEXT_ROOM], mono[24];
    if (take(&rest, "\",\"source\":\"", moment->source, sizeof(moment->source)) != 0 ||
        take(&rest, "\",\"type\":\"", moment->type, sizeof(moment->type)) != 0 ||
        take(&rest, "\",\"lane\":\"", lane, sizeof(lane)) != 0 ||
        take(&rest, "\",\"recorded\":\"", recorded, sizeof(recorded)) != 0 ||
        take(&rest, "\",\"boot\":\"", moment->boot, sizeof(moment->boot)) != 0 ||
        take(&rest, "\",\"mono\":\"", mono, sizeof(mono)) != 0 ||
        now_parse(&moment->utc_us, recorded) != 0 || talk_lane_of(lane) < 0 ||
        !word_is_type(moment->type))
        return -EBADMSG;
    moment->lane = (enum talk_lane)talk_lane_of(lane);
    moment->mono_us = strtoll(mono, NULL, 10);
    return 0;
}
