/* events - `outpost events`: the journal, read from disk, and on request what comes. */
#ifndef CLI_EVENTS_H
#define CLI_EVENTS_H

int events_run(int argc, char **argv);

#endif
