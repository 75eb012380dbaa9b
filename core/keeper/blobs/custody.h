/* custody - what people decide about evidence, over the control socket: that a file is marked, that its
 * hold is over, that it was exported.
 *
 * All of it is for officers, with a reason, and an event that says who; DONE comes when that is on disk
 * and has its sequence. A mark raises class and time and never lowers them; only a release ends
 * what a case holds. An export is said by its manifest, whose hash stands for the whole folder. */
#ifndef KEEPER_BLOBS_CUSTODY_H
#define KEEPER_BLOBS_CUSTODY_H

#include "keeper/children/children.h"
#include "keeper/control/access.h"

enum { CUSTODY_REASON_MAX = 300 };

/* CUSTODY came from a reader who is `who`. 0, or -EPROTO when it is not as agreed. */
int custody_hear(struct children *children, struct peer *asker, const struct frame *frame,
                 const struct access_who *who);

/* The frame's TEXT: 1 to CUSTODY_REASON_MAX bytes on one line, or -EPROTO. */
int custody_read_reason(char reason[CUSTODY_REASON_MAX + 1], const struct frame *frame);

/* Appends "who":{"name":...,"role":...,"via":...} of somebody who may: an officer, or a technician. */
void custody_print_who(struct buffer *out, const struct access_who *who);

#endif
