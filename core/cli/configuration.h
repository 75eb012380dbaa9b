/* configuration - the office's Lua file, run and checked by the host, as JSON. */
#ifndef CLI_CONFIGURATION_H
#define CLI_CONFIGURATION_H

#include "base/buffer.h"

enum { CONFIGURATION_MAX = 1024 * 1024 };

/* Appends the checked configuration. -EINVAL when it has errors: they are on standard error then,
 * one a line with file, line, setting, expectation and value. */
int configuration_read(struct buffer *json, const char *path);

/* Whether the files that the checked configuration names can be used: the city's public key, and
 * for TLS that the files are there. 0, or -EINVAL with a line on standard error for each. */
int configuration_check_files(const struct buffer *json, const char *path);

#endif
