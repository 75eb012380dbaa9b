/* log - one line for people, on standard error.
 *
 * A line is: UTC time, level, program, text. Whoever handles an error logs it, once; whoever
 * returns it does not. Person data never goes here: name only opaque ids. A line is cut at 1,024
 * bytes, between letters; what is no UTF-8, control characters and those that turn the order of letters
 * around become '?'. The least level is `info`, or what OUTPOST_LOG says
 * (debug, info, warn, error). */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

/* Names the program in every line; the name must outlive the log. */
void log_open(const char *program);

void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Whether a line can be written without waiting for who reads the log. */
bool log_is_ready(void);

/* What another program has said: a line with its name, at a level by its word. */
void log_for(const char *program, const char *level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The word of the level that the text begins with; NULL when there is none. */
const char *log_level(const char *text);

#endif
