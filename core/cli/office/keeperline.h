/* keeperline - a conversation with the keeper that runs, over STATE/keeper.sock. */
#ifndef CLI_OFFICE_KEEPERLINE_H
#define CLI_OFFICE_KEEPERLINE_H

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

/* 0 when the answer of that type says that it was done. -ECANCELED: refused, which is said on standard
 * error; -EPROTO: it is no such answer. */
int keeperline_accept(const struct frame *frame, uint8_t type, const char *command);

#endif
