/* presence - what an office says of itself on its topic `status`. Foreign; pure. */
#ifndef CITY_PRESENCE_H
#define CITY_PRESENCE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/word.h"

enum {
    PRESENCE_BYTES_MAX = 8 * 1024,
    PRESENCE_BOOT_MAX = 64,
    PRESENCE_VERIFIER_MAX = 512
};

struct presence {
    bool online;
    char boot[PRESENCE_BOOT_MAX + 1];
    char log[WORD_ID_MAX + 1];
    char verifier[PRESENCE_VERIFIER_MAX +
                  1]; /* the office's public key line; empty: none */
};

/* 0, or -EPROTO when it is no status of that office. */
int presence_read(struct presence *presence, const char *office, const void *json,
                  size_t length);

#endif
