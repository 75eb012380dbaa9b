/* topic - see topic.h. */
#include "city/topic.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"

static const char ROOT[] = "outpost/v1/";

static int read_rest(struct topic *topic, const char *rest)
{
    if (strcmp(rest, "status") == 0) {
        topic->kind = TOPIC_STATUS;
        return 0;
    }
    if (strncmp(rest, "up/", 3) != 0)
        return -EPROTO;
    if (strcmp(rest + 3, "checkpoint") == 0) {
        topic->kind = TOPIC_CHECKPOINT;
        return 0;
    }
    int lane = talk_lane_of(rest + 3);
    if (lane < 0)
        return -EPROTO;
    topic->kind = TOPIC_EVENTS;
    topic->lane = (enum talk_lane)lane;
    return 0;
}

int topic_read(struct topic *topic, const char *text)
{
    size_t root = sizeof(ROOT) - 1;
    memset(topic, 0, sizeof(*topic));
    if (strncmp(text, ROOT, root) != 0)
        return -EPROTO;
    const char *office = text + root;
    const char *end = strchr(office, '/');
    if (end == NULL || end - office > WORD_ID_MAX)
        return -EPROTO;
    memcpy(topic->office, office, (size_t)(end - office));
    if (!word_is_id(topic->office))
        return -EPROTO;
    return read_rest(topic, end + 1);
}

void topic_receipt(char text[TOPIC_ROOM], const char *office)
{
    int length = snprintf(text, TOPIC_ROOM, "%s%s/down/receipt", ROOT, office);
    ASSERT(length > 0 && length < TOPIC_ROOM);
}
