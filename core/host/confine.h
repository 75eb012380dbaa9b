/* confine - what the kernel lets this process do from now on, whatever its plugin makes of it.
 *
 * Lua's limits are a courtesy; this is the boundary. No new privileges, no other program, no second
 * process, no signals to others, no memory that can be both written and run; of the files only those
 * under the folders that are named, to be read, and the devices that are named; on the network only
 * what a client of TCP and UDP needs, and TCP only to the ports that are named (kernel 6.7 and
 * later). It cannot be undone.
 *
 * The kernel's parts: resource limits, seccomp (through libseccomp), Landlock. Landlock is left out,
 * and said so, where the kernel has none. */
#ifndef HOST_CONFINE_H
#define HOST_CONFINE_H

#include <stdint.h>

enum { CONFINE_PATHS_MAX = 16, CONFINE_PORTS_MAX = 64 };

/* Lists end with NULL or 0, or at their bound. What is not there is passed over. */
struct confine_wish {
    const char *folders[CONFINE_PATHS_MAX]; /* files in them are read, */
    const char *files[CONFINE_PATHS_MAX];   /* and these */
    const char *devices[CONFINE_PATHS_MAX]; /* these are read, written and set up */
    uint16_t ports[CONFINE_PORTS_MAX];      /* of TCP, that are connected to */
};

/* What took hold. */
struct confine {
    int landlock; /* its version; 0: this kernel has none */
};

/* 0 or a negative errno; then the process must not go on. */
int confine(struct confine *confine, const struct confine_wish *wish);

#endif
