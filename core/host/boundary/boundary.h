/* boundary - loads what a plugin needs, confines its process to what its START names, and sees when that is another thing
 * than it was.
 *
 * The kernel allows a file, not its name: an adapter that is plugged in later, or again, is a new
 * device file, and one that was written anew is a new file. So the names are looked at every
 * BOUNDARY_LOOK_MS, and when one leads to something that was not there, the owner is told once: it
 * ends, and the keeper starts it again with what is there now. A process without named files is never
 * woken. */
#ifndef HOST_BOUNDARY_BOUNDARY_H
#define HOST_BOUNDARY_BOUNDARY_H

#include <stddef.h>

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "host/boundary/confine.h"

/* A folder is known by what it is and not held: who holds one keeps a disk from being unmounted. */
enum { BOUNDARY_LOOK_MS = 2000, BOUNDARY_PLACES_MAX = CONFINE_PATHS_MAX + 1 };

struct boundary_place {
    char *path;
    int fd; /* of what was there, or -1; it is not opened, only held */
    bool is_folder;
    uint64_t folder[3]; /* its disk, its number there, when it was made */
};

/* Set by the owner: loop, moved, owner. The rest is zeroed. */
struct boundary {
    struct loop *loop;
    /* What `path` leads to was not there when the boundary was raised. */
    void (*moved)(void *owner, const char *path);
    void *owner;
    struct boundary_place places[BOUNDARY_PLACES_MAX];
    int count;
    bool trees;                               /* folders count too */
    const char *roots[CONFINE_PATHS_MAX + 1]; /* what the configuration names */
    struct loop_timer look;
};

/* Before any code of the plugin is read, with the text of START. NULL, or what is wrong: then nothing
 * of the plugin may run. */
const char *boundary_raise(struct boundary *boundary, const char *start, size_t length);
/* The absolute paths that the configuration names, up to NULL; none where there is no boundary. */
const char *const *boundary_roots(const struct boundary *boundary);
/* Stops looking; the process stays confined. */
void boundary_close(struct boundary *boundary);

#endif
