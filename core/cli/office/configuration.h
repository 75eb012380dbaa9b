/* configuration - the office's Lua file, run and checked by the host, as JSON. */
#ifndef CLI_OFFICE_CONFIGURATION_H
#define CLI_OFFICE_CONFIGURATION_H

#include "base/buffer.h"

enum { CONFIGURATION_MAX = 1024 * 1024, CONFIGURATION_ERRORS_MAX = 64 * 1024 };

/* Appends the checked configuration. -EINVAL when it has errors, which are appended to `errors`, one
 * a line with file, line, setting, expectation and value. Whatever the errno, `errors` says why, also
 * when the process that checks was killed. The files that it names are checked too:
 * the city's public key, and for TLS that they are there. */
int configuration_read(struct buffer *json, struct buffer *errors, const char *path);

/* The same with the plugins of that folder instead of the installed ones; NULL: those. */
int configuration_read_with(struct buffer *json, struct buffer *errors, const char *path,
                            const char *plugins);

#endif
