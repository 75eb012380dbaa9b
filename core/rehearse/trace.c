/* trace - see trace.h. */
#include "rehearse/trace.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "rehearse/standins/now_clock.h"

enum { TEXT_ROOM = 1024 };

void trace_add(struct trace *trace, const char *format, ...)
{
    char text[TEXT_ROOM];
    va_list values;
    if (trace->silent)
        return;
    if (trace->count == TRACE_MAX) {
        trace->full = true;
        return;
    }
    if (trace->count == trace->room) {
        trace->room = trace->room ? 2 * trace->room : 64;
        trace->lines = mem_resize(trace->lines, trace->room * sizeof(*trace->lines));
    }
    va_start(values, format);
    vsnprintf(text, sizeof(text), format, values);
    va_end(values);
    trace->lines[trace->count++] =
        (struct trace_line){now_clock_elapsed_us(), mem_text(text)};
}

void trace_free(struct trace *trace)
{
    for (size_t i = 0; i < trace->count; i++)
        mem_free(trace->lines[i].text);
    mem_free(trace->lines);
    *trace = (struct trace){0};
}
