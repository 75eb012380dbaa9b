/* lastgood - the last configuration that checked, for the day when the file does not.
 *
 * STATE/config.good, mode 0600: a line with the SHA-256 of what follows, then the checked JSON. So a
 * box that was set wrongly, or whose configuration is gone, goes on as it did. */
#ifndef CLI_LASTGOOD_H
#define CLI_LASTGOOD_H

#include "base/buffer.h"

/* Keeps it durably, when it is another than the one kept. 0 or a negative errno. */
int lastgood_put(const char *state, const struct buffer *json);

/* Appends it. -ENOENT when there is none, -EBADMSG when it is not what was kept. */
int lastgood_get(struct buffer *json, const char *state);

/* Marks the JSON object as one that is used because `file` does not check: its member `refused`
 * becomes {"file","errors":[...]}, the first errors without the values they quote, which may be
 * personal or secret. The keeper records it. */
void lastgood_mark(struct buffer *json, const char *file, const char *errors);

#endif
