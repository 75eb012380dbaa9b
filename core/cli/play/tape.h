/* tape - a file of recorded device bytes (outpost capture), for a replay. */
#ifndef CLI_PLAY_TAPE_H
#define CLI_PLAY_TAPE_H

#include "base/buffer.h"
#include "base/now.h"

enum { TAPE_MAX = 64 * 1024 * 1024 };

struct tape {
    struct buffer bytes;
    char from[NOW_TEXT_ROOM];  /* when the first went in or out, */
    char until[NOW_TEXT_ROOM]; /* and a second after the last */
};

/* 0; or a negative errno: -EPROTO is no such file, -ENODATA has nothing in it. The caller gives it back
 * with tape_close() in any case. */
int tape_open(struct tape *tape, const char *path);
void tape_close(struct tape *tape);

/* In words. */
const char *tape_why(int err);

#endif
