/* event - a CloudEvents 1.0 object, composed once; its bytes never change. */
#ifndef KEEPER_JOURNAL_EVENT_H
#define KEEPER_JOURNAL_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/now.h"
#include "base/word.h"
#include "wire/talk.h"

enum { EVENT_SOURCE_MAX = 2 * WORD_ID_MAX + 2 };

/* What the source says. Texts are checked words; `data` is one JSON object. */
struct event_draft {
    const char *source; /* "plugin/instance" */
    const char *type;
    const char *subject; /* NULL: "office" */
    enum talk_lane lane;
    int64_t time_us; /* when it happened; 0: when it is recorded */
    const char *data;
    size_t data_length;
};

/* What the keeper adds. */
struct event_stamp {
    const char *office;
    const char *log;
    int64_t seq;
};

/* Appends the event. -EMSGSIZE when it would have more than TALK_EVENT_MAX bytes. */
int event_compose(struct buffer *out, const struct event_draft *draft,
                  const struct event_stamp *stamp);

/* The type inside a composed event; 0 or -EBADMSG. */
int event_type(char type[WORD_TYPE_MAX + 1], const void *body, size_t length);

/* By which clocks a composed event was recorded. */
struct event_clock {
    int64_t utc_us;
    int64_t mono_us;
    char boot[NOW_BOOT_ROOM];
    enum now_quality quality;
};

/* 0 or -EBADMSG. */
int event_clock(struct event_clock *clock, const void *body, size_t length);

/* The text of a member in front of `data` ("time", "subject"), as it stands there; 0 or -EBADMSG. */
int event_word(char *word, size_t room, const char *name, const void *body,
               size_t length);

/* Where its data is; 0 or -EBADMSG. */
int event_content(const char **bytes, size_t *bytes_length, const void *body,
                  size_t length);

/* Whether a composed event says that it is this one, of this lane. */
bool event_is(const struct event_stamp *stamp, enum talk_lane lane, const void *body,
              size_t length);

#endif
