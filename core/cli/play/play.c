/* play - see play.h. */
#include "cli/play/play.h"

#include <stdio.h>
#include <string.h>

int play_run(struct play *play, struct slice *slice, const char *path,
             const char *command)
{
    play->player.start = &play->starter.start;
    play->player.source = play->starter.source;
    int err = spool_open(&play->spool, path);
    if (err) {
        fprintf(stderr, "%s: %s: %s\n", command, path ? path : "a temporary file",
                strerror(-err));
        return err;
    }
    err = player_run(&play->player, slice, &play->spool);
    if (err)
        fprintf(stderr, "%s: %s: %s\n", command, play->starter.source + 1,
                play->player.why);
    return err;
}

int play_nothing(struct play *play)
{
    int err = spool_open(&play->spool, NULL);
    return err ? err : spool_finish(&play->spool);
}

void play_close(struct play *play)
{
    player_close(&play->player);
    spool_close(&play->spool);
    starter_free(&play->starter);
}
