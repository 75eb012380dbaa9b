/* bind_serve - host.serve.listen: devices that push, answered by handlers. In an annex of its own
 * (annex.h). */
#ifndef HOST_BIND_SERVE_H
#define HOST_BIND_SERVE_H

#include "host/annex.h"

extern const struct annex annex_serve;

#endif
