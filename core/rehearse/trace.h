/* trace - all that happened in a rehearsal, in one order: a line for each thing, and when.
 *
 * A zeroed struct trace is an empty one. Beyond TRACE_MAX lines nothing is kept and `full` is set;
 * then the rehearsal ends. */
#ifndef REHEARSE_TRACE_H
#define REHEARSE_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef SMALL_BOUNDS
enum { TRACE_MAX = 20000 };
#else
enum { TRACE_MAX = 500000 };
#endif

struct trace_line {
    int64_t at_us; /* since the rehearsal began */
    char *text;
};

struct trace {
    struct trace_line *lines;
    size_t count, room;
    bool full;
    bool silent; /* nothing is kept: a replay is long, and nobody looks */
};

void trace_add(struct trace *trace, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void trace_free(struct trace *trace);

#endif
