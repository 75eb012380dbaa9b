/* log - one line for people, on standard error.
 *
 * A line is: UTC time, level, program, text. Whoever handles an error logs it, once; whoever
 * returns it does not. Person data never goes here: name only opaque ids. A line is cut at 1,024
 * bytes, control characters become '?'. The least level is `info`, or what OUTPOST_LOG says
 * (debug, info, warn, error). */
#ifndef BASE_LOG_H
#define BASE_LOG_H

/* Names the program in every line; the name must outlive the log. */
void log_open(const char *program);

void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
