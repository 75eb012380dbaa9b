/* keeperline - the uplink's end of the line to the keeper.
 *
 * Says HELLO, answers PING, and turns frames into calls. A frame that breaks the protocol is logged
 * and ends the line like the keeper's death does: `closed`. What a call is given is valid only
 * during the call. */
#ifndef UPLINK_KEEPERLINE_H
#define UPLINK_KEEPERLINE_H

#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "wire/talk.h"

enum {
    KEEPERLINE_ENTRIES = 1024
}; /* events taken of one answer; the rest is asked for again */

struct keeperline;

struct keeperline_entry {
    int64_t seq;
    const void *body;
    size_t length;
};

struct keeperline_calls {
    void (*start)(void *owner, const void *config, size_t length);
    void (*mark)(void *owner, enum talk_lane lane, int64_t seq);
    void (*checkpoint)(void *owner, const void *note, size_t length);
    /* The answer to fetch `id`; `next` is the first seq that has not been looked at. */
    void (*events)(void *owner, uint32_t id, const struct keeperline_entry *entries,
                   size_t count, int64_t next);
    void (*receipted)(void *owner); /* the keeper has done the newest receipt */
    void (*stop)(void *owner);
    void (*closed)(void *owner);
};

/* Takes over `fd`. */
int keeperline_open(struct keeperline **out, struct loop *loop, int fd,
                    const struct keeperline_calls *calls, void *owner);
void keeperline_close(struct keeperline *keeper);

void keeperline_fetch(struct keeperline *keeper, uint32_t id, enum talk_lane lane,
                      int64_t from, int64_t most_bytes);
void keeperline_cancel(struct keeperline *keeper, uint32_t id);

/* Hands a receipt on as it came. While the keeper is at one, only the newest other one waits. */
void keeperline_receipt(struct keeperline *keeper, const void *note, size_t length);

/* What is sent comes to nothing, and why; NULL: it does again. */
void keeperline_stalled(struct keeperline *keeper, enum talk_lane lane, const char *why);

void keeperline_health(struct keeperline *keeper, const char *json);

#endif
