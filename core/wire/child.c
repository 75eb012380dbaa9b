/* child - see child.h. */
#include "wire/child.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/log.h"
#include "wire/line.h"

void child_begin(const char *name)
{
    static const struct rlimit NONE = {0, 0}, FILES = {CHILD_FILES_MAX, CHILD_FILES_MAX};
    log_open(name);
    signal(SIGINT, SIG_IGN); /* the keeper ends us: by STOP, or by its own end */
    signal(SIGTERM, SIG_IGN);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    setrlimit(RLIMIT_CORE, &NONE);
    setrlimit(RLIMIT_NOFILE, &FILES);
}

void child_refuse(int err)
{
    log_error(
        "file descriptor %d is no line to a keeper (%s); this program is started by "
        "`outpost run`",
        LINE_CHILD_FD, strerror(-err));
}
