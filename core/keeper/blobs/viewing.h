/* viewing - blobs for people, over the control socket: a list of them, and the bytes of one.
 *
 * A list is for everybody who may ask for the status: hashes and sizes tell nobody what is inside. The
 * bytes are for officers and root, those of an export for officers only. First the event is on disk, with
 * who it is (evidence.viewed of what is evidence, else blob.viewed); then a scribe reads the blob into a
 * pipe, whose other end the reader is handed. */
#ifndef KEEPER_BLOBS_VIEWING_H
#define KEEPER_BLOBS_VIEWING_H

#include "keeper/blobs/blobs.h"
#include "keeper/control/access.h"

enum { VIEWING_MAX = 4, VIEWING_ROWS_MAX = 200 };

struct viewing;

/* One that is being looked at. */
struct viewing_look {
    struct viewing *viewing; /* NULL: the place is free */
    struct peer *reader;     /* NULL: it has gone */
    uint32_t id;
    struct catalog_blob blob;
    struct errand errand; /* runs once the event is on disk */
};

struct viewing {
    struct loop *loop;
    struct group *group;
    struct blobs *blobs;
    int silence_ms;
    struct viewing_look looks[VIEWING_MAX];
};

void viewing_open(struct viewing *viewing, struct loop *loop, struct group *group,
                  struct blobs *blobs);
void viewing_close(struct viewing *viewing);

/* LIST and VIEW; -EPROTO when it is not as agreed. */
int viewing_list(struct viewing *viewing, struct peer *reader, const struct frame *frame);
int viewing_view(struct viewing *viewing, struct peer *reader, const struct frame *frame,
                 const struct access_who *who);

/* A group is on disk, or (negative) undone. */
void viewing_committed(struct viewing *viewing, int err);
/* The reader is gone. */
void viewing_forget(struct viewing *viewing, const struct peer *reader);

#endif
