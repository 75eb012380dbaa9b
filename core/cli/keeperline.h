/* keeperline - a conversation with the keeper that runs, over STATE/keeper.sock. */
#ifndef CLI_KEEPERLINE_H
#define CLI_KEEPERLINE_H

#include "base/buffer.h"
#include "wire/frame.h"

/* Connects and says HELLO. On failure says on standard error that no keeper listens, and returns a
 * negative errno. */
int keeperline_open(int *fd, const char *state);

int keeperline_say(int fd, const struct buffer *frame);

/* Waits for one frame, which points into `room` (cleared first). -EPIPE when the keeper is gone. */
int keeperline_hear(int fd, struct buffer *room, struct frame *frame);
/* The same, and the descriptor that came with it, or -1. */
int keeperline_hear_descriptor(int fd, struct buffer *room, struct frame *frame,
                               int *brought);

#endif
