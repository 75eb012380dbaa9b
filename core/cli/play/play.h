/* play - one side of a comparison: an instance, the slice that is played to it, what it emits. */
#ifndef CLI_PLAY_PLAY_H
#define CLI_PLAY_PLAY_H

#include "cli/play/player.h"
#include "cli/play/spool.h"
#include "cli/play/starter.h"

struct play {
    struct starter starter; /* made before */
    struct player player;
    struct spool spool;
};

/* Opens the spool, at `path` when it is not NULL, and plays. 0; or a negative errno and what is wrong on
 * standard error, behind the name of the command. */
int play_run(struct play *play, struct slice *slice, const char *path,
             const char *command);
/* What nobody plays: an empty spool, to be read. */
int play_nothing(struct play *play);
void play_close(struct play *play);

#endif
