/* player - plays a slice of a journal to a plugin, in libexec/outpost/rehearse, and keeps what it emits.
 *
 * The slice is read here, in pages; the plugin runs in a process of its own that sees nothing of this
 * one and has no environment. Events of the instance itself are not played but kept apart: the plugin
 * emits its own anew. */
#ifndef CLI_PLAY_PLAYER_H
#define CLI_PLAY_PLAYER_H

#include "base/buffer.h"
#include "cli/journal/slice.h"
#include "cli/play/spool.h"

struct player {
    const struct buffer *start; /* START of the instance, JSON */
    const struct buffer
        *capture;              /* what was recorded of devices, a file; NULL: nothing */
    const char *source;        /* "/plugin/instance": how its source ends */
    struct spool *recorded;    /* gets what it emitted in life; NULL: nobody wants it */
    int64_t beyond_us;         /* of that also so much from behind the slice */
    int64_t first_us, last_us; /* times of the events played */
    int64_t events;            /* played, when it is done */
    struct json *end;          /* the last line, as rehearse/replay.h says */
    char why[FINDING_PLACE_MAX + FINDING_WHAT_MAX + 4]; /* what is wrong */
};

/* Appends to `spool` and finishes it, and `recorded`. 0; or a negative errno and `why`. The caller gives
 * it back with player_close() in any case. */
int player_run(struct player *player, struct slice *slice, struct spool *spool);
void player_close(struct player *player);

#endif
