/* A program that the keeper has started, as it begins. */
#include "wire/child.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static int what_is_missing(void)
{
    struct rlimit core, files;
    child_begin("child");
    raise(SIGTERM); /* only the keeper ends it */
    raise(SIGINT);
    getrlimit(RLIMIT_CORE, &core);
    getrlimit(RLIMIT_NOFILE, &files);
    return (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) | (core.rlim_max != 0) << 1 |
           (files.rlim_max != CHILD_FILES_MAX) << 2;
}

static void it_gains_no_rights_and_leaves_no_memory_behind(void **state)
{
    int status;
    (void)state;
    pid_t pid = fork();
    if (pid == 0)
        _exit(what_is_missing());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_gains_no_rights_and_leaves_no_memory_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
