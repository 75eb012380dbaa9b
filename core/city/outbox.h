/* outbox - receipts that wait to be published: of each office the newest.
 *
 * A receipt says all that an earlier one said, so a newer one takes its place. Bounded by the
 * number of offices, of which the newest OUTBOX_MAX wait; one that finds no room is told to the
 * office when it next sends something. */
#ifndef CITY_OUTBOX_H
#define CITY_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/word.h"

enum { OUTBOX_MAX = 65536 };

struct outbox_letter {
    char office[WORD_ID_MAX + 1];
    bool began;
    struct buffer note;
};

/* Zeroed: empty. */
struct outbox {
    size_t count;
    size_t room;
    struct outbox_letter *letters;
};

void outbox_put(struct outbox *outbox, const char *office, const void *note,
                size_t length, bool began);
/* The oldest, or NULL; outbox_drop() takes it away. */
const struct outbox_letter *outbox_first(const struct outbox *outbox);
void outbox_drop(struct outbox *outbox);
void outbox_free(struct outbox *outbox);

#endif
