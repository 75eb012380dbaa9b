/* library - a library that is loaded by hand, because only who uses it shall pay for it.
 *
 * Before the process is confined; afterwards nothing can be loaded any more. */
#ifndef HOST_MODULE_LIBRARY_H
#define HOST_MODULE_LIBRARY_H

#include <stddef.h>

/* A function or variable of it, and where in `places` its address belongs. */
struct library_symbol {
    const char *name;
    size_t place;
};

/* Fills `places`. 0, -ENOENT when there is no library of that file name, -ENOSYS when it lacks one
 * of the symbols. */
int library_load(const char *file, const struct library_symbol *symbols, size_t count,
                 void *places);

#endif
