/* router - who waits for which events.
 *
 * A fetch is answered once, with the committed events it wants, as soon as there is one; the
 * fetcher then asks for what follows. So a slow reader holds up nobody, and nothing is queued for
 * it. At most TALK_FETCHES_MAX of a peer wait at once; one more ends the peer. */
#ifndef KEEPER_CHILDREN_ROUTER_H
#define KEEPER_CHILDREN_ROUTER_H

#include "keeper/children/peer.h"
#include "keeper/journal/journal.h"

enum { ROUTER_ENTRIES_MAX = 256, ROUTER_LIMIT_MAX = 192 * 1024 };

struct fetch;

struct router {
    struct journal *journal;
    struct fetch *fetches;
    int64_t broken; /* where the journal could not be read, -1: nowhere */
    /* NULL, or told of the event that could not be read; who mends it wakes the router. */
    void (*unreadable)(void *owner, int64_t seq);
    void *owner;
};

void router_open(struct router *router, struct journal *journal);
void router_close(struct router *router);

/* Takes a FETCH: answers or parks it. -EPROTO when it is not as agreed, -ENOBUFS beyond the
 * bound. */
int router_fetch(struct router *router, struct peer *peer, const struct frame *frame);
void router_cancel(struct router *router, const struct peer *peer, uint32_t id);
void router_forget(struct router *router, const struct peer *peer);

/* Something has been committed: answers who waited for it. */
void router_wake(struct router *router);

#endif
