/* options - what stands behind a command: --name VALUE, --name, and words.
 *
 * Each command has a table of where its values belong. Both calls answer 0 to go on, with the first
 * word at argv[optind], or one more than the exit code when all is said: 1 after --help, 3 after
 * something that was not understood. */
#ifndef CLI_OFFICE_OPTIONS_H
#define CLI_OFFICE_OPTIONS_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>

enum { OPTIONS_MOST = 16 };

struct option_place {
    const char *name;
    const char **text; /* --name VALUE */
    bool *flag;        /* --name; NULL when it has a value */
};

int options_read(const struct option_place *places, size_t count, const char *usage,
                 int argc, char **argv);

/* The same of a command that takes no words. */
int options_alone(const struct option_place *places, size_t count, const char *usage,
                  int argc, char **argv);

#endif
