/* confine - what the kernel lets this process do from now on, whatever its plugin makes of it.
 *
 * Lua's limits are a courtesy; this is the boundary. No privileges, no other program, no second
 * process, no signals to others, no memory that is run once it was written; of the files only those
 * under the folders that are named, and the files that are named, to be read; of the devices only
 * those that are named; on the network TCP to and at the ports that are named (kernel 6.7 and later),
 * UDP only where it is wished. It cannot be undone.
 *
 * The kernel's parts: capabilities, resource limits, seccomp (through libseccomp), Landlock. Landlock
 * is left out, and said so, where the kernel has none. */
#ifndef HOST_BOUNDARY_CONFINE_H
#define HOST_BOUNDARY_CONFINE_H

#include <stdbool.h>
#include <stdint.h>

enum { CONFINE_PATHS_MAX = 16, CONFINE_PORTS_MAX = 64, CONFINE_RANGES_MAX = 8 };

/* The address sanitizer needs more memory than a plugin may have. */
#if defined(__SANITIZE_ADDRESS__)
enum { CONFINE_SANITIZED = 1 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
enum { CONFINE_SANITIZED = 1 };
#else
enum { CONFINE_SANITIZED = 0 };
#endif
#else
enum { CONFINE_SANITIZED = 0 };
#endif

/* Ports of TCP that are connected to, or listened at. */
struct confine_range {
    uint16_t from, until;
    bool listens;
};

/* Lists end with NULL or 0, or at their bound. What is not there is passed over. */
struct confine_wish {
    const char *folders[CONFINE_PATHS_MAX]; /* files in them are read */
    const char *paths[CONFINE_PATHS_MAX];   /* files are read; devices used and set up */
    uint16_t ports[CONFINE_PORTS_MAX];      /* of TCP: connected to, and bound to */
    struct confine_range ranges[CONFINE_RANGES_MAX];
    bool resolves; /* names of hosts are looked up */
    bool udp;
    bool trees;   /* a path may be a folder: all below it is read */
    bool threads; /* of this process: a library looks up names in them */
    bool pairs;   /* of sockets: by which a library wakes itself */
    bool listens; /* at the ports; of TCP */
};

/* What took hold. */
struct confine {
    int landlock; /* its version; 0: this kernel has none */
};

/* 0 or a negative errno; then the process must not go on. */
int confine(struct confine *confine, const struct confine_wish *wish);

#endif
