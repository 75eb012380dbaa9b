/* replay - `outpost replay`: a plugin over a recorded journal, compared with what was. */
#ifndef CLI_REPLAY_H
#define CLI_REPLAY_H

int replay_run(int argc, char **argv);

#endif
