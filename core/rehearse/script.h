/* script - one test file, run in a Lua of its own that may read files: tests are the developer's. */
#ifndef REHEARSE_SCRIPT_H
#define REHEARSE_SCRIPT_H

#include "rehearse/rehearsal.h"

enum { SCRIPT_MOST_BYTES = 256 * 1024 * 1024 };

/* Runs the file and counts its tests; only those whose names hold `filter`, if there is one. What is
 * wrong with the file itself is printed and counted as one failure. */
void script_run(const char *path, const struct rehearsal *rehearsal, const char *filter);

#endif
