/* complaint - says a thing that repeats itself once, then once a minute with its count. */
#ifndef HOST_INSTANCE_COMPLAINT_H
#define HOST_INSTANCE_COMPLAINT_H

#include <stdbool.h>
#include <stdint.h>

enum { COMPLAINT_ROOM = 160, COMPLAINT_QUIET_MS = 60000 };

struct complaint {
    char last[COMPLAINT_ROOM]; /* how the text began that was said last */
    int64_t said_ms;
    int unsaid;
};

/* Whether the text shall be said now; *unsaid is how often it was held back since. */
bool complaint_is_due(struct complaint *complaint, const char *text, int64_t now_ms,
                      int *unsaid);

#endif
