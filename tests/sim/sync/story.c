/* story - see story.h. Also stands in for base/log.c: what the programs log is part of the story. */
#include "story.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "clock.h"

enum { LINES = 400, LINE_ROOM = 220 };

static char lines[LINES][LINE_ROOM];
static int kept, next_line;
static bool on;

void story_tell(int most)
{
    on = true;
    kept = most < LINES ? most : LINES;
    next_line = 0;
    memset(lines, 0, sizeof(lines));
}

void story_hush(void)
{
    on = false;
}

void story_print(void)
{
    for (int i = 0; i < kept; i++) {
        const char *line = lines[(next_line + i) % kept];
        if (line[0] != '\0')
            puts(line);
    }
    fflush(stdout);
}

static void __attribute__((format(printf, 1, 0))) say(const char *format, va_list values)
{
    static const char *const ACTORS_NAMES[] = {"      ", "keeper", "uplink", "city  ",
                                               "      "};
    char line[LINE_ROOM];
    int64_t us = clock_us();
    int length =
        snprintf(line, sizeof(line), "%7lld.%06lld %s  ", (long long)(us / CLOCK_SECOND),
                 (long long)(us % CLOCK_SECOND), ACTORS_NAMES[actor_now()]);
    vsnprintf(line + length, sizeof(line) - (size_t)length, format, values);
    if (kept == 0)
        puts(line);
    else
        strcpy(lines[next_line++ % kept], line);
    if (kept > 0)
        next_line %= kept;
}

void story_say(const char *format, ...)
{
    va_list values;
    if (!on)
        return;
    va_start(values, format);
    say(format, values);
    va_end(values);
}

#define SAY_LEVEL(level)                                                                 \
    void log_##level(const char *format, ...)                                            \
    {                                                                                    \
        va_list values;                                                                  \
        if (!on)                                                                         \
            return;                                                                      \
        va_start(values, format);                                                        \
        say(format, values);                                                             \
        va_end(values);                                                                  \
    }

SAY_LEVEL(debug)
SAY_LEVEL(info)
SAY_LEVEL(warn)
SAY_LEVEL(error)

void log_open(const char *program)
{
    (void)program;
}
