/* topic - what a message from an office is, by its topic outpost/v1/<office>/... */
#ifndef CITY_TOPIC_H
#define CITY_TOPIC_H

#include "base/word.h"
#include "wire/talk.h"

enum { TOPIC_ROOM = WORD_ID_MAX + 40 };

enum topic_kind { TOPIC_EVENTS, TOPIC_CHECKPOINT, TOPIC_STATUS };

struct topic {
    enum topic_kind kind;
    char office[WORD_ID_MAX + 1];
    enum talk_lane lane; /* of TOPIC_EVENTS */
};

/* 0, or -EPROTO when it is none that we know. */
int topic_read(struct topic *topic, const char *text);

/* Where an office looks for its receipt. */
void topic_receipt(char text[TOPIC_ROOM], const char *office);

#endif
