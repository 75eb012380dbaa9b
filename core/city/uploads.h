/* uploads - finished uploads of evidence files become evidence, one at a time.
 *
 * Looks at the folder of a tus server every UPLOADS_LOOK_MS, at a part of it when it is large. An upload whose event is not here yet
 * waits; the others are hashed, both ways, a piece of UPLOADS_PIECE bytes a turn of the loop, so that
 * alarms do not wait for a file. What then is what its office has said and recorded is kept and has a
 * receipt (evidence.h), what is not is refused. One that cannot be read or moved is told and tried
 * again; the others do not wait for it. */
#ifndef CITY_UPLOADS_H
#define CITY_UPLOADS_H

#include "base/loop.h"
#include "city/evidence.h"

enum {
    UPLOADS_ENTRIES = 64 * 1024, /* looked at in a folder, to count */
    UPLOADS_TORN_S = 60 /* a ticket that cannot be read may be half written so long */
};

#ifdef SMALL_BOUNDS
enum {
    UPLOADS_PIECE = 7,
    UPLOADS_NAMES = 3,
    UPLOADS_WAITING = 2,
    UPLOADS_LOOK_MS = 20,
    UPLOADS_TROUBLE_MS = 20
};
#else
enum {
    UPLOADS_PIECE = 256 * 1024,
    UPLOADS_NAMES = 1024, /* of the folder, at one look */
    UPLOADS_WAITING = 64, /* finished uploads whose events are looked for at one look */
    UPLOADS_LOOK_MS = 1000,
    UPLOADS_TROUBLE_MS = 10 * 1000
};
#endif

struct uploads;

struct uploads_calls {
    /* No transaction of the store shall be open, and what was is committed; a negative errno when
     * that cannot be now. */
    int (*settle)(void *owner);
};

/* All is borrowed until uploads_close(). */
int uploads_open(struct uploads **out, struct loop *loop, const struct evidence *evidence,
                 const struct uploads_calls *calls, void *owner);
void uploads_close(struct uploads *uploads);

/* Uploads in `folder` that are not whole, and those that are and wait for their event or their turn.
 * At most UPLOADS_ENTRIES are looked at. 0 or a negative errno. */
struct uploads_count {
    int64_t under_way, waiting;
};
int uploads_count(const char *folder, struct uploads_count *count);

#endif
