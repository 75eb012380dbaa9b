/* journal - the log of the office: what is committed here has happened.
 *
 * Events get sequences from 0 without holes and are leaves of a Merkle tree. The newest are in the
 * store, the rest in sealed tiles. A transaction (journal_begin() ... journal_commit()) takes any
 * number of events, keys and cursors; it is on disk when journal_commit() returns 0, and nothing
 * of it has happened otherwise. Calls return 0 or a negative errno. */
#ifndef KEEPER_JOURNAL_JOURNAL_H
#define KEEPER_JOURNAL_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "keeper/journal/event.h"
#include "keeper/journal/store.h"
#include "keeper/journal/tail.h"
#include "proof/bundle.h"
#include "proof/checkpoint.h"
#include "proof/key.h"
#include "proof/tree.h"

enum { JOURNAL_PATH_MAX = 4096 };

struct journal {
    struct store *store;
    struct key *key;
    const struct suite *suite;
    char folder[JOURNAL_PATH_MAX]; /* .../journal */
    char origin[CHECKPOINT_ORIGIN_MAX + 1];
    struct store_log log;
    int64_t size;             /* events committed */
    uint64_t signed_size;     /* of the checkpoint found at the start, 0 none */
    int damage;               /* what the start has found: bits of enum audit_damage */
    struct tree tree;         /* over all events, also those of the open transaction */
    struct tail tail;         /* the same */
    struct tree sealed;       /* over the sealed ones */
    bool is_open;             /* a transaction is */
    struct tree before;       /* the tree as it was when the transaction began */
    struct buffer composed;   /* the event being composed */
    struct buffer receipt;    /* the city's newest receipt, or empty */
    int64_t marks[LANES];     /* the last event of each lane that the city has */
    int64_t lane_last[LANES]; /* the last event of each lane, -1 none */
    struct bundle bundle;     /* the sealed bundle read last */
    int64_t bundle_index;     /* -1 none */
};

/* Opens or makes the journal in `folder`, of that office and, when it is made, of that suite.
 * `city` (or NULL) is the key whose receipts count. -EBADMSG: it is damaged, `why` says how;
 * -EXDEV: it is another office's. */
int journal_open(struct journal **out, const char *folder, struct key *key,
                 const struct key *city, const char *office, const char *suite,
                 struct buffer *why);
/* Also of one that is half open. `key` stays the caller's. */
void journal_close(struct journal *journal);

int journal_begin(struct journal *journal);
/* Adds one event to the open transaction. -EMSGSIZE, or an errno of the store. */
int journal_append(struct journal *journal, const struct event_draft *draft,
                   int64_t *seq);
int journal_commit(struct journal *journal);
void journal_rollback(struct journal *journal);

/* The sequence that the next event will have, in the open transaction or of a new one. */
int64_t journal_next(const struct journal *journal);

/* The root of the first `size` committed events; -ERANGE beyond them. */
int journal_root(struct journal *journal, struct digest *root, uint64_t size);

/* "folder/name" of the journal; -ENAMETOOLONG. */
int journal_path(const struct journal *journal, char path[JOURNAL_PATH_MAX],
                 const char *name);

/* Reads the hash tiles of the sealed events: the `read` of a struct tile_source whose size is
 * that of journal->sealed, with the journal as its owner. */
int journal_read_tile(void *journal, struct buffer *out, int level, uint64_t index,
                      unsigned width);
/* The hashes in the file of a full hash tile; -EBADMSG when it does not have that many. */
int journal_read_hashes(const struct journal *journal, struct digest hashes[TILE_WIDTH],
                        int level, uint64_t index);

#endif
