/* topic - where an office's messages go: the names below outpost/v1/<office>/. */
#ifndef UPLINK_TOPIC_H
#define UPLINK_TOPIC_H

#include "base/word.h"
#include "wire/talk.h"

enum { TOPIC_ROOM = WORD_ID_MAX + 40 };

struct topics {
    char status[TOPIC_ROOM];
    char checkpoint[TOPIC_ROOM];
    char receipt[TOPIC_ROOM];
    char lane[LANES][TOPIC_ROOM];
};

/* `office` is an id (word_is_id). */
void topics_fill(struct topics *topics, const char *office);

#endif
