/* children - what each peer may say, and who answers.
 *
 * A frame that its sender's role does not allow, or that is not as agreed, ends the peer: one line
 * in the log, and the supervisor starts the child anew. A host that says more than its allowance is not
 * heard for a while. */
#ifndef KEEPER_CHILDREN_CHILDREN_H
#define KEEPER_CHILDREN_CHILDREN_H

#include "keeper/children/group.h"
#include "keeper/children/link.h"
#include "keeper/children/peer.h"
#include "keeper/children/router.h"
#include "keeper/space/storage.h"

struct asking;
struct blobs;
struct viewing;
struct parcels;

struct children {
    struct loop *loop;
    struct journal *journal;
    struct group *group;
    struct router *router;
    struct link *link;
    struct storage *storage;           /* NULL: there is always room */
    struct asking *asking;             /* NULL: nothing can be asked for */
    struct blobs *blobs;               /* NULL: none can be stored */
    struct viewing *viewing;           /* NULL: none can be looked at */
    struct parcels *parcels;           /* NULL: none go to the city */
    const struct allowance_rate *rate; /* of each host; NULL: no bound */
    struct peer *peers;
    /* Appends the CONFIG of START for a child that said HELLO. */
    void (*print_start)(void *owner, const struct peer *peer, struct buffer *out);
    /* The child has had its START. */
    void (*greeted)(void *owner, struct peer *peer);
    /* Appends the REPORT for `outpost status`. */
    void (*print_report)(void *owner, struct buffer *out);
    /* A RELOAD came; as with all that is heard, an error ends the peer. NULL: nobody reloads. */
    int (*reload)(void *owner, struct peer *peer, const struct frame *frame);
    /* The peer goes away. NULL: nobody minds. */
    void (*forget)(void *owner, const struct peer *peer);
    void *owner;
};

void children_open(struct children *children, struct loop *loop, struct group *group,
                   struct router *router, struct link *link);
/* Ends every line; `gone` is not called. */
void children_close(struct children *children);

/* A new peer on `fd`, which is taken over. `gone` is called when its line is over. */
int children_add(struct children *children, struct peer *peer, int fd);
/* Ends the peer's line and forgets what it asked; the peer's memory stays its owner's. */
void children_remove(struct children *children, struct peer *peer);

/* Tells one peer, or all of a role, something without fields (PING, STOP). */
void children_tell(struct children *children, int roles, enum talk_type type);
/* Tells the uplink of a new checkpoint. */
void children_send_note(struct children *children, const struct buffer *note);

#endif
