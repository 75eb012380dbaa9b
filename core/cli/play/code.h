/* code - the Lua of a folder as one hash: whether two versions of a plugin are the same. */
#ifndef CLI_PLAY_CODE_H
#define CLI_PLAY_CODE_H

#include "proof/suite.h"

/* Over the .lua files of the folder and those below it, by path and content; `test` folders and hidden
 * files do not count, as no host loads them. 0, or a negative errno: -EFBIG beyond 256 files of 1 MiB
 * or four folders deep. */
int code_hash(struct digest *hash, const char *folder);

#endif
