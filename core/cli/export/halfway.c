/* halfway - see halfway.h. */
#include "cli/export/halfway.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "base/file.h"

enum { OPEN_FOLDERS = 8 };

static int complain(const char *path, const char *what)
{
    fprintf(stderr, "outpost evidence: %s: %s\n", path, what);
    return -ECANCELED;
}

/* ---- What an export that was killed has left */

/* See etc/evidence/README.md. */
static bool is_of_export(const char *name)
{
    static const char *const NAMES[] = {"file",       "events",        "index.html",
                                        "check.sh",   "key.pub",       "SHA256SUMS",
                                        "checkpoint", "exported.json", "exported.proof"};
    for (size_t i = 0; i < countof(NAMES); i++)
        if (strcmp(name, NAMES[i]) == 0)
            return true;
    return file_is_unfinished(name);
}

/* Whether nothing else is there. */
static bool is_left_by_export(const char *path)
{
    const struct dirent *entry;
    bool good = true;
    DIR *folder = opendir(path);
    if (folder == NULL)
        return false;
    while (good && (entry = readdir(folder)) != NULL)
        good = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
               is_of_export(entry->d_name);
    closedir(folder);
    return good;
}

static int remove_one(const char *path, const struct stat *info, int type,
                      struct FTW *place)
{
    (void)info;
    (void)type;
    return place->level == 0 ? 0 : remove(path);
}

/* 0, or errno says why. */
static int empty(const char *path)
{
    return nftw(path, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
}

/* ---- Life */

static int take(struct halfway *halfway, bool is_new)
{
    const char *why = NULL;
    halfway->lock = open(halfway->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (halfway->lock < 0)
        return complain(halfway->path, strerror(errno));
    if (flock(halfway->lock, LOCK_EX | LOCK_NB) != 0)
        why = "another export to there is under way";
    else if (!is_new && !is_left_by_export(halfway->path))
        why = "holds what no export has left there: take it away, or export to another "
              "folder";
    else if (!is_new && empty(halfway->path) != 0)
        why = strerror(errno);
    if (why == NULL)
        return 0;
    close(halfway->lock);
    halfway->lock = -1;
    return complain(halfway->path, why);
}

int halfway_open(struct halfway *halfway, const char *folder)
{
    int length = snprintf(halfway->path, sizeof(halfway->path), "%s.part", folder);
    halfway->lock = -1;
    if (length < 0 || (size_t)length >= sizeof(halfway->path))
        return complain(folder, strerror(ENAMETOOLONG));
    if (file_exists(folder))
        return complain(folder, strerror(EEXIST));
    bool is_new = mkdir(halfway->path, 0750) == 0;
    if (!is_new && errno != EEXIST)
        return complain(halfway->path, strerror(errno));
    return take(halfway, is_new);
}

int halfway_finish(struct halfway *halfway, const char *folder)
{
    if (rename(halfway->path, folder) != 0)
        return complain(folder, strerror(errno));
    close(halfway->lock);
    halfway->lock = -1;
    return file_sync_name(folder) == 0 ? 0 : complain(folder, strerror(EIO));
}

void halfway_close(struct halfway *halfway)
{
    if (halfway->lock < 0)
        return;
    if (empty(halfway->path) == 0)
        rmdir(halfway->path);
    close(halfway->lock);
    halfway->lock = -1;
}
