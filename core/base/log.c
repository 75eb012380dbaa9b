/* log - see log.h. A line is one write(2), so that lines of many programs do not mix.
 *
 * What is written is UTF-8 and has no character that a terminal obeys or that turns the order of
 * letters around: journald shows a line that is no text as "blob data" only, and a device or a plugin
 * could make a line look like another. */
#include "base/log.h"

#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/now.h"
#include "base/strict.h"

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

static size_t begin_line(char *line, size_t room, enum level level, const char *program)
{
    char time[NOW_TEXT_ROOM];
    now_format(time, now_utc_us());
    int length = snprintf(line, room, "%s %-5s %s: ", time, LEVELS[level], program);
    return (size_t)length < room ? (size_t)length : room - 1;
}

/* The second set of control characters (U+0080 to U+009F), the ends of lines and paragraphs, and what
 * says in which direction letters run. */
static bool is_obeyed(const unsigned char *at, size_t length)
{
    if (length == 2)
        return at[0] == 0xc2 && at[1] < 0xa0;
    if (length != 3 || at[0] != 0xe2)
        return false;
    return (at[1] == 0x80 &&
            (at[2] == 0x8e || at[2] == 0x8f || (at[2] >= 0xa8 && at[2] <= 0xae))) ||
           (at[1] == 0x81 && at[2] >= 0xa6 && at[2] <= 0xa9);
}

/* What is no text becomes '?'; a letter that was cut at the end goes. Returns the length that is left. */
static size_t clean(char *line, size_t length)
{
    size_t kept = 0;
    for (size_t i = 0; i < length;) {
        const unsigned char *at = (const unsigned char *)line + i;
        size_t step = strict_sequence(at, length - i);
        if (step == 0 && length - i < 4 && at[0] >= 0xc0 && length >= LINE_MAX_BYTES - 2)
            break;
        if (step == 0 || at[0] < ' ' || at[0] == 0x7f || is_obeyed(at, step))
            line[kept++] = '?';
        else
            for (size_t letter = 0; letter < step; letter++)
                line[kept++] = line[i + letter];
        i += step > 0 ? step : 1;
    }
    return kept;
}

__attribute__((format(printf, 3, 0))) static void
write_line(enum level level, const char *program, const char *format, va_list values)
{
    if (level < least)
        return;
    char line[LINE_MAX_BYTES];
    size_t length = begin_line(line, sizeof(line) - 1, level, program);
    int more = vsnprintf(line + length, sizeof(line) - 1 - length, format, values);
    if (more > 0)
        length += (size_t)more;
    if (length > sizeof(line) - 2)
        length = sizeof(line) - 2;
    length = clean(line, length);
    line[length++] = '\n';
    ssize_t written = write(STDERR_FILENO, line, length);
    (void)written; /* nowhere is left to say that the log cannot be written */
}

#define LOG_AT(name, level)                                                              \
    void name(const char *format, ...)                                                   \
    {                                                                                    \
        va_list values;                                                                  \
        va_start(values, format);                                                        \
        write_line(level, program_name, format, values);                                 \
        va_end(values);                                                                  \
    }

LOG_AT(log_debug, DEBUG)
LOG_AT(log_info, INFO)
LOG_AT(log_warn, WARN)
LOG_AT(log_error, ERROR)

bool log_is_ready(void)
{
    struct pollfd log = {.fd = STDERR_FILENO, .events = POLLOUT};
    return poll(&log, 1, 0) != 0; /* one that is broken makes nobody wait either */
}

void log_for(const char *program, const char *level, const char *format, ...)
{
    va_list values;
    enum level at = ERROR;
    while (at > DEBUG && strcmp(LEVELS[at], level) != 0)
        at--;
    va_start(values, format);
    write_line(at, program, format, values);
    va_end(values);
}

const char *log_level(const char *text)
{
    for (size_t i = 0; i < countof(LEVELS); i++)
        if (strncmp(text, LEVELS[i], strlen(LEVELS[i])) == 0)
            return LEVELS[i];
    return NULL;
}
