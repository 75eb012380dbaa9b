/* options - a command's line: --name VALUE, --name=VALUE, --flag, and what stands beside them. */
#ifndef CITY_OPTIONS_H
#define CITY_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

enum { OPTIONS_REST_MAX = 4 };

/* One option: takes a value when `value` is given, else sets `flag`. */
struct options_row {
    const char *name;
    const char **value;
    bool *flag;
    bool required;
};

struct options {
    const char *command; /* "run" */
    const char *usage;   /* printed by --help */
    const struct options_row *rows;
    size_t count;
    int least, most; /* how many words may stand beside the options */
    int rest_count;
    const char *rest[OPTIONS_REST_MAX];
};

/* Reads argv[1] and on. True: go on; false: end with *status (0 after --help, else 2, and what was
 * wrong has been said). */
bool options_read(struct options *options, int argc, char **argv, int *status);

/* Says "outpost-city COMMAND: ..." on standard error; returns 2. */
int options_refuse(const struct options *options, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
