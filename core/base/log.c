/* log - see log.h. A line is one write(2), so that lines of many programs do not mix. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/now.h"

enum level { DEBUG, INFO, WARN, ERROR };

enum { LINE_MAX_BYTES = 1024 };

static const char *const LEVELS[] = {"debug", "info", "warn", "error"};
static const char *program_name = "outpost";
static enum level least = INFO;

void log_open(const char *program)
{
    program_name = program;
    const char *wanted = getenv("OUTPOST_LOG");
    for (size_t i = 0; wanted != NULL && i < countof(LEVELS); i++)
        if (strcmp(wanted, LEVELS[i]) == 0)
            least = (enum level)i;
}

static size_t begin_line(char *line, size_t room, enum level level)
{
    char time[NOW_TEXT_ROOM];
    now_format(time, now_utc_us());
    int length = snprintf(line, room, "%s %-5s %s: ", time, LEVELS[level], program_name);
    return (size_t)length < room ? (size_t)length : room - 1;
}

__attribute__((format(printf, 2, 0))) static void
write_line(enum level level, const char *format, va_list values)
{
    if (level < least)
        return;
    char line[LINE_MAX_BYTES];
    size_t length = begin_line(line, sizeof(line) - 1, level);
    int more = vsnprintf(line + length, sizeof(line) - 1 - length, format, values);
    if (more > 0)
        length += (size_t)more;
    if (length > sizeof(line) - 2)
        length = sizeof(line) - 2;
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
            line[i] = '?';
    line[length++] = '\n';
    ssize_t written = write(STDERR_FILENO, line, length);
    (void)written; /* nowhere is left to say that the log cannot be written */
}

#define LOG_AT(name, level)                                                              \
    void name(const char *format, ...)                                                   \
    {                                                                                    \
        va_list values;                                                                  \
        va_start(values, format);                                                        \
        write_line(level, format, values);                                               \
        va_end(values);                                                                  \
    }

LOG_AT(log_debug, DEBUG)
LOG_AT(log_info, INFO)
LOG_AT(log_warn, WARN)
LOG_AT(log_error, ERROR)
