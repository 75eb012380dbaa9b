/* verdict - what a replay has found, for people or as JSON.
 *
 * Where devices were asked whose answers nobody recorded, only types count that handlers of host.on
 * have emitted: what timers emit may hang on the devices, and is named as not compared. */
#ifndef CLI_PLAY_VERDICT_H
#define CLI_PLAY_VERDICT_H

#include "base/buffer.h"
#include "cli/play/contrast.h"
#include "cli/play/player.h"
#include "cli/play/spool.h"

/* One run, or what was recorded in life (then `player` is NULL). */
struct verdict_side {
    const char *name;
    struct spool *spool;
    const struct player *player;
};

struct verdict {
    struct verdict_side is, reference;
    uint64_t erased;     /* events of the slice */
    bool from_the_first; /* the slice begins with the journal */
    struct contrast contrast;
};

/* Compares. What was recorded near the ends of the slice may come of events outside of it: it counts
 * only where it agrees. `within_us` and `limit` are the contrast's. 0 or a negative errno. */
int verdict_make(struct verdict *verdict, int64_t within_us, int64_t limit);
void verdict_free(struct verdict *verdict);

/* Whether there was anything to compare: not when all hangs on devices that nobody has recorded. */
bool verdict_is_compared(const struct verdict *verdict);
/* Nothing differs of what was compared. */
bool verdict_is_identical(const struct verdict *verdict);
void verdict_print(const struct verdict *verdict, struct buffer *out);
/* Appends one object. */
void verdict_print_json(const struct verdict *verdict, struct buffer *out);

#endif
