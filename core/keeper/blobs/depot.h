/* depot - where blobs lie: the folder blobs/ of the office, its names, and what moves from one to
 * another.
 *
 *   new/N           being written by a scribe, or cut
 *   new/SHA256.N    whole and on disk, of no commit yet, or of one whose keeper ended just then
 *   ab/cdef...      one that the table has (catalog.h): SHA-256 of what is inside
 *   old/...         to be erased, whoever finds it
 *   adopt           the journal has begun anew: what the table does not know may still be evidence
 *
 * Every move is one rename(2), which can be done again. Nothing goes away but through old/, because
 * the name of a file may go only after its head has been overwritten. Calls return 0 or a negative
 * errno. */
#ifndef KEEPER_BLOBS_DEPOT_H
#define KEEPER_BLOBS_DEPOT_H

#include <stdbool.h>

#include "base/buffer.h"
#include "keeper/blobs/cask.h"
#include "proof/suite.h"

enum { DEPOT_PATH_MAX = 4096 };

struct depot {
    char folder[DEPOT_PATH_MAX];
    struct cask_key key;
    bool is_new_key; /* keys/blobs.key was not there, or could not be read */
};

/* Makes what is missing of STATE/blobs, and STATE/keys/blobs.key. A key that cannot be read is set
 * aside (damage.h). */
int depot_open(struct depot *depot, const char *state);

/* blobs/new/N, blobs/new/SHA256.N, and where the blob is for good. */
int depot_new(const struct depot *depot, char path[DEPOT_PATH_MAX], int64_t number);
int depot_sealed(const struct depot *depot, char path[DEPOT_PATH_MAX],
                 const struct digest *digest, int64_t number);
int depot_place(const struct depot *depot, char path[DEPOT_PATH_MAX],
                const struct digest *digest);

/* Whether the blob's file is in its place. */
bool depot_has(const struct depot *depot, const struct digest *digest);

/* A sealed one goes to its place; what is there already goes to old/. */
int depot_settle(const struct depot *depot, const struct digest *digest, int64_t number);
/* To old/: whatever is there of the spool N, whole or not; a blob from its place. Fine when there is
 * none. */
int depot_drop(const struct depot *depot, int64_t number);
int depot_retire(const struct depot *depot, const struct digest *digest);

/* Erases what is in old/; `left` is how many files of it cannot be erased now. For an errand. */
int depot_erase(const struct depot *depot, int64_t *left);

/* Each file in new/: sealed ones with their digest, others with NULL. Nonzero from `each` ends it. */
int depot_each_new(const struct depot *depot,
                   int (*each)(void *owner, const struct digest *digest, int64_t number),
                   void *owner);
/* Each blob in its place, with the length of its file. */
int depot_each(const struct depot *depot,
               int (*each)(void *owner, const struct digest *digest, int64_t bytes),
               void *owner);

/* Before a journal is set aside as the folder `aside` of STATE, or (NULL) a log begins beside blobs,
 * durably: from now on nothing is thrown away (`adopt`). Then, once all has been adopted, that it has.
 * The mark names all such folders, a line each, the newest last; -ENOENT: there is none. */
int depot_mark(const char *state, const char *aside);
bool depot_is_marked(const struct depot *depot);
int depot_read_mark(const struct depot *depot, struct buffer *folders);
int depot_unmark(const struct depot *depot);

#endif
