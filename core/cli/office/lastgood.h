/* lastgood - the last configuration that checked, for the day when the file does not.
 *
 * STATE/config.good is the keeper's (keeper/versions/accepted.h): a keepsake of the configuration with the
 * versions of plugins that were accepted. So a box that was set wrongly, or whose configuration is
 * gone, goes on as it did. */
#ifndef CLI_OFFICE_LASTGOOD_H
#define CLI_OFFICE_LASTGOOD_H

#include "base/buffer.h"
#include "cli/office/configuration.h"

enum { LASTGOOD_MAX = 3 * CONFIGURATION_MAX };

/* Appends it. -ENOENT when there is none, -EBADMSG when it is not what was kept. */
int lastgood_get(struct buffer *json, const char *state);

/* Marks the JSON object as one that is used because `file` does not check: its member `refused`
 * becomes {"file","errors":[...]}, the first errors without the values they quote, which may be
 * personal or secret. The keeper records it. */
void lastgood_mark(struct buffer *json, const char *file, const char *errors);

#endif
