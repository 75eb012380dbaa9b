/* library - see library.h. */
#include "host/module/library.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

int library_load(const char *file, const struct library_symbol *symbols, size_t count,
                 void *places)
{
    void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        return -ENOENT;
    for (size_t i = 0; i < count; i++) {
        void *symbol = dlsym(library, symbols[i].name);
        if (symbol == NULL)
            return -ENOSYS;
        memcpy((char *)places + symbols[i].place, &symbol, sizeof(symbol));
    }
    return 0;
}
