/* named - what a plugin may reach, as its START names it: its folders, and each file, device and port
 * that stands in its configuration. Pure. */
#ifndef HOST_BOUNDARY_NAMED_H
#define HOST_BOUNDARY_NAMED_H

#include <stddef.h>

#include "base/json.h"
#include "host/boundary/confine.h"

struct named {
    struct json *start; /* whose texts the wish points at */
    struct confine_wish wish;
};

/* Reads the JSON text of START. -EPROTO when it is none, -E2BIG when it names more than there is room
 * for. A text of the configuration names a path when it is an absolute one, or a URL with a path and no
 * host, and START says beside it, in `paths`, that the office has written it (a serial line may be a
 * default of the manifest); and a port when it is a URL with a host: without a number that of its scheme. A host that is no
 * address is looked up. The
 * ports of a file server's data are those of its URL (ftpurl.h). The system's certificates
 * are for who needs http or ftp, threads for who of them has such a host; listening is for who needs tcp
 * or serve; all below a path is read by who needs folder. */
int named_read(struct named *named, const char *start, size_t length);
void named_free(struct named *named);

#endif
