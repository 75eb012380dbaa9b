/* boundary - see boundary.h. */
#include "host/boundary/boundary.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "base/log.h"
#include "base/mem.h"
#include "host/bind/annex.h"
#include "host/boundary/named.h"
#include "host/module/module.h"

static const char RESOLV[] = "/etc/resolv.conf";

/* What a folder is known by: a new one gets the number of an old one at once, but not its birth. */
static bool name_folder(const char *path, uint64_t name[3])
{
    struct statx found;
    if (statx(AT_FDCWD, path, 0, STATX_TYPE | STATX_INO | STATX_BTIME, &found) != 0 ||
        !S_ISDIR(found.stx_mode))
        return false;
    name[0] = (uint64_t)found.stx_dev_major << 32 | found.stx_dev_minor;
    name[1] = found.stx_ino;
    name[2] = (uint64_t)found.stx_btime.tv_sec * 1000000000 + found.stx_btime.tv_nsec;
    return true;
}

static void hold(struct boundary *boundary, const char *path)
{
    struct boundary_place *place = &boundary->places[boundary->count++];
    *place = (struct boundary_place){.path = mem_text(path), .fd = -1};
    if (boundary->trees && name_folder(path, place->folder))
        place->is_folder = true;
    else
        place->fd = open(path, O_PATH | O_CLOEXEC);
}

/* A service's own file under /run may change: confine() has allowed its folder. */
static bool is_edited_in_place(const char *path)
{
    char real[PATH_MAX];
    return realpath(path, real) != NULL && strncmp(real, "/etc/", 5) == 0;
}

static void hold_all(struct boundary *boundary, const struct confine_wish *wish)
{
    boundary->trees = wish->trees;
    for (int i = 0; i < CONFINE_PATHS_MAX && wish->paths[i] != NULL; i++) {
        hold(boundary, wish->paths[i]);
        boundary->roots[i] = boundary->places[i].path;
    }
    if (wish->resolves && is_edited_in_place(RESOLV))
        hold(boundary, RESOLV);
}

static bool is_usable(const struct stat *found)
{
    return S_ISCHR(found->st_mode) || S_ISREG(found->st_mode);
}

static bool folder_has_moved(const struct boundary_place *place)
{
    uint64_t now[3];
    return name_folder(place->path, now) &&
           (!place->is_folder || memcmp(now, place->folder, sizeof(now)) != 0);
}

/* What was there and is removed is gone for good, whatever takes its name or its number. */
static bool has_moved(const struct boundary_place *place)
{
    struct stat now, then;
    if (stat(place->path, &now) != 0 || !is_usable(&now))
        return false;
    if (place->fd < 0 || fstat(place->fd, &then) != 0)
        return true;
    return then.st_nlink == 0 || then.st_dev != now.st_dev || then.st_ino != now.st_ino;
}

static void look(struct loop_timer *timer)
{
    struct boundary *boundary = container_of(timer, struct boundary, look);
    for (int i = 0; i < boundary->count; i++) {
        if (!has_moved(&boundary->places[i]) &&
            !(boundary->trees && folder_has_moved(&boundary->places[i])))
            continue;
        boundary->moved(boundary->owner, boundary->places[i].path);
        return;
    }
    loop_timer_start(boundary->loop, timer, BOUNDARY_LOOK_MS);
}

static const char *raise(struct boundary *boundary, const struct confine_wish *wish)
{
    static char why[128];
    struct confine told;
    hold_all(boundary, wish);
    int err = confine(&told, wish);
    if (err) {
        snprintf(why, sizeof(why), "it cannot be confined: %s", strerror(-err));
        return why;
    }
    if (told.landlock == 0)
        log_warn("this kernel has no Landlock: files and ports are not confined");
    boundary->look.fire = look;
    if (boundary->count > 0)
        loop_timer_start(boundary->loop, &boundary->look, BOUNDARY_LOOK_MS);
    return NULL;
}

const char *boundary_raise(struct boundary *boundary, const char *start, size_t length)
{
    struct named named;
    int err = named_read(&named, start, length);
    if (err == -E2BIG)
        return "its configuration names more files, devices or ports than a plugin may "
               "use";
    if (err)
        return "START: expected the folders of the plugin and its configuration";
    const struct json *needs = json_get(named.start, "needs");
    const char *why = annex_load_all(needs);
    if (why == NULL && module_load(needs) != 0)
        why = "what it needs cannot be loaded";
    if (why == NULL)
        why = raise(boundary, &named.wish);
    named_free(&named);
    return why;
}

const char *const *boundary_roots(const struct boundary *boundary)
{
    static const char *const NONE[] = {NULL};
    return boundary != NULL ? boundary->roots : NONE;
}

void boundary_close(struct boundary *boundary)
{
    loop_timer_stop(&boundary->look);
    for (int i = 0; i < boundary->count; i++) {
        if (boundary->places[i].fd >= 0)
            close(boundary->places[i].fd);
        mem_free(boundary->places[i].path);
    }
    boundary->count = 0;
    boundary->roots[0] = NULL;
}
