/* try - `outpost try`: a new configuration or new plugins over the last days, before they go live. */
#ifndef CLI_TRY_H
#define CLI_TRY_H

int try_run(int argc, char **argv);

#endif
