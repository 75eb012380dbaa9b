/* catalog - the table of blobs: what there is, how long it has to stay, what has been released.
 *
 * Calls return 0 or a negative errno, as those of store.h; what changes needs its open transaction. */
#ifndef KEEPER_BLOBS_CATALOG_H
#define KEEPER_BLOBS_CATALOG_H

#include "keeper/journal/store.h"

/* Beside those of talk.h: a file that the table did not know, kept for ever. */
enum { CATALOG_UNKNOWN = CLASSES, CATALOG_CLASSES };

struct catalog_blob {
    struct digest sha256;
    struct digest sm3;
    bool has_sm3;
    int64_t size;
    int class;        /* enum talk_class or CATALOG_UNKNOWN */
    int64_t keep_ms;  /* from `stored_us` on; -1: until it is released */
    int64_t until_us; /* UTC; -1: never, or the clock was not set */
    bool is_prompt;   /* erased as soon as that is over, else when room is wanted */
    bool is_released; /* said in an event; its file is on its way out */
    bool is_damaged;  /* said too */
    int64_t seq;      /* the first event of its commit; -1 none */
    int64_t stored_us;
    int64_t uploaded_us; /* when the city's receipt for it came; 0: none did */
};

/* "picture" ... "case", "unknown". */
const char *catalog_class_name(int class);

/* -ENOENT when there is no such row. */
int catalog_get(struct store *store, const struct digest *digest,
                struct catalog_blob *blob);
/* Whether it stays, and an event of this log told of it: none did of rows out of another. */
bool catalog_is_named(struct store *store, const struct digest *digest);
int catalog_put(struct store *store, const struct catalog_blob *blob);
/* Only of one that is released. */
int catalog_forget(struct store *store, const struct digest *digest);

typedef int catalog_call(void *owner, const struct catalog_blob *blob);

/* At most `most` rows behind `after` (NULL: from the first), in the order of their digests. Nonzero
 * from `each` ends it, and is returned. */
int catalog_each(struct store *store, const struct digest *after, int64_t most,
                 catalog_call *each, void *owner);
/* Those that are released. */
int catalog_each_released(struct store *store, int64_t most, catalog_call *each,
                          void *owner);
/* Those whose time is over, the oldest first: the prompt ones, or all of one class. Of the classes
 * `sends` (bits, 1 << enum talk_class) only those that the city has. */
int catalog_each_prompt(struct store *store, int64_t now_us, int64_t most, int sends,
                        catalog_call *each, void *owner);
int catalog_each_due(struct store *store, int64_t now_us, int64_t most, int class,
                     int sends, catalog_call *each, void *owner);
/* Those of the class that can go to the city, have no receipt of it and are not set aside (notes.h),
 * the oldest first. */
int catalog_each_parcel(struct store *store, int class, int64_t now_us, int64_t most,
                        catalog_call *each, void *owner);

/* Whether it can go to the city, and has no receipt of it: now, or when it was set aside long enough. */
bool catalog_is_parcel(const struct catalog_blob *blob);
/* Those of the classes `sends` that could go if an event of this log named them. */
int catalog_each_heir(struct store *store, int64_t most, int sends, catalog_call *each,
                      void *owner);

/* One whose SM3 is not known, because it was adopted; -ENOENT. */
int catalog_find_no_sm3(struct store *store, struct catalog_blob *blob);

/* How many there are, and what they take on disk. */
struct catalog_sum {
    int64_t count[CATALOG_CLASSES];
    int64_t bytes[CATALOG_CLASSES];
    int64_t parcels[CATALOG_CLASSES];  /* see catalog_is_parcel() */
    int64_t uploaded[CATALOG_CLASSES]; /* the city has them */
    int64_t released;                  /* of them none is in the counts above */
    int64_t released_bytes;
    int64_t damaged;
};
int catalog_sum(struct store *store, struct catalog_sum *sum);

/* Rows that were stored while the clock was not set; their time begins now. */
int catalog_count_undated(struct store *store, int64_t *count);
int catalog_date(struct store *store, int64_t now_us);
/* All are damaged: their key is gone. */
int catalog_damage_all(struct store *store);

/* Takes the rows of another, maybe damaged, file that this one does not have, as many as can be read.
 * Nothing goes on its word alone: what it says is released, and is still there, is stored, and what is
 * not there is left out; what it says is stored, and is not there, is missing if that file is the
 * newest, and else left out. Events of that log are not those of this one. */
int catalog_copy(struct store *store, const char *path, bool is_newest,
                 bool (*is_there)(void *owner, const struct digest *digest), void *owner);

#endif
