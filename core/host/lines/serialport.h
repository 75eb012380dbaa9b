/* serialport - a serial line, set up so that bytes pass as they are, and locked (flock(2)) against whoever
 * asks for that lock too. */
#ifndef HOST_LINES_SERIALPORT_H
#define HOST_LINES_SERIALPORT_H

#include <stdbool.h>

#include "host/lines/lineurl.h"

/* A descriptor that does not block; what was in the line is forgotten. 0, -EINVAL: the driver or this
 * program does not know that speed; -ENOTTY: no serial line; -EBUSY: somebody has locked it; or another negative errno. */
int serialport_open(int *fd, const struct lineurl *url);

#endif
