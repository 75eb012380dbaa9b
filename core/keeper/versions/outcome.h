/* outcome - how the last reload ended, for who did not wait for it: `outpost status` shows it.
 *
 * In memory only; what a version was returned for is also an event, plugin.returned. */
#ifndef KEEPER_VERSIONS_OUTCOME_H
#define KEEPER_VERSIONS_OUTCOME_H

#include "keeper/versions/change.h"

enum { OUTCOME_RETURNED_MAX = 16 }; /* of more only the number is kept */

struct outcome {
    int64_t ended_us; /* UTC; 0: there has been none */
    size_t accepted, returned, removed;
    struct buffer why;   /* nothing was changed, or it ended early: in words */
    struct buffer named; /* JSON objects, {instance, state, why}, with commas between */
};

/* The reload with these changes has ended; `why` is empty when it did so well. */
void outcome_take(struct outcome *outcome, const struct change *changes, size_t count,
                  const char *why);
void outcome_free(struct outcome *outcome);

/* Appends one JSON object, or null. */
void outcome_print(const struct outcome *outcome, struct buffer *out);
/* Appends an object for each that is not over yet, with commas between. */
void outcome_print_changes(const struct change *changes, size_t count,
                           struct buffer *out);

#endif
