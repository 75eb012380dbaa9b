/* log - see log.h. */
#include "rehearse/standins/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "rehearse/standins/now_clock.h"

enum { TEXT_ROOM = 1024 };

static void (*take_line)(void *owner, const char *level, const char *text);
static void *take_owner;

void log_divert(void (*take)(void *owner, const char *level, const char *text),
                void *owner)
{
    take_line = take;
    take_owner = owner;
}

void log_open(const char *program)
{
    (void)program;
}

__attribute__((format(printf, 2, 0))) static void
write_line(const char *level, const char *format, va_list values)
{
    char text[TEXT_ROOM];
    vsnprintf(text, sizeof(text), format, values);
    if (getenv("OUTPOST_LOG") != NULL)
        fprintf(stderr, "%12.3f %-5s %s\n", (double)now_clock_elapsed_us() / 1e6, level,
                text);
    if (take_line != NULL)
        take_line(take_owner, level, text);
}

#define LOG_AT(name, level)                                                              \
    void name(const char *format, ...)                                                   \
    {                                                                                    \
        va_list values;                                                                  \
        va_start(values, format);                                                        \
        write_line(level, format, values);                                               \
        va_end(values);                                                                  \
    }

LOG_AT(log_debug, "debug")
LOG_AT(log_info, "info")
LOG_AT(log_warn, "warn")
LOG_AT(log_error, "error")
