/* damage - see damage.h. */
#include "keeper/repair/damage.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/now.h"

enum { PATH_ROOM = 4096, TRIES = 100 };

const char damage_prefix[] = "journal-damaged-";

/* "<start><UTC time>", or, where the clock stands still, with a number behind. */
static int name_free(char *path, size_t room, const char *start)
{
    char time[NOW_TEXT_ROOM];
    now_format(time, now_utc_us());
    for (char *c = time; *c != '\0'; c++)
        if (*c == ':' || *c == '.')
            *c = '-';
    for (int i = 0; i < TRIES; i++) {
        int length = i == 0 ? snprintf(path, room, "%s%s", start, time)
                            : snprintf(path, room, "%s%s-%d", start, time, i);
        if (length < 0 || (size_t)length >= room)
            return -ENAMETOOLONG;
        if (!file_exists(path))
            return 0;
    }
    return -EEXIST;
}

int damage_name(char *aside, size_t room, const char *path)
{
    char start[PATH_ROOM];
    int length = snprintf(start, sizeof(start), "%s-damaged-", path);
    if (length < 0 || (size_t)length >= sizeof(start))
        return -ENAMETOOLONG;
    return name_free(aside, room, start);
}

int damage_move(const char *aside, const char *path)
{
    return rename(path, aside) == 0 ? file_sync_name(aside) : -errno;
}

int damage_set_aside(char *aside, size_t room, const char *path)
{
    int err = damage_name(aside, room, path);
    return err ? err : damage_move(aside, path);
}

/* "tile/0/x001/234" is kept as "tile_0_x001_234-<time>". */
static int keep_path(char *path, size_t room, const char *folder, const char *name)
{
    char start[PATH_ROOM];
    int length = snprintf(start, sizeof(start), "%s/damaged", folder);
    if (length < 0 || (size_t)length >= sizeof(start))
        return -ENAMETOOLONG;
    int err = file_make_folders(start);
    if (err)
        return err;
    size_t head = (size_t)length + 1;
    length = snprintf(start, sizeof(start), "%s/damaged/%s-", folder, name);
    if (length < 0 || (size_t)length >= sizeof(start))
        return -ENAMETOOLONG;
    for (char *c = start + head; *c != '\0'; c++)
        if (*c == '/')
            *c = '_';
    return name_free(path, room, start);
}

int damage_keep(const char *folder, const char *name, bool stays)
{
    char from[PATH_ROOM], to[PATH_ROOM];
    int err = file_join(from, sizeof(from), folder, name);
    if (!err)
        err = keep_path(to, sizeof(to), folder, name);
    if (!err && (stays ? link(from, to) : rename(from, to)) != 0)
        err = -errno;
    if (!err)
        err = file_sync_name(to);
    return err ? err : file_sync_name(from);
}
