/* commit - what one COMMIT asks for: events, keys, cursors; all of it or nothing. */
#ifndef KEEPER_COMMIT_H
#define KEEPER_COMMIT_H

#include <stdbool.h>

#include "base/buffer.h"
#include "keeper/config.h"
#include "keeper/journal.h"
#include "wire/frame.h"

struct commit {
    const struct config_plugin *plugin;
    int64_t size;
    struct fields fields;
    int events;
    int effects; /* fields */
    bool has_alarm;
    bool has_record;
    bool has_telemetry;
    bool skips_telemetry; /* asked for by the caller: there is no room for it */
};

/* Checks every field before anything is done, `size` events having been committed. -EPROTO (not as
 * agreed) or -EINVAL (an event the plugin may not emit, a cursor ahead of the log), with the
 * reason in `why`. */
int commit_check(struct commit *commit, const struct config_plugin *plugin, int64_t size,
                 const struct fields *fields, struct buffer *why);

/* Does it in the journal's open transaction; `first` becomes the first event's sequence or -1
 * (none, or all were skipped). */
int commit_apply(const struct commit *commit, struct journal *journal, int64_t *first);

#endif
