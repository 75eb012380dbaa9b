/* suite - the tests of some plugins: every file test/NAME_test.lua, each in a process of its own.
 *
 * So nothing that a plugin or a test does ends the others: not a crash, not a loop without an end. */
#ifndef REHEARSE_SUITE_H
#define REHEARSE_SUITE_H

#include "rehearse/rehearsal.h"

enum { SUITE_LIMIT_S = 60 };

struct suite {
    struct rehearsal_tally *tally; /* shared with the processes */
    const char *library;
    const char *filter; /* NULL: all tests */
    int limit_s;        /* so long a file may take */
};

/* 0 or a negative errno. */
int suite_open(struct suite *suite, const char *library);
void suite_close(struct suite *suite);

/* Runs the tests of one plugin. A folder that is no plugin's, or has no tests, is one failure. */
void suite_run(struct suite *suite, const char *folder);

#endif
