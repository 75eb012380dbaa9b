/* annex - see annex.h.
 *
 * Invariant: a row's `annex` is NULL until its shared object is loaded and prepared; it is never
 * unloaded. */
#include "host/bind/annex.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"

static struct {
    const char *need;
    const char *file; /* both of libcurl are in one */
    const char *symbol;
    const struct annex *annex;
} annexes[] = {
    {"http", "http", "annex_http", NULL},
    {"ftp", "http", "annex_ftp", NULL},
    {"serve", "serve", "annex_serve", NULL},
};

/* libexec/outpost/host -> libexec/outpost/host-NAME.so */
static int path_of(char *path, size_t room, const char *file)
{
    char self[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self));
    if (length < 0 || (size_t)length >= sizeof(self))
        return -ENAMETOOLONG;
    self[length] = '\0';
    char *slash = strrchr(self, '/');
    if (slash != NULL)
        *slash = '\0';
    int wanted = snprintf(path, room, "%s/host-%s.so", self, file);
    return wanted < 0 || (size_t)wanted >= room ? -ENAMETOOLONG : 0;
}

static const char *load(const char *need, const char *file, const char *symbol,
                        const struct annex **out)
{
    static char why[300];
    char path[PATH_MAX];
    if (path_of(path, sizeof(path), file) != 0)
        return "needs: the path of the program is too long";
    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const struct annex *annex = object != NULL ? dlsym(object, symbol) : NULL;
    int err = annex != NULL ? annex->prepare() : 0;
    if (annex == NULL)
        snprintf(why, sizeof(why), "needs: \"%s\" cannot be loaded: %s", need, dlerror());
    if (err)
        snprintf(why, sizeof(why), "needs: \"%s\" cannot begin: %s", need,
                 strerror(-err));
    if (annex == NULL || err)
        return why;
    *out = annex;
    return NULL;
}

const char *annex_load_all(const struct json *needs)
{
    const char *why = NULL;
    for (const struct json *item = json_first(needs); item && !why;
         item = json_next(item)) {
        const char *need = json_value(item);
        for (size_t i = 0; i < countof(annexes) && need != NULL && !why; i++)
            if (strcmp(annexes[i].need, need) == 0 && annexes[i].annex == NULL)
                why = load(need, annexes[i].file, annexes[i].symbol, &annexes[i].annex);
    }
    return why;
}

const struct annex *annex_find(const char *need)
{
    for (size_t i = 0; i < countof(annexes); i++)
        if (strcmp(annexes[i].need, need) == 0)
            return annexes[i].annex;
    return NULL;
}
