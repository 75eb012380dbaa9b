/* wreck - a journal that was set aside, read as far as it verifies; nothing in it is changed.
 *
 * Every file of it is doubted. An event is found when its bytes have the leaf hash that the hash
 * tiles, its bundle's digest or its own row say, and when it says itself that it is that event. It
 * is proven when the hash is one that a checkpoint signed by the office's key covers. What the
 * city's signed receipt covers is passed over: the city has it. */
#ifndef KEEPER_REPAIR_WRECK_H
#define KEEPER_REPAIR_WRECK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/word.h"
#include "proof/key.h"
#include "wire/talk.h"

struct wreck;

struct wreck_event {
    int64_t seq;
    int lane; /* enum talk_lane; LANES: not known, only of a lost one */
    bool is_lost;
    bool is_proven;
    struct digest leaf;
    const void *body; /* valid during the call */
    size_t length;
};

/* Opens what is left in `folder`. `key` is the office's, beside the one that lies in the folder;
 * `city` whose receipts count (NULL: none does). -EBADMSG when not even the log's name is left. */
int wreck_open(struct wreck **out, const char *folder, const struct key *key,
               const struct key *city);
void wreck_close(struct wreck *wreck);

const char *wreck_office(const struct wreck *wreck);
const char *wreck_log(const struct wreck *wreck);
/* The first event that the city may not have. */
int64_t wreck_first(const struct wreck *wreck);

/* Calls `each` in order for the events from *next on that the city has not confirmed, until it
 * returns nonzero (it has enough), some work has been done, or (then 1 is returned) the wreck ends.
 * *next becomes the first event not dealt with. 0, 1, or a negative errno. */
int wreck_read(struct wreck *wreck, int64_t *next,
               int (*each)(void *owner, const struct wreck_event *event), void *owner);

#endif
