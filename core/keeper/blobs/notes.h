/* notes - what the courier has noted of the files that shall go to the city: where the upload of each
 * is, and which ones are set aside for a while because they come to nothing, so that no file stands in
 * the way of another.
 *
 * By the file's SHA-256, in the store. Calls return 0 or a negative errno, as those of store.h; what
 * changes needs its open transaction. */
#ifndef KEEPER_BLOBS_NOTES_H
#define KEEPER_BLOBS_NOTES_H

#include "base/buffer.h"
#include "keeper/journal/store.h"

enum { NOTES_WHY_MAX = 200 };

/* The longest that one is set aside: what says more than that was written by another clock. */
#define NOTES_ASIDE_MAX_MS (24 * 3600 * 1000LL)

int notes_put(struct store *store, const struct digest *digest, const void *note,
              size_t length);
/* Appends the note; -ENOENT. */
int notes_get(struct store *store, const struct digest *digest, struct buffer *note);

/* For so long from now on it is not among those that go. `why` is for people. */
int notes_set_aside(struct store *store, const struct digest *digest, int64_t ms,
                    const void *why, size_t length);
/* For how long it was the last time, which may be over; -ENOENT: it never was. */
int notes_aside_ms(struct store *store, const struct digest *digest, int64_t *ms);

/* All of it: the city has the file, or it is gone. */
int notes_forget(struct store *store, const struct digest *digest);

/* How many are set aside now; `why` gets the reason of one of them. */
int notes_count_aside(struct store *store, int64_t *count, struct buffer *why);

/* What a value of such a key is compared with, to know whether it is set aside at `now_us`: not less
 * than the first, and less than the second (see QUERY_PARCELS). */
enum { NOTES_BOUND_BYTES = 8 };
void notes_bounds(uint8_t from[NOTES_BOUND_BYTES], uint8_t until[NOTES_BOUND_BYTES],
                  int64_t now_us);

#endif
