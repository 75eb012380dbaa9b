/* revision - what differs between two versions of an instance before either runs: its settings, its code,
 * the devices that it names. */
#ifndef CLI_PLAY_REVISION_H
#define CLI_PLAY_REVISION_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/json.h"

enum revision_state {
    REVISION_SAME,
    REVISION_CHANGED,
    REVISION_NEW,
    REVISION_REMOVED,
    REVISION_STATES
};

/* One side: START as starter.h makes it; NULL: there is none of that instance. */
struct revision {
    const struct json *was, *is;
    enum revision_state state;
    bool has_other_code;
    bool has_other_library;
};

void revision_make(struct revision *revision, const struct json *was,
                   const struct json *is);
const char *revision_name(enum revision_state state);

/* Appends a line for each setting that differs, indented: "  poll: 2000, was 1000". What may be a
 * password is not shown. */
void revision_print_settings(const struct revision *revision, struct buffer *out);
/* A line for each URL that the instance named and that `config`, all of the new configuration, does not:
 * "  no longer read: URL". How many there are. */
int revision_print_devices(const struct revision *revision, const struct json *config,
                           struct buffer *out);

#endif
