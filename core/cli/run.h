/* run - `outpost run`: checks the configuration, then becomes the keeper. */
#ifndef CLI_RUN_H
#define CLI_RUN_H

int run_run(int argc, char **argv);

#endif
