/* capture - somebody wants device bytes of an instance kept: CAPTURE, FREEZE. */
#ifndef KEEPER_CAPTURES_CAPTURE_H
#define KEEPER_CAPTURES_CAPTURE_H

#include "keeper/children/children.h"

/* CAPTURE came from a reader; an officer or a technician may. 0 or -EPROTO. */
int capture_hear(struct children *children, struct peer *asker,
                 const struct frame *frame);

#endif
