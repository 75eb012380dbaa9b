/* effects - what handlers have gathered and nobody has committed yet: a COMMIT frame in the making.
 *
 * A zeroed struct effects is an empty one. An effect is begun, its bytes are appended to what
 * *_begin() returns, and *_end() makes it count; what was begun and not ended (because Lua raised
 * an error between) vanishes with the next begin. Gathered effects never exceed EFFECTS_MAX
 * entries nor one frame: beyond that *_end() refuses with -E2BIG and nothing has changed. One
 * effects_consumed() always fits. */
#ifndef HOST_INSTANCE_EFFECTS_H
#define HOST_INSTANCE_EFFECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "wire/frame.h"
#include "wire/talk.h"

#ifdef SMALL_BOUNDS
enum { EFFECTS_MAX = 16 };
#else
enum { EFFECTS_MAX = TALK_EFFECTS_MAX };
#endif

struct effects {
    struct buffer frame;
    size_t whole; /* bytes of `frame` that count */
    int count;
};

struct effects_event {
    const char *type;
    const char *subject; /* NULL: none */
    bool has_time;
    int64_t time_us;
};

bool effects_is_empty(const struct effects *effects);

/* The event's DATA is appended to the returned buffer. */
struct buffer *effects_event_begin(struct effects *effects,
                                   const struct effects_event *event);
int effects_event_end(struct effects *effects);

/* The VALUE of `key` is appended to the returned buffer. */
struct buffer *effects_put_begin(struct effects *effects, const char *key);
int effects_put_end(struct effects *effects);

int effects_remove(struct effects *effects, const char *key);

/* A blob that the keeper has sealed is kept: `digest` is its SHA-256 in hexadecimal. */
struct effects_blob {
    const char *digest;
    enum talk_class class;
    int64_t keep_ms; /* -1: until it is released */
    bool erases;     /* as soon as its time is over */
};
int effects_blob(struct effects *effects, const struct effects_blob *blob);
void effects_consumed(struct effects *effects, const char *cursor, int64_t seq);

/* Appends all of `more` and empties it; -E2BIG when both do not fit, and then nothing changes. */
int effects_join(struct effects *effects, struct effects *more);
void effects_clear(struct effects *effects);
void effects_free(struct effects *effects);

/* What a COMMIT frame does to one key: 1 and its new value, 1 and NULL bytes when it removes the
 * key, 0 when it does not touch it. */
int effects_find(const struct buffer *frame, size_t whole, const char *key,
                 struct field *value);

/* Calls `seen` for each PUT (value not NULL) and REMOVE of a COMMIT frame, in order. */
void effects_each(const struct buffer *frame, size_t whole,
                  void (*seen)(void *owner, const struct field *key,
                               const struct field *value),
                  void *owner);

#endif
