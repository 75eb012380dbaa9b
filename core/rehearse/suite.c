/* suite - see suite.h. */
#include "rehearse/suite.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "base/file.h"
#include "rehearse/script.h"

enum { UNSTOPPABLE = 70 }; /* how budget.c ends a process that nothing else stops */

int suite_open(struct suite *suite, const char *library)
{
    *suite = (struct suite){.library = library, .limit_s = SUITE_LIMIT_S};
    void *shared = mmap(NULL, sizeof(*suite->tally), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return -errno;
    suite->tally = shared;
    return 0;
}

void suite_close(struct suite *suite)
{
    if (suite->tally != NULL)
        munmap(suite->tally, sizeof(*suite->tally));
}

static void fail(struct suite *suite, const char *what, const char *why)
{
    printf("FAILED %s: %s\n", what, why);
    suite->tally->failed++;
}

_Noreturn static void run_here(const struct suite *suite, const char *folder,
                               const char *path)
{
    struct rehearsal rehearsal = {suite->tally, suite->library, folder};
    alarm((unsigned)suite->limit_s);
    script_run(path, &rehearsal, suite->filter);
    exit(0);
}

static void judge(struct suite *suite, const char *path, int status)
{
    char why[120];
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return;
    if (WIFEXITED(status) && WEXITSTATUS(status) == UNSTOPPABLE)
        snprintf(why, sizeof(why),
                 "a function of Lua's own ran on and on in the plugin; "
                 "in the office the process ends there too");
    else if (WIFEXITED(status))
        snprintf(why, sizeof(why), "its process ended with %d", WEXITSTATUS(status));
    else if (WTERMSIG(status) == SIGALRM)
        snprintf(why, sizeof(why), "took more than %d s", suite->limit_s);
    else
        snprintf(why, sizeof(why), "its process died of signal %d", WTERMSIG(status));
    fail(suite, path, why);
}

static void run_file(struct suite *suite, const char *folder, const char *path)
{
    int status;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0)
        run_here(suite, folder, path);
    if (pid < 0) {
        fail(suite, path, strerror(errno));
        return;
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    judge(suite, path, status);
}

static int is_test(const struct dirent *entry)
{
    static const char ENDING[] = "_test.lua";
    size_t length = strlen(entry->d_name), ending = sizeof(ENDING) - 1;
    return length > ending && strcmp(entry->d_name + length - ending, ENDING) == 0;
}

static void run_all(struct suite *suite, const char *folder)
{
    char inner[PATH_MAX], path[PATH_MAX];
    struct dirent **entries = NULL;
    if (file_join(inner, sizeof(inner), folder, "test") != 0)
        return;
    int count = scandir(inner, &entries, is_test, alphasort);
    if (count <= 0)
        fail(suite, folder, "expected tests, as test/NAME_test.lua; there are none");
    for (int i = 0; i < count; i++) {
        if (file_join(path, sizeof(path), inner, entries[i]->d_name) == 0)
            run_file(suite, folder, path);
        free(entries[i]);
    }
    free(entries);
}

void suite_run(struct suite *suite, const char *folder)
{
    char whole[PATH_MAX], manifest[PATH_MAX];
    if (realpath(folder, whole) == NULL ||
        file_join(manifest, sizeof(manifest), whole, "plugin.lua") != 0 ||
        !file_exists(manifest))
        fail(suite, folder, "expected a plugin's folder, with plugin.lua in it");
    else
        run_all(suite, whole);
}
