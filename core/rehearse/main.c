/* main - rehearse: runs the tests of plugins in the real host, or a plugin over a recorded journal. A
 * table of contents. */
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rehearse/replay.h"
#include "rehearse/steady.h"
#include "rehearse/suite.h"

struct wish {
    const char *library;
    const char *filter;
    int limit_s;
};

static int read_wish(struct wish *wish, int count, char **arguments)
{
    static const struct option KNOWN[] = {{"lua", required_argument, NULL, 'l'},
                                          {"filter", required_argument, NULL, 'f'},
                                          {"limit", required_argument, NULL, 's'},
                                          {NULL, 0, NULL, 0}};
    int option;
    while ((option = getopt_long(count, arguments, "", KNOWN, NULL)) != -1) {
        if (option == 'l')
            wish->library = optarg;
        else if (option == 'f')
            wish->filter = optarg;
        else if (option == 's')
            wish->limit_s = atoi(optarg);
        else
            return -1;
    }
    return wish->library != NULL && wish->limit_s > 0 && optind < count ? 0 : -1;
}

/* The last line is what counts, and what others read. */
static int finish(const struct suite *suite, const struct wish *wish)
{
    const struct rehearsal_tally *tally = suite->tally;
    if (tally->passed + tally->failed == 0 && wish->filter != NULL)
        printf("there is no test with \"%s\" in its name\n", wish->filter);
    printf("%d passed, %d failed\n", tally->passed, tally->failed);
    return tally->failed == 0 && tally->passed > 0 ? 0 : 1;
}

int main(int count, char **arguments)
{
    struct wish wish = {.limit_s = SUITE_LIMIT_S};
    struct suite suite = {0};
    char library[PATH_MAX];
    steady_begin(arguments);
    if (count == 2 && strcmp(arguments[1], "replay") == 0)
        return replay_run();
    if (read_wish(&wish, count, arguments) != 0) {
        fprintf(
            stderr,
            "usage: rehearse --lua DIR [--filter TEXT] [--limit SECONDS] FOLDER...\n"
            "       rehearse replay      (started by outpost replay, see replay.h)\n");
        return 2;
    }
    if (realpath(wish.library, library) == NULL || suite_open(&suite, library) != 0) {
        perror(wish.library);
        return 2;
    }
    suite.filter = wish.filter;
    suite.limit_s = wish.limit_s;
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int i = optind; i < count; i++)
        suite_run(&suite, arguments[i]);
    int code = finish(&suite, &wish);
    suite_close(&suite);
    return code;
}
