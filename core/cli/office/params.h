/* params - the words KEY=VALUE of a command line as one JSON object. Pure. */
#ifndef CLI_OFFICE_PARAMS_H
#define CLI_OFFICE_PARAMS_H

#include "base/buffer.h"

/* Appends the object. A value is JSON when it can be read as JSON (7, true, "7", [1,2]), else a text.
 * -EINVAL with what was expected in `why`. */
int params_read(struct buffer *json, char *const *words, int count, struct buffer *why);

#endif
