/* status - what an office says of itself on its topic `status`, retained; also its will. */
#ifndef UPLINK_STATUS_H
#define UPLINK_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "uplink/settings.h"
#include "wire/talk.h"

struct status {
    bool online;
    int64_t size;          /* of the newest checkpoint */
    const char *root;      /* base64, or NULL */
    int64_t synced[LANES]; /* the last seq the city has, -1 none */
};

/* Appends the JSON text. */
void status_print(struct buffer *out, const struct settings *settings,
                  const struct status *status);

/* What the keeper is told for `outpost status`; `sent` events were published. */
void status_print_health(struct buffer *out, const struct settings *settings,
                         const struct status *status, uint64_t sent,
                         const char *last_error);

/* The will: offline, and only what will still be true then. */
void status_print_will(struct buffer *out, const struct settings *settings);

#endif
