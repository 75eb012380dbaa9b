/* command - a program of several words: `outpost status`, `outpost-city run`. */
#ifndef BASE_COMMAND_H
#define BASE_COMMAND_H

#include <stddef.h>

struct command {
    const char *name;
    int (*run)(int argc, char **argv); /* argv[0] is "PROGRAM WORD", for its messages */
    const char *summary;               /* one line for people */
};

/* Runs the command that argv[1] names, or answers --help and --version; its exit code, 2 when there
 * is none of that name. */
int command_run(const char *program, const struct command *commands, size_t count,
                int argc, char **argv);

#endif
