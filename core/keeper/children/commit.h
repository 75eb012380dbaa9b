/* commit - what one COMMIT asks for: events, keys, cursors, blobs; all of it or nothing. */
#ifndef KEEPER_CHILDREN_COMMIT_H
#define KEEPER_CHILDREN_COMMIT_H

#include <stdbool.h>

#include "base/buffer.h"
#include "keeper/config.h"
#include "keeper/journal/journal.h"
#include "wire/frame.h"

/* What a commit asks of one blob. */
struct commit_blob {
    struct digest digest;
    int class;       /* enum talk_class */
    int64_t keep_ms; /* -1: until it is released */
    bool is_prompt;
};

/* A blob is kept for at most so long by the clock; longer is until it is released. */
#define COMMIT_KEEP_MAX_MS (100LL * 366 * 24 * 3600 * 1000)

/* What a commit puts or removes. */
struct commit_key {
    char key[TALK_KEY_MAX + 1];
    struct field value; /* of a put */
};

struct commit_cursor {
    char name[WORD_ID_MAX + 1];
    int64_t seq;
};

struct commit {
    const struct config_plugin *plugin;
    int64_t size;
    struct fields fields;
    int events;
    int effects; /* fields */
    int blobs;   /* of them: whether there are such blobs is asked of blobs.h */
    bool has_alarm;
    bool has_record;
    bool has_telemetry;
    struct holding *holding; /* told by the caller, NULL: nobody counts */
    bool skips_telemetry;    /* asked for by the caller: there is no room for it */
};

/* Checks every field before anything is done, `size` events having been committed. -EPROTO (not as
 * agreed) or -EINVAL (an event the plugin may not emit, a cursor ahead of the log), with the
 * reason in `why`. */
int commit_check(struct commit *commit, const struct config_plugin *plugin, int64_t size,
                 const struct fields *fields, struct buffer *why);

/* Reads one TAG_PUT or TAG_REMOVE: 0 or -EPROTO. */
int commit_read_key(struct commit_key *key, const struct field *field);
/* Reads one TAG_CONSUMED: 0 or -EPROTO. */
int commit_read_cursor(struct commit_cursor *cursor, const struct field *field);
/* Reads one TAG_BLOB: -EPROTO, or -EINVAL for a class or time that there is not. */
int commit_read_blob(struct commit_blob *blob, const struct field *field);

/* Does it, but for the blobs, in the journal's open transaction; `first` becomes the first event's
 * sequence or -1 (none, or all were skipped). */
int commit_apply(const struct commit *commit, struct journal *journal, int64_t *first);

#endif
