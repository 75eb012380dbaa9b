/* calls - the system calls that are left to a process behind the boundary (confine.h): an allow-list of
 * seccomp. It cannot be undone. */
#ifndef HOST_BOUNDARY_CALLS_H
#define HOST_BOUNDARY_CALLS_H

#include "host/boundary/confine.h"

/* The stack of the process is at most so long. */
enum { CALLS_STACK = 8 * 1024 * 1024 };

/* 0 or a negative errno. Privileges are given up, and no new ones can be had, before. */
int calls_lock(const struct confine_wish *wish);

#endif
