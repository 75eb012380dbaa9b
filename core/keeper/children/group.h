/* group - group commit: what came in one turn of the loop becomes one transaction and one fsync.
 *
 * Whoever writes calls group_enter() first, and group_answer() for each question that shall be
 * answered once it is on disk. A group that is urgent, or full, commits when the loop has taken
 * all that was ready; any other waits for company, for the flash's sake. None is older than
 * GROUP_WINDOW_MS, also while somebody never stops talking. */
#ifndef KEEPER_CHILDREN_GROUP_H
#define KEEPER_CHILDREN_GROUP_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/loop.h"
#include "keeper/children/holding.h"
#include "keeper/children/peer.h"
#include "keeper/journal/journal.h"

enum { GROUP_WINDOW_MS = 20, GROUP_FULL = 64 };

struct group {
    struct loop *loop;
    struct journal *journal;
    struct loop_timer window;
    struct loop_rest rest;
    int writes;
    int64_t commits; /* groups that are on disk */
    bool has_alarm;
    struct buffer answers; /* struct answer apiece */
    struct holdings holdings;
    /* Told after each commit, or after a failed one with a negative errno. */
    void (*committed)(void *owner, int err, bool had_alarm);
    void *owner;
};

void group_open(struct group *group, struct loop *loop, struct journal *journal,
                void (*committed)(void *owner, int err, bool had_alarm), void *owner);
void group_close(struct group *group);

/* Opens the transaction unless it is open. */
int group_enter(struct group *group);
/* The peer is told when the group is on disk, or is known not to be. */
void group_answer(struct group *group, struct peer *peer, uint32_t id, int64_t seq);
/* Counts `writes` more and asks for a commit: at once after this turn, or in company. */
void group_ask(struct group *group, int writes, bool urgent);
/* Commits what there is, now. */
void group_commit(struct group *group);
/* Undoes the whole group; all who wait in it are told `err`. */
void group_fail(struct group *group, int err);
/* The peer is gone: it is not answered any more. */
void group_forget(struct group *group, const struct peer *peer);

#endif
