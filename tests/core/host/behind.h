/* behind - something tried behind the boundary, in a process of its own. */
#ifndef TESTS_HOST_BEHIND_H
#define TESTS_HOST_BEHIND_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "host/boundary/confine.h"

enum { DONE = 0, UNCONFINED = 200, KILLED = 1000 };

/* What the boundary lets through. */
static struct confine_wish wish;

/* What it answers behind the boundary: its result (0 or an errno), or KILLED. */
static inline int confined(int (*attack)(void))
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        struct confine told;
        _exit(confine(&told, &wish) != 0 ? UNCONFINED : attack());
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status))
        return KILLED;
    assert_int_not_equal(WEXITSTATUS(status), UNCONFINED);
    return WEXITSTATUS(status);
}

static inline int result(long done)
{
    return done < 0 ? errno : DONE;
}

#endif
