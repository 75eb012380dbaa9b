/* batch - what an office sent to up/<lane>: a JSON array of events and what it claims about them.
 *
 * Every byte is foreign. A batch is taken whole or not at all; when it is taken, its events belong
 * to the office, log and lane that the topic and the properties name, and their sequences rise from
 * above `prev` to `last`. The exact bytes of each event are found and never written anew, because
 * their hash is what the office has signed. Pure. */
#ifndef CITY_BATCH_H
#define CITY_BATCH_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/word.h"
#include "wire/talk.h"

enum {
    BATCH_BYTES_MAX = 1024 * 1024,
    BATCH_EVENTS_MAX = 1024,
    BATCH_TIME_ROOM = 32,
    BATCH_WHY_ROOM = 160
};

/* Texts as they came, NULL where there was none. */
struct batch_claim {
    const char *office;
    enum talk_lane lane;
    const char *log, *lane_name, *prev, *last;
    const char
        *encoding; /* "zstd": the payload is one frame of at most BATCH_BYTES_MAX */
};

struct batch_event {
    const char *bytes; /* inside the payload, or what it was unpacked to */
    size_t length;
    int64_t seq;
    char type[WORD_TYPE_MAX + 1];
    char subject[WORD_SUBJECT_MAX + 1]; /* empty: none */
    char time[BATCH_TIME_ROOM];
    char recorded[BATCH_TIME_ROOM];
};

/* A zeroed one is empty; it may be read into again and again, and is freed once. */
struct batch {
    char office[WORD_ID_MAX + 1];
    char log[WORD_ID_MAX + 1];
    enum talk_lane lane;
    int64_t prev, last;
    size_t count;
    struct batch_event *events;
    struct buffer plain; /* of a payload that came as zstd */
};

/* 0, or -EPROTO and why, for people: no event's content is quoted. */
int batch_read(struct batch *batch, const struct batch_claim *claim, const void *payload,
               size_t length, char why[BATCH_WHY_ROOM]);
void batch_free(struct batch *batch);

/* Reads one event; also checks the members against each other. 0 or -EPROTO and why. */
int batch_read_event(struct batch_event *event, const char *office, const char *log,
                     enum talk_lane lane, char why[BATCH_WHY_ROOM]);

#endif
